"""GitHub's expressions in the spec: which are allowed, and which names they take values from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.forms import SCALARS, Form, Schema, anchored, unseen

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

# One that is not closed ends at the next one, so the search never goes through a text twice.
EXPRESSION = re.compile(r"\$\{\{((?:(?!\$\{\{).)*?)\}\}", re.DOTALL)
SOURCE = re.compile(
    r"(?P<source>secrets|vars)\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default> \|\| '[^'\n]*')?"
)
# An expression that reads the result or an output of another job: the job, and the output.
READ_OF_A_JOB = (
    r"(?<![\w.'-])needs\.([A-Za-z_][A-Za-z0-9_-]*)(?:\.outputs\.([A-Za-z_][A-Za-z0-9_-]*))?"
)
# Properties of `github` that no stranger can choose and that hold no line break.
GITHUB = tuple(
    f"github.{name}"
    for name in (
        "actor",
        "ref_name",
        "repository",
        "repository_owner",
        "run_id",
        "run_number",
        "sha",
    )
)
_SECRET = r"\$\{\{ *secrets\.[A-Za-z_][A-Za-z0-9_]* *\}\}"  # noqa: S105 - a pattern


def value_or_expression(value: Value, reading: Reading, also: tuple[str, ...] = ()) -> str | None:
    """Return a value that may hold `${{ secrets.X }}`, `${{ vars.X }}` or the like.

    `also` are expressions that are allowed here and not elsewhere.
    """
    if value.kind not in SCALARS:
        what = f"should be a value, but is {value.kind}"
        reading.problem(value, what, _one_text(value), Heading.WRONG_KIND)
        return None
    if "\0" in value.text:
        what = "holds the character U+0000, which no variable can hold"
        reading.problem(value, what, "remove it", Heading.WRONG_VALUE)
        return None
    inside = EXPRESSION.findall(value.text)
    if value.text.count("${{") != len(inside):
        reading.problem(
            value,
            "has a `${{` without its `}}`",
            "close the expression with `}}`",
            Heading.NOT_ALLOWED,
        )
        return None
    for expression in inside:
        if expression.strip() not in also and not _known(expression, value, reading):
            return None
    return value.text


def _one_text(value: Value) -> str:
    """Return the hint for what is no single value."""
    if value.kind == "nothing":
        return 'write "" when it is meant to be empty'
    if value.kind == "a mapping" and any(key.kind == "a mapping" for key, _ in value.pairs()):
        return 'an expression begins with a `$`, and is in quotes: "${{ secrets.NAME }}"'
    return 'write one text; put one that holds brackets into quotes: "{a: b}"'


def _known(inside: str, value: Value, reading: Reading) -> bool:
    expression = inside.strip(" \t\n")
    if expression in GITHUB:
        return True
    source = SOURCE.fullmatch(expression)
    character = unseen(inside.replace("\t", "").replace("\n", ""))
    if source is None and character:
        what = f"has the character {character} in `${{{{ }}}}`, and GitHub takes plain blanks only"
        reading.problem(value, what, "write a blank instead", Heading.NOT_ALLOWED)
        return False
    if source is None:
        reading.problem(
            value,
            f"`${{{{ {expression} }}}}` is not allowed here",
            "use ${{ secrets.NAME }}, ${{ vars.NAME }}, ${{ vars.NAME || 'default' }} "
            f"or ${{{{ {GITHUB[-1]} }}}}",
            Heading.NOT_ALLOWED,
        )
        return False
    return source_name(value, source["name"], reading)


def source_name(value: Value, name: str, reading: Reading) -> bool:
    """Tell whether a user can create a secret or variable of a name; case does not count."""
    if name.upper() == "GITHUB_TOKEN":
        what = f"`{name}` is the token of the run, which expires with the run"
        reading.problem(value, what, "create a secret of your own", Heading.RESERVED)
    elif name.upper().startswith("GITHUB_"):
        what = f"`{name}`: GitHub reserves names that begin with GITHUB_"
        reading.problem(value, what, "choose another name", Heading.RESERVED)
    else:
        return True
    return False


class OrExpression(Form[str]):
    """A value that is literal, of a pattern, or holds an expression; `lines` may be several."""

    def __init__(
        self,
        what: str,
        pattern: str,
        hint: str,
        anchor: str = Heading.WRONG_VALUE,
        *,
        lines: bool = False,
    ) -> None:
        self._what = what
        self.pattern = pattern
        self.hint = hint
        self._anchor = anchor
        self._lines = lines

    def read(self, value: Value, reading: Reading) -> str | None:
        found = value_or_expression(value, reading)
        if found is None:
            return None
        line = found.replace("\n", "").replace("\t", "") if self._lines else found
        if not line.isprintable() or (not self._lines and found != found.strip()):
            hint = "remove the spaces before and after it, and all control characters"
            reading.problem(value, f"{found!r} is not {self._what}", hint, self._anchor)
        elif "${{" not in found and not self._fits(found):
            reading.problem(
                value, f"{found!r} is not {self._what}", self._better(found), self._anchor
            )
        else:
            return found
        return None

    def _fits(self, found: str) -> bool:
        return bool(re.fullmatch(self.pattern, found, re.DOTALL))

    def _better(self, found: str) -> str:  # noqa: ARG002 - a host with a port says more
        return self.hint

    def schema(self) -> Schema:
        return {"type": ["string", "number"]}


class FromSecret(Form[str]):
    """A value that must come from a secret."""

    def __init__(self, what: str, hint: str) -> None:
        self._what = what
        self.hint = hint

    def read(self, value: Value, reading: Reading) -> str | None:
        found = value_or_expression(value, reading)
        if found is None or re.fullmatch(_SECRET, found):
            return found
        secret = re.search(_SECRET, found)
        if not secret:
            reading.problem(
                value, f"{self._what} must come from a secret", self.hint, Heading.SECRET
            )
        elif secret[0] == found.strip():
            what = f"has a blank beside the secret, which would be a part of {self._what}"
            reading.problem(value, what, f"write only {secret[0]}", Heading.SECRET)
        else:  # the other text is not shown: it may be a key
            reading.problem(
                value,
                "holds other text beside the secret",
                f"write only {secret[0]}",
                Heading.SECRET,
            )
        return None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": anchored(_SECRET)}

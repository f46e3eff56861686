"""What GitHub and its runner take of a workflow: limits that no schema and no linter knows."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.expressions import EXPRESSION
from gen_workflow.spec.hints import INPUTS
from gen_workflow.spec.sections import sections
from gen_workflow.workflow.records import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.workflow.records import Workflow

# GitHub makes one expression of a text with expressions in it. Its length and the number of its
# parts are limited (actions/runner, DTExpressions2/Expressions2/ExpressionConstants.cs).
LONGEST_EXPRESSION = 21_000
MOST_EXPRESSIONS = 254
# Bytes of a variable with its name: MAX_ARG_STRLEN of Linux, without the NUL at the end.
LONGEST_VARIABLE = 128 * 1024 - 1
# Bytes of a workflow that GitHub runs: docs.github.com/en/actions/reference/limits.
LARGEST_WORKFLOW = 512_000
# The inputs that come from a section of the top level.
_OF_THE_TOP = {"username": "registry/user", "password": "registry/password"}
# Where the variables of a step come from, by the folder of its action.
_VARIABLES = {
    "build-push": "secrets",
    "ssh-deploy": "run/env",
    "kubectl-set-image": "kubernetes/secret",
}
_SHORTER = "write less here, or put a long text into a file that the app or the build reads"


class Excess(NamedTuple):
    """What is too much: the path of its key in the spec, what is wrong, and what to do.

    `text` is the value below the key that is wrong; empty when it is that of the key itself.
    """

    key: str
    what: str
    hint: str
    text: str = ""


class _Text(NamedTuple):
    """A text of the workflow, where it comes from, and the variable that it becomes.

    That is the path of a key; or, when there is an `origin`, the name of an input.
    """

    place: str
    text: str
    variable: str = ""
    origin: str = ""

    @property
    def key(self) -> str:
        """The path of the key of the spec; to find it loads all sections."""
        return key_of(self.place, self.origin) if self.origin else self.place


def exceeded(workflow: Workflow) -> Iterator[Excess]:
    """Yield each text of a workflow, and its sum, that GitHub or the runner would not take."""
    for one in _texts(workflow):
        expressions = EXPRESSION.findall(one.text)
        length = _length(as_expression(one.text)) if expressions else 0
        size = len(f"{one.variable}={one.text}".encode())
        if length > LONGEST_EXPRESSION:
            what = (
                f"is part of an expression of {length:,} characters, and GitHub takes at most "
                f"{LONGEST_EXPRESSION:,}; all of the text around `${{{{ }}}}` counts"
            )
            yield Excess(one.key, what, _how_to_shorten(one))
        elif len(expressions) > MOST_EXPRESSIONS:
            what = (
                f"holds {len(expressions)} expressions in one text, and GitHub takes at most "
                f"{MOST_EXPRESSIONS}"
            )
            yield Excess(one.key, what, "write some of the values themselves")
        elif one.variable and size > LONGEST_VARIABLE:
            what = (
                f"is {size:,} bytes in one variable of the step, and Linux starts no program with "
                f"more than {LONGEST_VARIABLE:,}"
            )
            yield Excess(one.key, what, _SHORTER)
    yield from too_large(workflow)


def too_large(workflow: Workflow, size: int = 0) -> Iterator[Excess]:
    """Yield the largest key of a workflow that is larger than GitHub takes; nothing if it is not.

    `size` is that of its text in bytes, or 0 as long as nothing is rendered.
    """
    texts = set(_texts(workflow))  # steps that two jobs share are written once
    if max(size, sum(len(one.text) for one in texts)) > LARGEST_WORKFLOW:
        sizes: Counter[str] = Counter()
        for one in texts:
            sizes[_of_all_variables(one.key)] += len(one.text)
        what = (
            f"makes a workflow of more than {LARGEST_WORKFLOW:,} bytes, which GitHub does not run"
        )
        hint = "write less here, and use an alias of a long text less often"
        yield Excess(sizes.most_common(1)[0][0], what, hint)


def as_expression(text: str) -> str:
    """Return the one expression that GitHub makes of a text with expressions in it.

    As actions/runner does it in DTObjectTemplating/ObjectTemplating/TemplateReader.cs.
    """
    parts = EXPRESSION.split(text)
    inside = [part.strip() for part in parts[1::2]]
    if parts == ["", *parts[1:2], ""]:
        return inside[0]
    literals = [one.replace("'", "''").replace("{", "{{").replace("}", "}}") for one in parts[::2]]
    places = [f"{{{number}}}" for number in range(len(inside))]
    form = "".join(a + b for a, b in zip(literals, [*places, ""], strict=True))
    return f"format('{form}'{''.join(f', {one}' for one in inside)})"


def _texts(workflow: Workflow) -> Iterator[_Text]:
    """Yield each text that a key of the spec can make long."""
    if workflow.on.push:
        yield _Text("on", "\n".join(name for names in workflow.on.push for name in names))
    for job in workflow.jobs:
        if job.condition:
            # GitHub adds the call where a condition has none of its kind.
            key = f"{job.origin}/on" if job.origin.startswith("environments/") else "on"
            yield _Text(key, f"${{{{ success() && ({job.condition}) }}}}")
        for step in job.steps:
            if not isinstance(step, Step):
                continue
            for name, value in step.inputs:
                variable = f"INPUT_{name.upper().replace('-', '_')}"
                yield _Text(name, str(value), variable, job.origin)
            for name, value in step.env:
                yield _Text(f"{_variables_of(step, job.origin)}/{name}", str(value), name)


def key_of(name: str, origin: str) -> str:
    """Return the path of the key of the spec that an input of a step of a job comes from.

    `origin` is the path of the section that the job comes from.
    """
    if name in _OF_THE_TOP:
        return _OF_THE_TOP[name]
    if name in INPUTS:
        return f"{origin}/{INPUTS[name]}"
    named = origin.split("/")[1:]
    inside = "/".join([origin.split("/", maxsplit=1)[0], *("NAME" for _ in named)])
    paths = _paths_with(name)
    here = next((path for path in paths if f"{path}/".startswith(f"{inside}/")), None)
    if here is not None:
        return f"{origin}{here[len(inside) :]}/{name}"
    return next((f"{path}/{name}" if path else name for path in paths), "")


@cache
def _paths_with(name: str) -> list[str]:
    """Return the paths of the sections that have a key."""
    return [path for path, section in sections(SPEC) if name in section.keys]


def _variables_of(step: Step, origin: str) -> str:
    inside = _VARIABLES.get(step.uses.folder, "") if step.uses else ""
    return f"{origin}/{inside}" if inside else origin


def _of_all_variables(key: str) -> str:
    """Return the key that holds all variables of a step, for the key of one of them."""
    for every in _VARIABLES.values():
        before, found, _ = f"{key}/".partition(f"/{every}/")
        if found:
            return f"{before}/{every}"
    return key


def _how_to_shorten(one: _Text) -> str:
    if one.key.rpartition("/")[2] == "on":
        return "name fewer branches and tags, or some with shorter names"
    return "write less here, or keep a long part in a variable of GitHub, as ${{ vars.NAME }}"


def _length(text: str) -> int:
    """Return the length of a text as GitHub counts it, in units of UTF-16."""
    return len(text.encode("utf-16-le")) // 2

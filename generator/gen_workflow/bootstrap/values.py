"""The values of secrets and variables: from the environment, from a file, or from stdin.

They are never printed: what is wrong with one is told by its name and its place alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, Problem, SpecError
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import document
from gen_workflow.spec.hints import listed, near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gen_workflow.spec.document import Value
    from gen_workflow.workflow.records import Needs

# docs.github.com/en/actions/reference/security/secrets; variables have the same limit.
MOST_BYTES = 48 * 1024


class Hidden:
    """A value that no log and no traceback shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        """Return stars."""
        return "***"

    def reveal(self) -> str:
        """Return the value, only to send it."""
        return self._value


class Given(NamedTuple):
    """A value, and where it comes from, as in `the environment` or `values.yml:3`."""

    value: Hidden
    source: str


class Values(NamedTuple):
    """The values of a file and of the environment; the file goes first.

    `own` are those for one environment of GitHub, `shared` those for all, by name in capitals.
    """

    own: Mapping[tuple[str, str], Given]
    shared: Mapping[str, Given]
    environ: Mapping[str, str]

    def of(self, place: str, name: str) -> Given | None:
        """Return the value of a name for an environment of GitHub, "" for the repository itself."""
        found = self.own.get((place, name.upper())) or self.shared.get(name.upper())
        exported = self.environ.get(name)
        if found is None and exported:
            return Given(Hidden(exported), "the environment")
        return found


def read(raw: bytes, source: str, needs: Sequence[Needs], environ: Mapping[str, str]) -> Values:
    """Return the values in a file, which is YAML; an empty one holds none.

    A name has its value, and an environment of GitHub has a mapping of names that are for it alone.
    Raises SpecError with each name that the spec does not need, and each value that GitHub refuses.
    """
    root = document.parse(document.decode(raw, source), source)
    problems: dict[str, str] = {}
    own: dict[tuple[str, str], Given] = {}
    shared: dict[str, Given] = {}
    places = {one.environment: _names(one) for one in needs}
    every = tuple(dict.fromkeys(name for names in places.values() for name in names))
    for key, item in _pairs(root, source, problems):
        if item.kind != "a mapping":
            if given := _given(key, item, every, source, problems):
                shared[key.text.upper()] = given
        elif key.text in places:
            for name, value in item.pairs():
                if given := _given(name, value, places[key.text], source, problems):
                    own[(key.text, name.text.upper())] = given
        else:
            known = tuple(place for place in places if place)
            hint = near(key.text, known) or f"the spec has {listed(known)}"
            _note(problems, source, key, "is no environment of the spec that needs values", hint)
    if problems:
        raise SpecError(problems)
    return Values(own, shared, environ)


def _pairs(
    root: Value | None, source: str, problems: dict[str, str]
) -> Iterator[tuple[Value, Value]]:
    if root is None or root.kind == "nothing":
        return
    if root.kind == "a mapping":
        yield from root.pairs()
        return
    hint = "write NAME: value, and for one environment NAME: {NAME: value}"
    _note(problems, source, root, f"should be a mapping, but is {root.kind}", hint)


def _names(needs: Needs) -> tuple[str, ...]:
    return tuple(one.name for one in (*needs.variables, *needs.secrets))


def _given(
    key: Value, item: Value, known: tuple[str, ...], source: str, problems: dict[str, str]
) -> Given | None:
    """Return a value that GitHub takes for a name that the spec needs."""
    if key.text.upper() not in {name.upper() for name in known}:
        hint = near(key.text, known) or "remove it, or name it in the spec"
        _note(problems, source, key, "is nothing that the spec needs here", hint)
    elif item.kind in ("a mapping", "a list"):
        what = f"should be a text, but is {item.kind}"
        _note(problems, source, key, what, "write a text; one of several lines begins with |")
    elif len(item.text.encode()) > MOST_BYTES:
        what = f"is longer than the {MOST_BYTES // 1024} KB that GitHub takes"
        _note(problems, source, key, what, "store it elsewhere, and its address here")
    elif item.kind != "nothing" and item.text:
        return Given(Hidden(item.text), f"{source}:{key.mark.line}")
    return None


def _note(problems: dict[str, str], source: str, key: Value, what: str, hint: str) -> None:
    at = Problem(source, key.mark.line, key.mark.column, what, hint=hint, path=key.path)
    problems[at] = Heading.WRONG_VALUE

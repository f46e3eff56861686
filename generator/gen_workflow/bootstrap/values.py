"""The values of secrets and variables: from the environment, from a file, or from stdin.

They are never printed: what is wrong with one is told by its name and its place alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, Problem, SpecError
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import document
from gen_workflow.spec.document import Reading
from gen_workflow.spec.hints import MEANT, closest, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen_workflow.spec.document import Value
    from gen_workflow.workflow.records import Needs

# docs.github.com/en/actions/reference/security/secrets; variables have the same limit.
MOST_BYTES = 48 * 1024
# What these hold in the environment is the token of this run, and not one for the workflow.
_OF_BOOTSTRAP = ("GH_TOKEN", "GITHUB_TOKEN")
_FORM = "write NAME: value, and for one environment NAME: {NAME: value}"


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
        exported = self.environ.get(name) if name not in _OF_BOOTSTRAP else None
        if found is None and exported:
            return Given(Hidden(exported), "the environment")
        return found


def read(raw: bytes, source: str, needs: Sequence[Needs], environ: Mapping[str, str]) -> Values:
    """Return the values in a file, which is YAML; an empty one holds none.

    A name has its value, and an environment of GitHub has a mapping of names that are for it alone.
    Raises SpecError with each name that the spec does not need, and each value that GitHub refuses.
    """
    reader = _Reader(source, needs)
    reader.read(_root(raw, source))
    reader.reading.raise_problems()
    return Values(reader.own, reader.shared, environ)


def _root(raw: bytes, source: str) -> Value | None:
    """Return the root; what is told of other files could show a value here."""
    try:
        return document.parse(document.decode(raw, source), source, bounded=False)
    except SpecError as error:
        first = error.problems[0]
        hint = "quote the value there, or begin one of several lines with |"
        problem = Problem(source, first.line, first.column, "is not YAML", hint=hint)
        raise SpecError({problem: Heading.NO_YAML}) from None


class _Reader:
    """One reading of a file with values, and what is wrong in it, by names and places alone."""

    def __init__(self, source: str, needs: Sequence[Needs]) -> None:
        self.reading = Reading(source)
        self.own: dict[tuple[str, str], Given] = {}
        self.shared: dict[str, Given] = {}
        self._places = {one.environment: _names(one) for one in needs}
        self._names = tuple(dict.fromkeys(name for of in self._places.values() for name in of))

    def read(self, root: Value | None) -> None:
        """Read the whole file."""
        if root is None or root.kind == "nothing":
            return
        if root.kind != "a mapping":
            self._note(root, f"should be a mapping, but is {root.kind}", _FORM)
            return
        for key, item in root.pairs():
            if item.kind != "a mapping":
                if given := self._given(key, item, self._names):
                    self.shared[key.text.upper()] = given
            elif key.text in self._places:
                self._read_own(key.text, item)
            else:
                known = tuple(place for place in self._places if place)
                some = f"the spec has {listed(known)}" if known else "the spec has none"
                what = "is no environment of the spec that needs values"
                self._note(key, what, _meant(key.text, known) or some)

    def _read_own(self, place: str, where: Value) -> None:
        for key, item in where.pairs():
            if given := self._given(key, item, self._places[place]):
                self.own[place, key.text.upper()] = given

    def _given(self, key: Value, item: Value, known: tuple[str, ...]) -> Given | None:
        """Return a value that GitHub takes for a name that the spec needs."""
        if key.text.upper() not in {name.upper() for name in known}:
            hint = _meant(key.text, known) or "remove it, or name it in the spec"
            self._note(key, "is nothing that the spec needs here", hint)
        elif item.kind in ("a mapping", "a list"):
            hint = "write a text; one of several lines begins with |"
            self._note(key, f"should be a text, but is {item.kind}", hint)
        elif len(item.text.encode()) > MOST_BYTES:
            what = f"is longer than the {MOST_BYTES // 1024} KB that GitHub takes"
            self._note(key, what, "store it elsewhere, and its address here")
        elif item.kind != "nothing" and item.text:
            return Given(Hidden(item.text), f"{self.reading.source}:{key.mark.line}")
        return None

    def _note(self, key: Value, what: str, hint: str) -> None:
        """Note a problem; a key that can be no name may be a part of a value."""
        is_name = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", f"{key.node.value}")
        named = key if is_name else key._replace(path="")
        self.reading.problem(named, what, hint, Heading.WRONG_VALUE)


def _names(needs: Needs) -> tuple[str, ...]:
    return tuple(one.name for one in (*needs.variables, *needs.secrets))


def _meant(word: str, known: tuple[str, ...]) -> str:
    """Return the hint that names what was probably meant, whatever its case."""
    names = {name.lower(): name for name in known}
    found = closest(word.lower(), tuple(names))
    return MEANT.format(names[found]) if found else ""

"""The values of secrets and variables: from the environment, from a file, or from stdin.

They are never printed: what is wrong with one is told by its name and its place alone.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, Problem, SpecError, gathered
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import document
from gen_workflow.spec.document import Reading
from gen_workflow.spec.hints import MEANT, closest, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gen_workflow.spec.document import Value
    from gen_workflow.workflow.records import Needs

# docs.github.com/en/actions/reference/security/secrets; variables have the same limit.
MOST_BYTES = 48 * 1024
# What these hold in the environment is the token of this run, and not one for the workflow.
_OF_BOOTSTRAP = ("GH_TOKEN", "GITHUB_TOKEN")
_FORM = "write NAME: value, and for one environment NAME: {NAME: value}"
_QUOTE = "quote the value there, or begin one of several lines with |"
_ENVIRONMENT = "the environment"


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
            return Given(Hidden(exported), _ENVIRONMENT)
        return found


def read(raw: bytes, source: str, needs: Sequence[Needs], environ: Mapping[str, str]) -> Values:
    """Return the values in a file, which is YAML; an empty one holds none.

    A name has its value, and an environment of GitHub has a mapping of names that are for it alone.
    Raises SpecError with each name that the spec does not need, and each value that GitHub refuses,
    also of the environment.
    """
    reader = _Reader(source, needs)
    reader.read(_root(raw, source))
    found = Values(reader.own, reader.shared, environ)
    gathered(reader.reading.raise_problems, partial(_check_exported, found, needs))
    return found


def _check_exported(values: Values, needs: Sequence[Needs]) -> None:
    """Raise SpecError with each value of the environment that GitHub would refuse."""
    places = ((of.environment, name) for of in needs for name in _names(of))
    given = {name: one for place, name in places if (one := values.of(place, name))}
    problems: dict[str, str] = {
        Problem("", 0, 0, f"{name} of the environment {what}", hint=hint): Heading.WRONG_VALUE
        for name, one in given.items()
        if one.source == _ENVIRONMENT
        for what, hint in _refusals(one.value.reveal())
    }
    if problems:
        raise SpecError(problems)


def _refusals(value: str) -> Iterator[tuple[str, str]]:
    """Yield why GitHub would refuse a value, and the next act."""
    try:
        many = len(value.encode())
    except UnicodeEncodeError:  # Python holds a byte that is no UTF-8 as half of a surrogate pair
        yield "is not UTF-8 text", "store it as base64, and decode it where it is used"
        return
    if many > MOST_BYTES:
        what = f"is longer than the {MOST_BYTES // 1024} KB that GitHub takes"
        yield what, "store it elsewhere, and its address here"


def _root(raw: bytes, source: str) -> Value | None:
    """Return the root; what is told of other files could show a value here."""
    what, hint = "is not UTF-8 text", "save the file as UTF-8"
    try:
        text = document.decode(raw, source)
        what, hint = "is not YAML", _QUOTE
        return document.parse(text, source, bounded=False)
    except SpecError as error:
        first = error.problems[0]
        problem = Problem(source, first.line, first.column, what, hint=hint)
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
        for key, item in self._pairs(root):
            if item.kind == "a mapping" and key.text in self._places:
                self._read_own(key.text, item)
            elif item.kind == "a mapping":
                known = tuple(place for place in self._places if place)
                some = f"the spec has {listed(known)}" if known else "the spec has none"
                what = "is no environment of the spec that needs values"
                self._note(key, what, _meant(key.text, known) or some)
            elif key.text in self._places:
                self._note(key, f"should be a mapping of names, but is {item.kind}", _FORM)
            elif given := self._given(key, item, self._names):
                self.shared[key.text.upper()] = given

    def _read_own(self, place: str, where: Value) -> None:
        for key, item in self._pairs(where):
            if given := self._given(key, item, self._places[place]):
                self.own[place, key.text.upper()] = given

    def _pairs(self, where: Value) -> Iterator[tuple[Value, Value]]:
        """Yield keys and values; GitHub knows a name in capitals and in small letters as one."""
        seen = set()
        for key, item in where.pairs():
            if key.text.upper() in seen:
                self._note(key, "appears twice", "keep one of them", Heading.TWICE)
            else:
                seen.add(key.text.upper())
                yield key, item

    def _given(self, key: Value, item: Value, known: tuple[str, ...]) -> Given | None:
        """Return a value that GitHub takes for a name that the spec needs."""
        if key.text.upper() not in {name.upper() for name in known}:
            hint = _meant(key.text, known) or "remove it, or name it in the spec"
            self._note(key, "is nothing that the spec needs here", hint)
        elif item.kind in ("a mapping", "a list"):
            hint = "write a text; one of several lines begins with |"
            self._note(key, f"should be a text, but is {item.kind}", hint)
        elif begins := _lost(item):
            self._note(key, f"begins with {begins}, not as text", _QUOTE)
        else:
            for what, hint in _refusals(item.text):
                self._note(key, what, hint)
            if item.kind != "nothing" and item.text:
                return Given(Hidden(item.text), f"{self.reading.source}:{key.mark.line}")
        return None

    def _note(self, key: Value, what: str, hint: str, anchor: str = Heading.WRONG_VALUE) -> None:
        """Note a problem; a key that can be no name may be a part of a value."""
        is_name = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", f"{key.node.value}")
        named = key if is_name else key._replace(path="")
        self.reading.problem(named, what, hint, anchor)


def _lost(value: Value) -> str:
    """Return how YAML reads the beginning of a value that was meant as text; empty for others."""
    if value.kind.startswith("a value with the tag"):
        return "!, which YAML reads as a tag"
    plain = value.node.anchor and not value.node.style
    return "&, which YAML reads as an anchor" if plain else ""


def _names(needs: Needs) -> tuple[str, ...]:
    return tuple(one.name for one in (*needs.variables, *needs.secrets))


def _meant(word: str, known: tuple[str, ...]) -> str:
    """Return the hint that names what was probably meant, whatever its case."""
    names = {name.lower(): name for name in known}
    found = closest(word.lower(), tuple(names))
    return MEANT.format(names[found]) if found else ""

"""Sections of the spec: a record, whose fields are the keys, and how a mapping becomes one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from gen_workflow.errors import Heading
from gen_workflow.spec.forms import Form, Schema, entries, unseen
from gen_workflow.spec.hints import MEANT, NOT_YET, Keys, later_key, listed, unknown_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_workflow.spec.document import Reading, Value

T = TypeVar("T")


class Key(NamedTuple):
    """All that is declared of a key, beside its name and its default, which are the field's.

    `default` says what happens without the key where the default of the field does not. `missing`
    is the hint when the key is not there; without it the key may be left out.
    """

    says: str
    form: Form[Any]
    example: str
    since: str
    default: str = ""
    missing: str = ""

    @property
    def sentence(self) -> str:
        """What the key says, with the limits of its form; without the period."""
        return ", ".join(part for part in (self.says, self.form.limits) if part)


class Later(NamedTuple):
    """Keys that are planned; they say what some keys of today say, which then are not missing."""

    words: str
    instead: str = ""


class Fields(NamedTuple):
    """The keys of a section that are there, and what was read of them; None was a problem."""

    where: Value
    values: dict[str, Value]
    read: dict[str, Any]


class Section(Form[T]):
    """A mapping with known keys. `rule` checks what no key can check by itself."""

    def __init__(
        self,
        record: type[T],
        *later: Later,
        rule: Callable[[Fields, Reading], None] | None = None,
    ) -> None:
        self.record = record
        self.keys = {name.replace("_", "-"): key for name, key in _declared(record)}
        self._later = later
        self._rule = rule

    @property
    def names(self) -> Keys:
        """The names of the keys, and of those that are planned."""
        return Keys(tuple(self.keys), tuple(" ".join(one.words for one in self._later).split()))

    def default(self, name: str) -> Any:
        """Return the value of a key that is not there; None when it has to be there."""
        return self.record._field_defaults.get(name.replace("-", "_"))  # type: ignore[attr-defined]

    def read(self, value: Value, reading: Reading) -> T | None:
        if value.kind != "a mapping":
            hint = f"write a mapping with {listed(self.names.known)}"
            if value.kind == "text" and (key := re.match(r"([a-z-]+):(?!//)\S", value.text)):
                hint = f"there is no blank behind `{key[1]}:`, so YAML takes it for a text"
            reading.problem(
                value, f"should be a mapping, but is {value.kind}", hint, Heading.WRONG_KIND
            )
            return None
        return self.of(value, self._known(value, reading), reading)

    def of(self, where: Value, values: dict[str, Value], reading: Reading) -> T | None:
        """Return the record that values by key make; None when it would lack one."""
        read = {name: self.keys[name].form.read(item, reading) for name, item in values.items()}
        self._note_missing(where, values, reading)
        if self._rule:
            self._rule(Fields(where, values, read), reading)
        there = {name: item for name, item in read.items() if item is not None}
        if any(key.missing and name not in there for name, key in self.keys.items()):
            return None
        return self.record(**{name.replace("-", "_"): item for name, item in there.items()})

    def _known(self, value: Value, reading: Reading) -> dict[str, Value]:
        """Return the values of the known keys, in the order in which they are declared."""
        path, names = value.path, self.names
        found = {}
        for key, item in entries(value, reading):
            if key.kind != "text":
                hint = f"use one of {listed(names.known)}"
                reading.problem(
                    key, f"is {key.kind}, and no key has such a name", hint, Heading.UNKNOWN_KEY
                )
            elif key.text in names.known:
                found[key.text] = item
            elif key.text in names.later:
                reading.problem(
                    key, NOT_YET, later_key(key.text, path, reading.keys), Heading.LATER
                )
            elif not key.text.startswith("x-"):
                self._note_unknown(key, path, reading)
        return {name: found[name] for name in names.known if name in found}

    def _note_unknown(self, key: Value, path: str, reading: Reading) -> None:
        if character := unseen(key.text):
            what = f"holds the character {character}, which cannot be seen"
            reading.problem(key, what, "remove it, or write a blank", Heading.UNKNOWN_KEY)
        else:
            hint = unknown_key(key.text, path, reading.keys)
            reading.problem(key, "is not a key of the spec", hint, Heading.UNKNOWN_KEY)

    def _note_missing(self, where: Value, values: dict[str, Value], reading: Reading) -> None:
        for name, key in self.keys.items():
            if key.missing and name not in values and not self._meant(name, where, reading):
                reading.problem(where, f"`{name}` is missing", key.missing, Heading.MISSING_KEY)

    def _meant(self, name: str, where: Value, reading: Reading) -> bool:
        """Tell whether another key is there that is planned for this, or is a misspelling of it."""
        if where.kind != "a mapping":
            return False
        words = [key.text for key, _ in where.pairs()]
        instead = [one.words.split() for one in self._later if name in one.instead.split()]
        unknown = [word for word in words if word not in (*self.names.known, *self.names.later)]
        if any(word.startswith(f"{name}:") for word in words):
            return True  # its `:` has no blank behind it
        return any(word in planned for planned in instead for word in words) or any(
            unknown_key(word, where.path, reading.keys) == MEANT.format(name) for word in unknown
        )

    def schema(self) -> Schema:
        required = [name for name, key in self.keys.items() if key.missing]
        return {
            "type": "object",
            "properties": {name: _described(key) for name, key in self.keys.items()},
            "patternProperties": {"^x-": {}},
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }


class ShortOr(Form[T]):
    """A section with a short form: a text in place of the mapping."""

    def __init__(self, short: Form[T], what: str, example: str, section: Section[T]) -> None:
        self.section = section
        self._short = short
        self._what = what
        self._example = example

    def read(self, value: Value, reading: Reading) -> T | None:
        if value.kind == "a mapping":
            return self.section.read(value, reading)
        if value.kind == "text":
            return self._short.read(value, reading)
        what = f"should be {self._what} or a mapping, but is {value.kind}"
        reading.problem(value, what, f"write for example {self._example}", Heading.WRONG_KIND)
        return None

    def schema(self) -> Schema:
        return {"anyOf": [self._short.schema(), self.section.schema()]}


def sections(root: Section[Any], path: str = "") -> Iterator[tuple[str, Section[Any]]]:
    """Return a section and those below it, each with its path."""
    yield path, root
    for name, key in root.keys.items():
        below = getattr(key.form, "section", key.form)
        if isinstance(below, Section):
            yield from sections(below, f"{path}/{name}" if path else name)


def _declared(record: type) -> Iterator[tuple[str, Key]]:
    for name, annotation in record.__annotations__.items():
        yield name, next(mark for mark in annotation.__metadata__ if isinstance(mark, Key))


def _described(key: Key) -> Schema:
    return {"description": f"{key.sentence}.", **key.form.schema()}

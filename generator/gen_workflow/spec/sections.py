"""Sections of the spec: a record, whose fields are the keys, and how a mapping becomes one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.forms import Form, Schema, entries, unseen
from gen_workflow.spec.hints import MEANT, NOT_YET, Keys, listed, unknown_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_workflow.spec.document import Reading, Value

T = TypeVar("T")


class Key(NamedTuple):
    """All that is declared of a key, beside its name and its default, which are the field's.

    `default` says what happens without the key where the default of the field does not. `missing`
    is the hint when the key is not there; without it the key may be left out, as it may when one of
    the keys in `unless` is there.
    """

    says: str
    form: Form[Any]
    example: str
    since: str
    default: str = ""
    missing: str = ""
    unless: str = ""

    def may_be(self, name: str) -> tuple[str, ...]:
        """Return the names of keys of which one has to be there, for a key of a name."""
        return (name, *self.unless.split())

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

    @property
    def has_others(self) -> bool:
        """Whether a key is there that is none of the section, which is a problem of its own."""
        pairs = self.where.pairs() if self.where.kind == "a mapping" else []
        return any(not (key.text in self.values or _is_a_note(key)) for key, _ in pairs)


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
        self.planned = later
        self._rule = rule

    @property
    def names(self) -> Keys:
        """The names of the keys, and of those that are planned."""
        return Keys(tuple(self.keys), tuple(" ".join(one.words for one in self.planned).split()))

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
        return self.of(value, self.known(value, reading), reading)

    def of(self, where: Value, values: dict[str, Value], reading: Reading) -> T | None:
        """Return the record that values by key make; None when it would lack one."""
        read = {name: self.keys[name].form.read(item, reading) for name, item in values.items()}
        self._note_missing(where, values, reading)
        if self._rule:
            self._rule(Fields(where, values, read), reading)
        there = {name: item for name, item in read.items() if item is not None}
        if self.lacking({*there}, reading):
            return None
        return self.record(**{name.replace("-", "_"): item for name, item in there.items()})

    def known(self, value: Value, reading: Reading) -> dict[str, Value]:
        """Return the values of the known keys, in the order in which they are declared."""
        names = self.names
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
                reading.problem(key, NOT_YET, "remove it", Heading.LATER)
            elif not key.text.startswith("x-"):
                self._note_unknown(key, reading.section_of(value), reading)
        return {name: found[name] for name in names.known if name in found}

    def _note_unknown(self, key: Value, path: str, reading: Reading) -> None:
        if character := unseen(key.text):
            what = f"holds the character {character}, which cannot be seen"
            reading.problem(key, what, "remove it, or write a blank", Heading.UNKNOWN_KEY)
        else:
            hint = unknown_key(key.text, path, reading.keys)
            reading.problem(key, f"is not a key of {reading.kind}", hint, Heading.UNKNOWN_KEY)

    def _note_missing(self, where: Value, values: dict[str, Value], reading: Reading) -> None:
        for name in self.lacking({*values}, reading):
            key = self.keys[name]
            if not any(self.meant(each, where, reading) for each in key.may_be(name)):
                reading.problem(where, f"`{name}` is missing", key.missing, Heading.MISSING_KEY)

    def lacking(self, there: set[str], reading: Reading) -> list[str]:  # noqa: ARG002 - for one
        """Return the keys that have to be there and are not, by the names of those that are."""
        keys = self.keys.items()
        return [name for name, key in keys if key.missing and not {*key.may_be(name)} & there]

    def meant(self, name: str, where: Value, reading: Reading) -> bool:
        """Tell whether another key is there that is planned for this, or is a misspelling of it."""
        if where.kind != "a mapping":
            return False
        words = [key.text for key, _ in where.pairs()]
        instead = [one.words.split() for one in self.planned if name in one.instead.split()]
        unknown = [word for word in words if word not in (*self.names.known, *self.names.later)]
        if any(word.startswith(f"{name}:") for word in words):
            return True  # its `:` has no blank behind it
        return any(word in planned for planned in instead for word in words) or any(
            unknown_key(word, reading.section_of(where), reading.keys) == MEANT.format(name)
            for word in unknown
        )

    def schema(self) -> Schema:
        required = [name for name, key in self.keys.items() if key.missing and not key.unless]
        either = [
            {"anyOf": [{"required": [each]} for each in key.may_be(name)]}
            for name, key in self.keys.items()
            if key.unless
        ]
        return {
            "type": "object",
            "properties": {name: _described(key) for name, key in self.keys.items()},
            "patternProperties": {"^x-": {}},
            "additionalProperties": False,
            **({"required": required} if required else {}),
            **({"allOf": either} if either else {}),
        }


class Either(Section[Any]):
    """A mapping that is one of several sections, told apart by the first key of each.

    `together` says why keys of two of them cannot be in one mapping.
    """

    def __init__(self, *parts: Section[Any], together: str) -> None:
        self.keys = {name: key for part in parts for name, key in part.keys.items()}
        self.planned = tuple(later for part in parts for later in part.planned)
        self._parts = parts
        self._together = together

    def default(self, name: str) -> Any:
        return next(part.default(name) for part in self._parts if name in part.keys)

    def of(self, where: Value, values: dict[str, Value], reading: Reading) -> Any:
        part = self._part(values, where, reading)
        places = {**reading.shared_keys, **{key.text: key for key, _ in where.pairs()}}
        for name, item in values.items():
            if name not in part.keys:
                head = part.names.known[0]
                what = f"cannot be beside `{head}`: {self._together}"
                hint = f"remove it, or remove `{head}`"
                reading.problem(places.get(name, item), what, hint, Heading.TOGETHER)
        return part.of(where, {name: values[name] for name in values if name in part.keys}, reading)

    def _part(self, known: dict[str, Value], where: Value, reading: Reading) -> Section[Any]:
        """Return the section that a mapping is: by its first key, a misspelling of it, or any."""
        for part in self._parts:
            if part.names.known[0] in known:
                return part
        meant = [part for part in self._parts if part.meant(part.names.known[0], where, reading)]
        some = [part for part in self._parts if any(name in known for name in part.keys)]
        return [*meant, *some, *self._parts][0]

    def schema(self) -> Schema:
        return {"anyOf": [part.schema() for part in self._parts]}


class ShortOr(Form[T]):
    """A section with a short form: a text, or with `lists` also a list, in place of the mapping."""

    def __init__(
        self,
        short: Form[T],
        what: str,
        example: str,
        section: Section[T],
        *,
        lists: bool = False,
    ) -> None:
        self.section = section
        self._kinds = ("text", "a list") if lists else ("text",)
        self._short = short
        self._what = what
        self._example = example

    def read(self, value: Value, reading: Reading) -> T | None:
        if value.kind == "a mapping":
            return self.section.read(value, reading)
        if value.kind in self._kinds:
            return self._short.read(value, reading)
        what = f"should be {self._what} or a mapping, but is {value.kind}"
        reading.problem(value, what, f"write for example {self._example}", Heading.WRONG_KIND)
        return None

    def schema(self) -> Schema:
        return {"anyOf": [self._short.schema(), self.section.schema()]}


class Named(Form[tuple[T, ...]]):
    """A mapping of names to values of one form; a record gets its name as `key`.

    `rule` notes a problem for records that do not fit each other.
    """

    def __init__(
        self,
        name: Form[str],
        item: Form[T],
        example: str,
        rule: Callable[[tuple[T, ...], Value, Reading], None] | None = None,
    ) -> None:
        self.section = getattr(item, "section", item)
        self._rule = rule
        self._name = name
        self._item = item
        self._example = example

    def read(self, value: Value, reading: Reading) -> tuple[T, ...] | None:
        is_mapping = value.kind == "a mapping"
        if not is_mapping or all(_is_a_note(key) for key, _ in value.pairs()):
            what = "is empty" if is_mapping else f"should be a mapping, but is {value.kind}"
            reading.problem(value, what, f"write for example {self._example}", Heading.WRONG_KIND)
            return None
        found = []
        for key, item in entries(value, reading):
            if _is_a_note(key):
                continue
            name, one = self._name.read(key, reading), self._item.read(item, reading)
            if name is not None and one is not None:
                found.append(one._replace(key=name))  # type: ignore[attr-defined]
        if self._rule:
            self._rule(tuple(found), value, reading)
        return tuple(found)

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": self._name.schema(),
            "additionalProperties": self._item.schema(),
            "minProperties": 1,
        }


def _is_a_note(key: Value) -> bool:
    return key.kind == "text" and key.text.startswith("x-")


def sections(root: Section[Any], path: str = "") -> Iterator[tuple[str, Section[Any]]]:
    """Return a section and those below it, each with its path."""
    yield path, root
    for name, key in root.keys.items():
        below = getattr(key.form, "section", key.form)
        inside = f"{path}/{name}" if path else name
        if isinstance(below, Section):
            is_named = isinstance(getattr(key.form, "form", key.form), Named)
            yield from sections(below, f"{inside}/NAME" if is_named else inside)


def _declared(record: type) -> Iterator[tuple[str, Key]]:
    for name, annotation in record.__annotations__.items():
        for mark in getattr(annotation, "__metadata__", ()):
            if isinstance(mark, Key):
                yield name, mark


def _described(key: Key) -> Schema:
    return {"description": f"{key.sentence}.", **key.form.schema()}

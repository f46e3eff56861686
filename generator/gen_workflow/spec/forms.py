"""The forms that a value of the spec can have; each reads a value and describes itself to JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gen_workflow.errors import Heading

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.spec.document import Reading, Value

T = TypeVar("T")
# In brackets, YAML takes `A:1` for a key without a value.
_GLUED = re.compile(r"([A-Za-z_][\w-]*):(?!//)(\S.*)")
SCALARS = ("text", "a number", "true or false", "a date")
Schema = dict[str, Any]


class Form(Generic[T]):
    """What a value may be; `limits` says in words what the docs should add."""

    limits = ""

    def read(self, value: Value, reading: Reading) -> T | None:
        """Return what a value says; None, and a problem, when it is something else."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """Return the JSON Schema of such a value."""
        raise NotImplementedError


class Elsewhere(Form[T]):
    """A form that another module declares, which is loaded when a spec has such a value.

    Loading all sections takes as long as everything else that `generate` does for a small spec.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name
        self._form: Form[T] | None = None

    @property
    def form(self) -> Form[T]:
        """The form itself."""
        if self._form is None:
            from importlib import import_module  # noqa: PLC0415 - for this alone

            form: Form[T] = getattr(import_module(self._module), self._name)
            self._form = form
        return self._form

    @property
    def section(self) -> Any:
        """The section that the form reads, if it reads one."""
        form = self.form
        return getattr(form, "section", form)

    def read(self, value: Value, reading: Reading) -> T | None:
        return self.form.read(value, reading)

    def schema(self) -> Schema:
        return self.form.schema()


class Text(Form[str]):
    """A text of one pattern.

    `explain` may say more than "is not …" about a wrong text; it returns whether it did.
    """

    def __init__(
        self,
        what: str,
        pattern: str,
        example: str,
        explain: Callable[[Value, str, Reading], bool] | None = None,
    ) -> None:
        self._what = what
        self.pattern = pattern  # compiled where it is used: few of them are, in one run
        self._example = example
        self._explain = explain

    def read(self, value: Value, reading: Reading) -> str | None:
        found = text(value, reading, self._example, self.pattern)
        if found is None or re.fullmatch(self.pattern, found):
            return found
        if not (self._explain and self._explain(value, found, reading)):
            reading.problem(
                value,
                f"{found!r} is not {self._what}",
                f"write for example {self._example}",
                Heading.WRONG_VALUE,
            )
        return None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": anchored(self.pattern)}


class Checked(Form[T]):
    """A value that a function reads, because its problems need words of their own."""

    def __init__(self, read: Callable[[Value, Reading], T | None], schema: Schema) -> None:
        self._read = read
        self._schema = schema

    def read(self, value: Value, reading: Reading) -> T | None:
        return self._read(value, reading)

    def schema(self) -> Schema:
        return self._schema


class Listed(Form[tuple[T, ...]]):
    """A list of values, each once; with `alone` a single value needs no list.

    `taken` returns what a value takes. Of those that take the same, only one can be there, or, with
    `collide`, only one of two that collide. `empty` is the hint for a list without values, where it
    is a problem.
    """

    def __init__(
        self,
        item: Form[T],
        example: str = "",
        *,
        alone: bool = False,
        empty: str = "",
        taken: Callable[[T], object] = repr,
        collide: Callable[[T, T], bool] = lambda _one, _other: True,
    ) -> None:
        self.section = getattr(item, "section", None)
        self._item = item
        self._example = example
        self._alone = alone
        self._empty = empty
        self._taken = taken
        self._collide = collide

    def read(self, value: Value, reading: Reading) -> tuple[T, ...] | None:
        if value.kind == "a list":
            if self._empty and not value.items():
                reading.problem(value, "is empty", self._empty, Heading.WRONG_KIND)
            return self._each(value.items(), reading)
        if self._alone:
            return self._each([value], reading)
        what = f"should be a list, but is {value.kind}"
        reading.problem(value, what, f"write for example {self._example}", Heading.WRONG_KIND)
        return None

    def _each(self, values: list[Value], reading: Reading) -> tuple[T, ...]:
        found: list[T] = []
        seen: dict[object, list[T]] = {}
        for value in values:
            one = self._item.read(value, reading)
            if one is None:
                continue
            others = seen.setdefault(self._taken(one), [])
            other = next((other for other in others if self._collide(one, other)), None)
            if other is None:
                found.append(one)
                others.append(one)
            else:
                what = "appears twice" if other == one else f"collides with {other!r}"
                reading.problem(value, f"{one!r} {what}", "keep one of them", Heading.TWICE)
        return tuple(found)

    def schema(self) -> Schema:
        item = self._item.schema()
        many = {"type": "array", "items": item, "uniqueItems": True}
        some = many | {"minItems": 1} if self._empty else many
        return {"anyOf": [item, some]} if self._alone else some


class WholeNumber(Form[str]):
    """A whole number, which is kept as it was written."""

    def __init__(self, what: str, least: int, most: int, example: int) -> None:
        self._what = what
        self._least = least
        self._most = most
        self._example = example
        self.limits = f"from {least} to {most}"

    def read(self, value: Value, reading: Reading) -> str | None:
        found = value.text if value.kind in SCALARS else value.kind
        if re.fullmatch(r"[0-9]{1,9}", found) and self._least <= int(found) <= self._most:
            return found
        hint = f"write a whole number {self.limits}, such as {self._example}"
        reading.problem(value, f"{found!r} is not {self._what}", hint, Heading.WRONG_VALUE)
        return None

    def schema(self) -> Schema:
        number = {"type": "integer", "minimum": self._least, "maximum": self._most}
        return {"anyOf": [number, {"type": "string", "pattern": "^[0-9]{1,9}$"}]}


def text(value: Value, reading: Reading, example: str, pattern: str = "") -> str | None:
    """Return a text that is not empty and holds no expression; None when it is something else.

    The hint to quote a number is given only when the quoted text would fit `pattern`.
    """
    hint = f"write for example {example}"
    if value.kind != "text":
        if value.kind in SCALARS and (not pattern or re.fullmatch(pattern, value.text)):
            hint = f'quote it: "{value.text}"'
        reading.problem(value, f"should be text, but is {value.kind}", hint, Heading.WRONG_KIND)
    elif not value.text.strip():
        reading.problem(value, "is empty", hint, Heading.WRONG_KIND)
    elif "${{" in value.text:
        reading.problem(
            value,
            "an expression is not allowed here",
            "write the value itself",
            Heading.NOT_ALLOWED,
        )
    else:
        return value.text
    return None


def unseen(found: str) -> str:
    """Return the first character of a text that no editor shows, as U+00A0; empty without one."""
    return next((f"U+{ord(one):04X}" for one in found if not one.isprintable()), "")


def entries(value: Value, reading: Reading) -> list[tuple[Value, Value]]:
    """Return the entries of a mapping with keys that are text, each once."""
    first: dict[str, Value] = {}
    kept = []
    for key, item in value.pairs():
        if key.node.tag == "tag:yaml.org,2002:merge":
            what, hint = "merge keys are not part of YAML 1.2", "name the keys one by one"
            reading.problem(key, what, hint, Heading.UNKNOWN_KEY)
        elif key.kind not in SCALARS:
            what = f"has {key.kind} as a key on line {key.mark.line}"
            hint = "a key is a word; quote it where YAML takes it for something else"
            reading.problem(value, what, hint, Heading.UNKNOWN_KEY)
        elif item.kind == "nothing" and not key.node.style and (glued := _GLUED.match(key.text)):
            what = f"`{glued[1]}` has no blank behind its `:`"
            hint = f"write `{glued[1]}: {glued[2]}`"
            reading.problem(key, what, hint, Heading.UNKNOWN_KEY)
        elif key.text in first:
            what = f"appears twice, first on line {first[key.text].mark.line}"
            reading.problem(key, what, "keep one of them", Heading.TWICE)
        else:
            first[key.text] = key
            kept.append((key, item))
    return kept


def anchored(pattern: str) -> str:
    """Return a pattern as JSON Schema wants it: for the whole text, without names of groups."""
    return f"^(?:{re.sub(r'[(][?]P<[a-z]+>', '(', pattern)})$"


def part_of_a_whole(schema: Schema) -> Schema:
    """Return the schema of a mapping that is merged with another one, so that it needs nothing.

    What is in a list is never merged.
    """
    kept = {
        key: one for key, one in schema.items() if key not in _OF_A_WHOLE or isinstance(one, dict)
    }
    return {key: one if key == "items" else _merged(one) for key, one in kept.items()}


# A key of a spec may have such a name too; then its schema is a mapping.
_OF_A_WHOLE = ("required", "allOf")


def _merged(value: Any) -> Any:
    if isinstance(value, list):
        return [_merged(one) for one in value]
    return part_of_a_whole(value) if isinstance(value, dict) else value

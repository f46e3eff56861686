"""Lists whose items are lines of an input of an action: rules, patterns, pairs of names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.expressions import value_or_expression
from gen_workflow.spec.forms import Form, Schema, anchored, entries
from gen_workflow.spec.variables import Variable

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.spec.document import Reading, Value


def _lines(value: Value, reading: Reading) -> list[tuple[Value, str]] | None:
    """Return each line with its place; None when there is a problem, which is noted."""
    items = value.items() if value.kind == "a list" else [value]
    texts = [(item, value_or_expression(item, reading)) for item in items]
    found = [(item, text) for item, text in texts if text is not None]
    if len(found) < len(texts):
        return None
    if value.kind == "a list":
        return found
    lines = [line.strip() for _, text in found for line in text.split("\n")]
    return [(value, line) for line in lines if line and not line.startswith("#")]


class Lines(Form[tuple[str, ...]]):
    """A list of lines of one pattern; a single one needs no list, and a text may hold several.

    Lines that are empty or begin with `#` are left out of such a text. `explain` may say more than
    "is not …" about a wrong line; it returns whether it did.
    """

    def __init__(
        self,
        what: str,
        pattern: str,
        hint: str,
        explain: Callable[[Value, str, Reading], bool] | None = None,
    ) -> None:
        self._what = what
        self._pattern = pattern
        self._hint = hint
        self._explain = explain

    def read(self, value: Value, reading: Reading) -> tuple[str, ...] | None:
        found: list[str] = []
        lines = _lines(value, reading)
        for place, line in lines or ():
            self._check(place, line, reading, found)
        if lines == []:
            reading.problem(value, "is empty", self._hint, Heading.WRONG_KIND)
        return tuple(found) or None

    def _check(self, item: Value, line: str, reading: Reading, found: list[str]) -> None:
        fits = line.isprintable() and line == line.strip() and not line.startswith("#")
        if fits and ("${{" in line or re.fullmatch(self._pattern, line)):
            if line in found:
                reading.problem(item, f"{line!r} appears twice", "keep one of them", Heading.TWICE)
            found.append(line)
        elif not (fits and self._explain and self._explain(item, line, reading)):
            what = f"{line!r} is not {self._what}"
            reading.problem(item, what, self._hint, Heading.WRONG_VALUE)

    def schema(self) -> Schema:
        item = {"type": ["string", "number", "boolean"]}
        return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


class Pairs(Form[tuple[Variable, ...]]):
    """A mapping of names of one pattern to values; `check` tells whether a value may be there."""

    def __init__(
        self,
        what: str,
        pattern: str,
        example: str,
        check: Callable[[Value, str, Reading], bool],
    ) -> None:
        self._what = what
        self._pattern = pattern
        self._example = example
        self._check = check

    def read(self, value: Value, reading: Reading) -> tuple[Variable, ...] | None:
        if value.kind != "a mapping":
            what, hint = f"should be a mapping, but is {value.kind}", f"write {self._example}"
            reading.problem(value, what, hint, Heading.WRONG_KIND)
            return None
        found = []
        for key, item in entries(value, reading):
            if not re.fullmatch(self._pattern, key.text):
                what, hint = f"{key.text!r} is not {self._what}", f"write {self._example}"
                reading.problem(key, what, hint, Heading.WRONG_VALUE)
            text = value_or_expression(item, reading)
            if text is not None and self._check(item, text, reading):
                found.append(Variable(key.text, text))
        return tuple(found)

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": {"pattern": anchored(self._pattern)},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        }

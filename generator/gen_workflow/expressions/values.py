"""The values of expressions: what counts as true, what is equal, and what is not known.

A value is None, a bool, a float, a string, a list, a mapping, or Unknown. The rules are those of
GitHub's page "Evaluate expressions in workflows and actions", and where that is silent those of
npm's @actions/expressions, which a conformance test compares with.
"""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gen_workflow.named_tuple import NamedTuple

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?Infinity", re.IGNORECASE)
_OF_A_BASE = re.compile(r"0x[0-9a-f]+|0o[0-7]+", re.IGNORECASE)
# From here on a number is written with an exponent, as in JavaScript.
_LONGEST = 1e21


class Unknown(NamedTuple):
    """A value that only a run has. `of` names what it comes from, as an expression writes it.

    `truth` is whether it counts as true, where that is known although the value is not.
    """

    of: tuple[str, ...]
    truth: bool | None = None

    @classmethod
    def of_all(cls, found: "Iterable[Unknown]", *, truth: bool | None = None) -> "Unknown":
        """Return what depends on all that some values depend on, each named once."""
        return cls(tuple(dict.fromkeys(name for one in found for name in one.of)), truth)


class Open(dict[str, Any]):
    """A mapping of which not all is known: a key that it does not have is Unknown, and not null."""

    def __init__(self, name: str, known: Mapping[str, Any] | None = None) -> None:
        super().__init__(known or {})
        self.name = name


def item(value: Any, key: str) -> Any:
    """Return the value that a mapping has for a key; GitHub compares keys without case."""
    for name, found in value.items():
        if name.lower() == key.lower():
            return found
    return Unknown((f"{value.name}.{key}",)) if isinstance(value, Open) else None


def unknowns(*values: Any) -> Iterator[Unknown]:
    """Yield what is not known in some values, however deep."""
    for value in values:
        if isinstance(value, Unknown):
            yield value
        elif isinstance(value, Mapping):
            if isinstance(value, Open):
                yield Unknown((value.name,))
            yield from unknowns(*value.values())
        elif isinstance(value, list):
            yield from unknowns(*value)


def truth(value: Any) -> bool | None:
    """Return whether a value counts as true; None when that is not known."""
    if isinstance(value, Unknown):
        return value.truth
    if isinstance(value, (list, Mapping)):
        return True
    return bool(value) and value == value  # noqa: PLR0124 - NaN is false


def number(value: Any) -> float:
    """Return the number that a value counts as; NaN when it is none."""
    if value is None:
        return 0
    if isinstance(value, (bool, int, float)):
        return _float(value)
    if not isinstance(value, str):
        return math.nan
    text = value.strip()
    if _OF_A_BASE.fullmatch(text):
        return _float(int(text, 0))
    if text.lower().endswith("infinity") and not text.endswith("Infinity"):
        return math.nan
    return float(text) if _NUMBER.fullmatch(text) else math.nan if text else 0


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # of a whole number, which Python keeps as it is
        return math.inf


def text(value: Any) -> str:
    """Return the text that a value counts as."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return _digits(value)
    if isinstance(value, str):
        return value
    return "Array" if isinstance(value, list) else "Object"


def _digits(value: float) -> str:
    value = _float(value)
    if not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if value == int(value) and abs(value) < _LONGEST:
        return str(int(value))
    rounded = float(f"{value:.15f}")
    return re.sub(r"e([+-])0*(\d)", r"e\1\2", repr(rounded or 0))


def folded(value: str) -> str:
    """Return a text as it is compared: without case."""
    return value.upper()


def equal(left: Any, right: Any) -> bool:
    """Tell whether two values are equal, for which values of different kinds become numbers."""
    left, right = _of_one_kind(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return folded(left) == folded(right)
    if isinstance(left, (list, Mapping)) or isinstance(right, (list, Mapping)):
        return left is right
    return bool(left == right)


def less(left: Any, right: Any) -> bool:
    """Tell whether a value is less than another one."""
    left, right = _of_one_kind(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return folded(left) < folded(right)
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left < right
    return False


def _of_one_kind(left: Any, right: Any) -> tuple[Any, Any]:
    kinds = {_kind(left), _kind(right)}
    if len(kinds) == 1 or "object" in kinds:
        return left, right
    return number(left), number(right)


def _kind(value: Any) -> str:
    if isinstance(value, (list, Mapping)):
        return "object"
    if isinstance(value, bool) or value is None:
        return repr(type(value))
    return "number" if isinstance(value, (int, float)) else "text"

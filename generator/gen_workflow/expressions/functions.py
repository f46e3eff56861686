"""The functions of expressions that need nothing but their arguments."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from gen_workflow.expressions.reader import ExpressionError
from gen_workflow.expressions.values import equal, folded, text

_FIELD = re.compile(r"\{\{|\}\}|\{(\d+)[^}]*\}|[{}]")


def contains(whole: Any, part: Any) -> bool:
    """Tell whether a list has an item, or a text a part."""
    if isinstance(whole, list):
        return any(equal(part, each) for each in whole)
    return _is_simple(whole) and _is_simple(part) and text(part).lower() in text(whole).lower()


def starts_with(whole: Any, part: Any) -> bool:
    """Tell whether a text begins with another."""
    return _is_simple(whole) and _is_simple(part) and _upper(whole).startswith(_upper(part))


def ends_with(whole: Any, part: Any) -> bool:
    """Tell whether a text ends with another."""
    return _is_simple(whole) and _is_simple(part) and _upper(whole).endswith(_upper(part))


def formatted(template: Any, *values: Any) -> str:
    """Return a text with `{0}` and the like replaced by values."""

    def replaced(field: re.Match[str]) -> str:
        if field[0] in ("{{", "}}"):
            return field[0][0]
        if field[1] is None or int(field[1]) >= len(values):
            raise ExpressionError(f"format: {field[0]!r} stands for no value")
        return text(values[int(field[1])])

    return _FIELD.sub(replaced, text(template))


def joined(items: Any, separator: Any = ",") -> str:
    """Return the items of a list as one text."""
    if not isinstance(items, list):
        return text(items) if _is_simple(items) else ""
    return (text(separator) if _is_simple(separator) else ",").join(map(text, items))


def to_json(value: Any) -> str:
    """Return a value as JSON, as GitHub writes it."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=False)


def from_json(value: Any) -> Any:
    """Return the value that a text of JSON stands for."""
    try:
        return json.loads(text(value), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"fromJSON: this is not JSON: {error}") from None


def _no_constant(name: str) -> Any:
    """Refuse what Python's reader takes for a number, and JSON does not have."""
    raise ValueError(name)


def choice(*arguments: Any) -> Any:
    """Return the value behind the first condition that is true, or the last argument."""
    if len(arguments) % 2 == 0:
        raise ExpressionError("case: the value for all other cases is missing")
    for condition, value in zip(arguments[:-1:2], arguments[1::2], strict=True):
        if not isinstance(condition, bool):
            raise ExpressionError("case: a condition is neither true nor false")
        if condition:
            return value
    return arguments[-1]


def _is_simple(value: Any) -> bool:
    return not isinstance(value, (list, Mapping))


def _upper(value: Any) -> str:
    return folded(text(value))


def _plain(value: Any) -> Any:
    """Return a value with numbers as JSON has them."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, float):
        return None if not math.isfinite(value) else int(value) if value == int(value) else value
    return value


# By name in lower case: the function, and how many arguments it takes.
FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "case": (choice, 3, 255),
    "contains": (contains, 2, 2),
    "startswith": (starts_with, 2, 2),
    "endswith": (ends_with, 2, 2),
    "format": (formatted, 1, 255),
    "join": (joined, 1, 2),
    "tojson": (to_json, 1, 1),
    "fromjson": (from_json, 1, 1),
}

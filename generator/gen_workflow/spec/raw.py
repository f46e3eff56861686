"""Values in GitHub's own syntax: any YAML, as plain data, with what GitHub would refuse in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import Heading
from gen_workflow.spec.expressions import EXPRESSION
from gen_workflow.spec.forms import SCALARS, entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.document import Reading, Value

# Patterns are compiled where they are used: few of them are, in one run.
_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})"
_SECRETS = r"(?i)(?<![\w.'-])secrets\b(?!\.[A-Za-z_])"
_SECRET = r"(?i)(?<![\w.'-])secrets\.([A-Za-z_][A-Za-z0-9_]*)"  # noqa: S105 - a pattern


def data(value: Value, reading: Reading) -> Any:
    """Return a value as plain data; a scalar that GitHub could read otherwise stays a text.

    So `3.10` and `010` stay as they were written.
    """
    if value.kind == "a mapping":
        return {key.text: data(item, reading) for key, item in entries(value, reading)}
    if value.kind == "a list":
        return [data(item, reading) for item in value.items()]
    if value.kind in (*SCALARS, "nothing"):
        _note_wrong_expressions(value, reading)
        return _scalar(value)
    reading.problem(value, f"is {value.kind}", "remove the tag", Heading.WRONG_KIND)
    return None


def _scalar(value: Value) -> str | int | bool | None:
    if value.kind == "true or false":
        return value.text.lower() == "true"
    if value.kind == "nothing":
        return None
    is_number = value.kind == "a number" and re.fullmatch(_NUMBER, value.text)
    return int(value.text) if is_number else value.text


def _note_wrong_expressions(value: Value, reading: Reading) -> None:
    inside = EXPRESSION.findall(value.text)
    if "\0" in value.text:
        what = "holds the character U+0000, which GitHub does not take"
        reading.problem(value, what, "remove it", Heading.WRONG_VALUE)
    elif value.text.count("${{") != len(inside):
        what, hint = "has a `${{` without its `}}`", "close the expression with `}}`"
        reading.problem(value, what, hint, Heading.NOT_ALLOWED)
    elif any(re.search(_SECRETS, one) for one in inside):
        what = "takes all secrets at once, or one whose name is computed"
        hint = "name each secret: ${{ secrets.NAME }}"
        reading.problem(value, what, hint, Heading.SECRET)


def secrets_in(content: Any) -> tuple[str, ...]:
    """Return the names of the secrets that the expressions in plain data take, each once."""
    inside = (one for text in texts(content) for one in EXPRESSION.findall(text))
    return tuple(dict.fromkeys(name for one in inside for name in re.findall(_SECRET, one)))


def texts(content: Any) -> Iterator[str]:
    """Yield each text in plain data."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, (dict, list)):
        for item in content.values() if isinstance(content, dict) else content:
            yield from texts(item)

"""The lists of docker/build-push-action: one record a line, or a quoted one of several lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# It takes 0.2 ms to compile, and most steps have no list.
_RECORD = r'[^\S\n]*"(?P<quoted>(?:[^"]|"")*)"[^\S\n]*(?:\n|\Z)|(?P<plain>[^\n]*)(?:\n|\Z)'
QUOTES = (
    "close it at the end of the last line of the value, with nothing behind it, and write a quote "
    "inside of the value twice"
)


class Record(NamedTuple):
    """A record and the line on which it begins. One whose quote is not closed is the last."""

    number: int
    text: str
    is_closed: bool = True


def records(text: str) -> Iterator[Record]:
    """Yield the records that hold something.

    A record in double quotes may have several lines, and `""` is a quote in it. As in
    docker/build-push-action, a quote that does not begin a line is a character as any other.
    """
    number = 1
    for match in re.finditer(_RECORD, text) if text else ():
        plain = match["plain"]
        if plain is None:
            yield Record(number, match["quoted"].replace('""', '"'))
        elif plain.lstrip().startswith('"'):
            yield Record(number, "", is_closed=False)
            return
        elif plain.strip():
            yield Record(number, plain.strip())
        number += match[0].count("\n")


def line_numbers(numbers: list[int]) -> str:
    """Return `line 3`, `lines 3 and 4` or `lines 3, 4 and 9`."""
    *most, last = map(str, numbers)
    return f"lines {', '.join(most)} and {last}" if most else f"line {last}"

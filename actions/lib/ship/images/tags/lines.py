"""The lines of an input and the fields of a line, as comma-separated values."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """A line of an input that says something, with its number from 1."""

    number: int
    text: str


def lines(text: str) -> list[Line]:
    """Return the lines of an input without the empty ones and the comments."""
    stripped = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [Line(*each) for each in stripped if each[1].strip('"') and not each[1].startswith("#")]


def unquoted(text: str) -> str:
    """Return a line of labels: the quotes around a field are not part of it."""
    return ",".join(fields(text))


def fields(text: str) -> list[str]:
    """Return the fields of a line; one in double quotes may hold commas, `""` in it is a quote."""
    if len(whole := _split(text)) == 1 and text.startswith('"') and "=" in whole[0]:
        # The quotes are around the whole line, and not around one of its values.
        return _split(whole[0])
    return whole


def _split(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at <= len(text):
        field, at = _quoted(text, at) if text[at : at + 1] == '"' else _plain(text, at)
        found.append(field)
    return found


def _plain(text: str, at: int) -> tuple[str, int]:
    end = text.find(",", at)
    end = len(text) if end < 0 else end
    return text[at:end], end + 1


def _quoted(text: str, at: int) -> tuple[str, int]:
    """Read a field from its opening quote on.

    One whose quote has no end, or has one before the field ends, is taken as it is written.
    """
    closing = at + 1
    while (closing := text.find('"', closing)) >= 0:
        after = text[closing + 1 : closing + 2]
        if after != '"':
            inside = text[at + 1 : closing].replace('""', '"')
            if after in ("", ","):
                return inside, closing + 2
            rest, end = _plain(text, closing + 1)
            return f'"{inside}"{rest}', end
        closing += 2
    return _plain(text, at)

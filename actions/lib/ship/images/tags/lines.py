"""Splits an input into lines, and a line into fields, as comma-separated values."""

from __future__ import annotations

from ship.runner.named_tuple import NamedTuple


class Line(NamedTuple):
    """A line of an input that is not empty and not a comment, with its number from 1."""

    number: int
    text: str


def lines(text: str) -> list[Line]:
    """Return the lines of an input without the empty ones and the comments."""
    stripped = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [Line(*each) for each in stripped if each[1].strip('"') and not each[1].startswith("#")]


def unquoted(text: str) -> str:
    """Return a line of labels without the quotes around its fields."""
    return ",".join(fields(text))


def fields(text: str) -> list[str]:
    """Return the fields of a line. In double quotes, a comma is text and `""` is a quote."""
    if len(whole := _split(text)) == 1 and text.startswith('"') and "=" in whole[0]:
        # The quotes are around the whole line, and not around one of its values only.
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
    """Read a field that begins with a quote.

    When the quote is not closed, or is closed before the end of the field, the field stays as it
    is written.
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

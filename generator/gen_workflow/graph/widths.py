"""How wide texts are: in the cells of a terminal, and in a font without serifs."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# The advances of DejaVu Sans in hundredths of the font size. It is wider than the other fonts that
# a browser takes for `sans-serif`, so a text that fits in it fits in those as well.
_ADVANCES = {
    28: "ijl",
    30: "IJ",
    32: " .,",
    34: ":;/\\|",
    36: "-",
    40: "ft()[]!'",
    42: "r",
    46: '"',
    50: "_`",
    53: "sz",
    55: "c?*",
    58: "kF",
    60: "vxyL",
    62: "aoeTYP",
    64: "bdghnpqu0123456789SE{}$",
    70: "ABCKXZVR",
    78: "DGHNUOQ&",
    82: "w",
    84: "+=<>^~#",
    88: "M",
    96: "%",
    98: "m",
    100: "W@",
}
_ADVANCE = {character: width for width, those in _ADVANCES.items() for character in those}
_WIDE = ("W", "F")
_NO_WIDTH = ("Mn", "Me", "Cf")
# Emoji are wider than they are high in some fonts.
_ELSE, _EMOJI = 100, 140


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    return sum(map(_cell, text))


def _cell(character: str) -> int:
    if unicodedata.category(character) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def pixels(text: str, size: float) -> float:
    """Return how wide a text is at most, in a font of a size."""
    return sum(map(_advance, text)) * size / 100


def _advance(character: str) -> int:
    if unicodedata.category(character) in _NO_WIDTH:
        return 0
    emoji = ord(character) > 0x1F000  # noqa: PLR2004 - where emoji begin
    return _ADVANCE.get(character, _EMOJI if emoji else _ELSE)


def wrapped(text: str, most: float, width: Callable[[str], float]) -> list[str]:
    """Return a text in lines of at most a width; only what is too long for one is broken."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width(joined) <= most:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        *whole, lines[-1] = _broken(word, most, width)
        lines[-1:-1] = whole
    return lines


def _broken(word: str, most: float, width: Callable[[str], float]) -> list[str]:
    """Return a word in pieces that fit, broken behind `-`, `/`, `_` or `.` where one is near."""
    pieces = []
    while width(word) > most:
        fits = max((n for n in range(1, len(word)) if width(word[:n]) <= most), default=1)
        signs = (at + 1 for at in range(fits // 2, fits) if word[at] in "-/_.")
        cut = max(signs, default=fits)
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word]


def fair(wanted: Sequence[float], room: float) -> float:
    """Return the most that each may have of some room, when those that want less leave it."""
    left = len(wanted)
    for one in sorted(wanted):
        if one * left > room:
            return room / left
        room, left = room - one, left - 1
    return max(wanted, default=0)

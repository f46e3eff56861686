"""Texts of a regular expression, drawn by chance: short and long ones, with odd characters."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

# Python's own reader of patterns.
_parser: Any = import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
# What may be where a pattern takes almost any character.
_ODD = "aZ09 -_.,:;/\\é中ß\u00a0\u2028\t\n\"'#*&%$`{}[]()|<>!?@^~=+\x7f\U0001f600"
_LONGEST = 300
_AT_ITS_LONGEST = 0.01
_TIMES = 60


def text_of(pattern: str, chance: Random) -> str | None:
    """Return a text that a pattern takes as a whole; None when chance finds none."""
    tree = _parser.parse(pattern)
    for _ in range(_TIMES):
        text = "".join(_some(each, chance) for each in tree)
        if re.fullmatch(pattern, text):
            return text
    return None


def _some(part: tuple[Any, Any], chance: Random) -> str:
    """Return a text of a part of a pattern; what only looks around is for the whole to decide."""
    kind, about = str(part[0]), part[1]
    several: dict[str, Callable[[], Any]] = {
        "BRANCH": lambda: chance.choice(about[1]),
        "SUBPATTERN": lambda: about[-1],
        "MAX_REPEAT": lambda: _repeated(about, chance),
    }
    if kind in several:
        return "".join(_some(each, chance) for each in several[kind]())
    if kind in ("ANY", "NOT_LITERAL"):
        return chance.choice(_ODD.replace(chr(about) if about else "\n", ""))
    if kind == "LITERAL":
        return chr(about)
    return _one_of(about, chance) if kind == "IN" else ""


def _repeated(about: tuple[Any, Any, Any], chance: Random) -> list[Any]:
    """Return what is in a repetition as often as chance wants it, mostly a few times."""
    most = min(int(about[1]), _LONGEST)
    few = min(most, int(about[0]) + chance.choice((0, 1, 2, 3, 8)))
    return [*about[2]] * (most if chance.random() < _AT_ITS_LONGEST else few)


def _one_of(parts: list[tuple[Any, Any]], chance: Random) -> str:
    """Return a character of a class."""
    if str(parts[0][0]) == "NEGATE":
        return chance.choice([each for each in _ODD if not any(_has(part, each) for part in parts)])
    kind, about = chance.choice(parts)
    if str(kind) == "CATEGORY":
        return chance.choice([each for each in _ODD if _has((kind, about), each)])
    return chr(chance.randint(*about) if str(kind) == "RANGE" else about)


def _has(part: tuple[Any, Any], character: str) -> bool:
    kind, about = str(part[0]), part[1]
    if kind == "RANGE":
        return bool(about[0] <= ord(character) <= about[1])
    if kind == "CATEGORY":
        letter = {"SPACE": "s", "DIGIT": "d", "WORD": "w"}[str(about).rpartition("_")[2]]
        named = letter.upper() if "_NOT_" in str(about) else letter
        return bool(re.match(f"\\{named}", character))
    return kind == "LITERAL" and chr(about) == character

"""Splits words and replaces variables of a Dockerfile."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BLANKS = re.compile(r"[\t\v\f\r ]+")
_SPECIAL = "\"'\\`{}$"
_QUOTED = re.compile(r"\"([^\"'\\`]*)\"|'([^\"'\\`$]*)'")
_VARIABLE = re.compile(
    r"\$(?:([a-z_]\w*)|\{([a-z_]\w*)(?:(:?[-+])([^${}]*))?\})", re.ASCII | re.IGNORECASE
)


def split(text: str, escape: str, *, heredocs: bool = False) -> list[str] | None:
    """Return words with their quotes and escapes, or None when a quote is not closed.

    With `heredocs`, blanks after `<<` do not end a word.
    """
    mark = re.escape(escape)
    angles = r"<<[\t\r ]*|" if heredocs else ""
    part = rf"{angles}{mark}.|\"(?:[^\"{mark}]|{mark}.)*\"|'[^']*'|[^\s\"'{mark}]"
    words = re.compile(rf"\s*(?:((?:{part})+)|$)")
    found: list[str] = []
    at = 0
    while at < len(text):
        match = words.match(text, at)
        if not match:
            return None
        found += [match[1]] if match[1] else []
        at = match.end()
    return found


def json_words(text: str) -> list[str] | None:
    """Return the words of a JSON list of texts, or None when the text is not such a list."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if all(isinstance(each, str) for each in found) else None


def expand(text: str, values: Mapping[str, str | None]) -> str:
    """Return a word without the quotes around it, and with its variables replaced.

    A value of None is unknown. Raises ValueError when an unknown value is needed, and for every
    form other than `$NAME`, `${NAME}` and `${NAME:-word}` with `:-`, `-`, `:+` or `+`.
    """
    quoted = _QUOTED.fullmatch(text)
    made = (quoted[1] or quoted[2] or "") if quoted else text
    if not made.isascii() or any(char in made for char in "\"'\\`"):
        raise ValueError("quotes and escapes are not supported here")
    # From the inside out. No value contains a `$`, so the loop ends.
    while "$" in made:
        before = made
        made = _VARIABLE.sub(partial(_value, values), made)
        if made == before:
            raise ValueError("only $NAME and ${NAME:-default} are supported")
    return made


def _value(values: Mapping[str, str | None], match: re.Match[str]) -> str:
    name = match[1] or match[2]
    mark, word = match[3] or "", match[4] or ""
    value = values.get(name)
    if name in values and value is None:
        raise ValueError(f"the value of {name} is not known before the build")
    if any(char in _SPECIAL for char in value or ""):
        raise ValueError(f"the value of {name} contains a quote, a brace, a `$` or an escape")
    counts = bool(value) if mark.startswith(":") else value is not None
    if mark.endswith("+"):
        return word if counts else ""
    return value or "" if counts or not mark else word

"""Translates regular expressions of JavaScript, which rules use, into those of Python."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from ship.images.tags.rules import RuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DELIMITED = re.compile(r"/(.+)/(.*)", re.DOTALL)
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "u": 0, "d": 0, "g": 0, "y": 0}
# An escape that both languages know; a control character; an escape that means something else in
# Python.
_ESCAPE = (
    r"\\(?:[dDwWsSbBnrtfv\W]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})"
    r"|\\c(?P<control>[A-Za-z])|\\(?P<plain>.)"
)
_IN_SET = re.compile(rf"{_ESCAPE}|(?P<sign>[\[&|~])", re.ASCII | re.DOTALL)
_COUNT = r"\{[0-9]+(?:,[0-9]*)?\}"
_OUTSIDE = re.compile(
    rf"\\k<(?P<named>[A-Za-z_]\w*)>|\\(?P<number>[1-9][0-9]*)|{_ESCAPE}"
    r"|\[(?P<set>\^?(?:\\.|[^\]\\])*)\]"
    r"|\(\?<(?P<group>[A-Za-z_]\w*)>"
    # Groups and quantifiers that only Python has, and not every Python that we support.
    rf"|(?P<foreign>\(\?(?!<?[=!]|[ims]*(?:-[ims]+)?:)|(?:[*+?]|{_COUNT})\+)"
    rf"|(?P<brace>(?!{_COUNT})\{{)",
    re.ASCII | re.DOTALL,
)


def groups(pattern: str, text: str) -> tuple[str | None, ...] | None:
    """Return what a pattern (or `/pattern/flags`) matches: the whole match, then its groups.

    With the flag `g` it returns all matches. It returns None without a match. Raises RuleError.
    """
    regex, flags = read(pattern)
    find = regex.match if "y" in flags else regex.search
    if "g" in flags:
        return tuple(_each(find, text)) or None
    found = find(text)
    return (found[0], *found.groups()) if found else None


def read(pattern: str) -> tuple[re.Pattern[str], str]:
    """Return the expression of a pattern (or `/pattern/flags`), and its flags."""
    delimited = _DELIMITED.fullmatch(pattern)
    flags = delimited[2] if delimited else ""
    return compiled(delimited[1] if delimited else pattern, flags), flags


def _each(find: Callable[[str, int], re.Match[str] | None], text: str) -> Iterator[str]:
    at = 0
    while at <= len(text) and (found := find(text, at)):
        yield found[0]
        # After an empty match Python's own finditer would look at the same place again.
        at = found.end() + (not found[0])


def compiled(pattern: str, flags: str = "") -> re.Pattern[str]:
    """Return a regular expression of JavaScript as one of Python. Raises RuleError."""
    number = re.ASCII
    for flag in flags:
        if flag not in _FLAGS:
            raise RuleError(f"{flag!r} is not a flag", f"the flags are {', '.join(_FLAGS)}")
        number |= _FLAGS[flag]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about syntax that a later Python may read differently
            return re.compile(_OUTSIDE.sub(_python, pattern), number)
    except (re.error, OverflowError, RecursionError) as error:
        what = f"{pattern!r} is not a regular expression that is supported here: {error}"
        raise RuleError(what) from None


def _python(piece: re.Match[str]) -> str:
    if reference := piece["named"] or piece["number"]:
        # A reference to a group that matched nothing: empty in JavaScript, a mismatch in Python.
        again = f"(?P={reference})" if piece["named"] else f"\\{reference}"
        return f"(?({reference}){again}|)"
    if piece["set"] is not None:
        return _set(piece["set"])
    if piece["foreign"]:
        raise re.error(f"{piece['foreign']!r} has no meaning")
    if piece["group"]:
        return f"(?P<{piece['group']}>"
    return r"\{" if piece["brace"] else _escape(piece)


def _set(inside: str) -> str:
    if inside in ("", "^"):
        return r"[\s\S]" if inside else "(?!)"
    return f"[{_IN_SET.sub(_in_set, inside)}]"


def _in_set(piece: re.Match[str]) -> str:
    return f"\\{piece['sign']}" if piece["sign"] else _escape(piece)


def _escape(piece: re.Match[str]) -> str:
    if piece["control"]:
        return re.escape(chr(ord(piece["control"]) % 32))
    if piece["plain"] in ("p", "P"):
        raise re.error("classes of Unicode are not supported")
    if piece["plain"]:
        return r"\x00" if piece["plain"] == "0" else re.escape(piece["plain"])
    return piece[0]

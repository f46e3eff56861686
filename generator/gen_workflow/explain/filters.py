"""The patterns of `branches`, `tags` and `paths`, as GitHub matches them.

Source: "Filter pattern cheat sheet" of GitHub's page "Workflow syntax".
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What a pattern is made of. `**/` also stands for no folder at all.
_PIECE = re.compile(
    r"(?P<folders>(?:(?<=/)|^)\*\*/)|(?P<all>\*\*+)|(?P<some>\*)|(?P<repeated>(?<!^)[?+])"
    r"|(?P<set>\[[^\]]+\])|(?P<plain>\\?.)",
    re.DOTALL,
)
_REGEX = {"folders": "(?:.*/)?", "all": "(?:.*)", "some": "(?:[^/]*)"}
_SPECIAL = re.compile(r"[*?+\[]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def matches(patterns: Iterable[str], name: str) -> bool:
    """Tell whether a filter takes a name: the last pattern that matches it decides."""
    taken = False
    for pattern in patterns:
        negative = pattern.startswith("!")
        if _regex(pattern[1:] if negative else pattern).fullmatch(name):
            taken = not negative
    return taken


def only_name(pattern: str) -> str:
    """Return the one name that a pattern matches; empty when it may match more."""
    if pattern.startswith("!") or _SPECIAL.search(_ESCAPED.sub("", pattern)):
        return ""
    return _ESCAPED.sub(r"\1", pattern)


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(map(_as_regex, _PIECE.finditer(pattern))), re.DOTALL)


def _as_regex(piece: re.Match[str]) -> str:
    kind = piece.lastgroup or ""
    if kind == "repeated":
        return piece[0]
    if kind == "set":
        inside = piece[0][1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[{inside}]" if not inside.startswith("^") else f"[\\{inside}]"
    return _REGEX.get(kind) or f"(?:{re.escape(piece[0][-1])})"

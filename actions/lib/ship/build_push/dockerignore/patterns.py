"""Matches paths against the patterns of .dockerignore."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# With one of these, the engine uses a regular expression. Without, it compares texts.
_WILD = re.compile(r"[*?\[\]\\]")
_TOKEN = re.compile(
    r"(?P<deep>\*\*/?)|(?P<star>\*)|(?P<one>\?)"
    r"|\[(?P<set>\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9_.!])+)\]"
    r"|\\(?P<escaped>[ -/:-@\[-`{-~])|(?P<plain>[^*?\[\]\\|^{]|\{(?![0-9]))"
)
_RANGE = re.compile("(.)-(.)")
_ODD = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff\udc80-\udcff]")
_ANYTHING = "(?s:.*)"


class BadPatternError(ValueError):
    """A pattern that Docker does not accept, or that is not supported here."""


class _Run(NamedTuple):
    """Successive patterns, either all exceptions or none, as one regular expression."""

    exception: bool
    regex: re.Pattern[str]


class Patterns:
    """Patterns in the order in which they are written. Raises BadPatternError.

    The state of a folder says which runs of patterns it matched. Everything in the folder matches
    these runs too.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._parsed = [_parse(raw) for raw in patterns if raw.strip()]
        self._runs = tuple(_runs(self._parsed))
        self.top = (False,) * len(self._runs)

    def step(self, path: str, above: Sequence[bool]) -> tuple[bool, tuple[bool, ...]]:
        """Return whether a path is matched, and its state. `above` is the state of its folder.

        As in BuildKit, a pattern that could change nothing is not compared. Its state then stays
        open for the paths inside.
        """
        matched = False
        state = []
        for run, inherited in zip(self._runs, above):  # noqa: B905 - `strict` costs a fifth here
            hit = inherited or (run.exception is matched and run.regex.fullmatch(path) is not None)
            if hit:
                matched = not run.exception
            state.append(hit)
        return matched, tuple(state)

    def reach(self, folder: str, *, exceptions: bool) -> bool:
        """Return whether a pattern may match something inside a folder by itself.

        The answer "yes" may be wrong. The answer "no" is always right.
        """
        return any(
            _may_be_inside(pattern, folder)
            for exception, pattern in self._parsed
            if exception is exceptions
        )


def fault(pattern: str) -> str:
    """Return what is wrong with a pattern, or an empty text."""
    try:
        _regex(_parse(pattern)[1])
    except BadPatternError as reason:
        return str(reason)
    return ""


def clean(path: str) -> str:
    """Return the shortest form of a path, as Go's filepath.Clean does."""
    rooted = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", ".") and not (part == ".." and rooted):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


def _parse(text: str) -> tuple[bool, str]:
    """Return whether a pattern is an exception, and the pattern without its `!`."""
    pattern = clean(text.strip())
    exception = pattern.startswith("!")
    pattern = pattern[1:] if exception else pattern
    if not pattern:
        raise BadPatternError("there is nothing after the `!`")
    return exception, pattern


def _runs(parsed: Iterable[tuple[bool, str]]) -> Iterator[_Run]:
    gathered: list[str] = []
    kind = False
    for exception, pattern in parsed:
        if gathered and exception is not kind:
            yield _Run(kind, _one(gathered))
            gathered = []
        kind = exception
        gathered.append(_regex(pattern))
    if gathered:
        yield _Run(kind, _one(gathered))


def _one(expressions: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in expressions))


def _regex(pattern: str) -> str:
    """Return a pattern as a regular expression for a whole path. Raises BadPatternError."""
    if _ODD.search(pattern):
        raise BadPatternError("it has a control character, or is not UTF-8")
    if not _WILD.search(pattern):
        return re.escape(pattern)
    if pattern.startswith("**") and not _WILD.search(pattern[2:]):
        # The engine compares the end, so that `**b` matches `ab`.
        ends = _ANYTHING + re.escape(pattern[2:])
        return f"{ends}|{re.escape(pattern[3:])}" if pattern[2:3] == "/" else ends
    if pattern.endswith("**") and not _WILD.search(pattern[:-2]):
        return re.escape(pattern[:-2]) + _ANYTHING
    made, at = "", 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if not token:
            raise BadPatternError(f"the meaning of {pattern[at:]!r} is not known here")
        at = token.end()
        made += _part(token, is_last=at == len(pattern))
    return made


def _part(token: re.Match[str], *, is_last: bool) -> str:
    if token["deep"]:
        return ".*" if is_last else "(?:.*/)?"
    if token["star"] or token["one"]:
        return "[^/]*" if token["star"] else "[^/]"
    if token["set"]:
        # Unlike `*` and `?`, a set may match a slash.
        for low, high in _RANGE.findall(token["set"]):
            if low > high:
                raise BadPatternError(f"the range {low}-{high} is empty")
        return f"[{token['set']}]"
    return re.escape(token["escaped"] or token["plain"])


def _may_be_inside(pattern: str, folder: str) -> bool:
    parts = pattern.split("/")
    depth = folder.count("/") + 1
    # A set may match a slash, so a pattern with a set has no fixed depth.
    if "**" not in pattern and "[" not in pattern and len(parts) <= depth:
        return False
    fixed = 0
    while fixed < len(parts) and not _WILD.search(parts[fixed]):
        fixed += 1
    given = folder.split("/")
    return all(one == other for one, other in zip(parts[:fixed], given))  # noqa: B905 - up to the shorter one

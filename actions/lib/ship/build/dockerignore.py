r"""Which files of a build context Docker sends: the rules of .dockerignore, to the letter.

The rule is that of the engine, quirks included: the file is read as github.com/moby/patternmatcher
reads it (package `ignorefile`), a pattern means what its PatternMatcher makes of it, and a folder
is walked as github.com/tonistiigi/fsutil does for BuildKit. In short, of
https://docs.docker.com/build/concepts/context/#dockerignore-files:

- `*` and `?` stop at a slash, `**` does not, `[a-z]` and `[^a-z]` are one character, `\` takes the
  next one as it is; all patterns start at the root of the context.
- A pattern that matches a folder matches all below it. The last pattern that matches wins, and one
  with a `!` in front takes back what was ignored.
- `<Dockerfile>.dockerignore` beside the Dockerfile wins over `.dockerignore` in the root.

The Dockerfile and the .dockerignore reach the engine even when they are ignored, but by a way of
their own: ignored, they are no part of what COPY sees. So they are treated as any other file here.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from ship.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAME = ".dockerignore"
_MOST_LINKS = 40
# What Go calls a space; Python's own set has four control characters more.
_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_AROUND = re.compile(f"^[{_SPACES}]+|[{_SPACES}]+$")
# Go reads a byte that is not UTF-8 as U+FFFD; in our texts it is a lone surrogate.
_NOT_UTF8 = "\ufffd\udc80-\udcff"
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SETS = {"d": "0-9", "w": "0-9A-Za-z_", "s": "\\t\\n\\f\\r ", "D": "\\D", "W": "\\W", "S": "\\S"}
_ASSERTIONS = {"A": r"\A", "z": r"\Z", "b": r"\b", "B": r"\B"}
_NAMED_SETS = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\\x00-\\x7f", "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f", "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~",
    "punct": "!-/:-@\\[-`{-~", "space": "\\t-\\r ", "upper": "A-Z", "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_REPEAT = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}")
_MOST_REPEATS = 1000
_WILDCARD = re.compile(r"\(\.\*/\)\?|\.\*|\*")
_ANYTHING = "(?s:.*)"
_NOTHING = "(?!)"
_NAMED_SET = re.compile(r"\[:(\^?)([a-z]+):\]")


class BadPatternError(ValueError):
    """A pattern that Docker does not take."""


class Found(NamedTuple):
    """What a walk came by: its path in the context, with slashes, and its entry in the folder.

    A byte of a name that is not UTF-8 is a lone surrogate, as `os.fsdecode` would have it.
    """

    path: str
    entry: os.DirEntry[bytes]


class _Run(NamedTuple):
    """Patterns that follow each other and are all exceptions, or all none, as one expression."""

    exception: bool
    regex: re.Pattern[str]


class Patterns:
    """Patterns in the order in which they are written. Raises BadPatternError.

    The state of a folder says which runs of patterns it matched; what is in it matches these too.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._parsed = [_parse(clean) for raw in patterns if (clean := _strip(raw))]
        self._runs = tuple(_runs(self._parsed))
        self.top = (False,) * len(self._runs)

    def __bool__(self) -> bool:
        return bool(self._runs)

    def step(self, path: str, above: Sequence[bool]) -> tuple[bool, tuple[bool, ...]]:
        """Return whether a path is matched, and its state; `above` is the state of its folder.

        As in BuildKit a pattern is not even asked when it could change nothing, and then its state
        stays open for what is inside.
        """
        matched = False
        state = []
        for run, inherited in zip(self._runs, above):  # noqa: B905 - `strict` costs a fifth here
            hit = inherited or (run.exception is matched and run.regex.fullmatch(path) is not None)
            if hit:
                matched = not run.exception
            state.append(hit)
        return matched, tuple(state)

    def matches(self, path: str) -> bool:
        """Say whether a path is matched, by what a walk down to it would find."""
        matched, state = False, self.top
        for end in [*(i for i, char in enumerate(path) if char == "/"), len(path)]:
            matched, state = self.step(path[:end], state)
        return matched

    def reach(self, folder: str, *, exceptions: bool) -> bool:
        """Say whether a pattern may match something inside a folder by itself.

        It may say yes where there is nothing; a no is certain.
        """
        return any(
            _may_be_inside(pattern, folder)
            for exception, pattern in self._parsed
            if exception is exceptions
        )


def read(text: str) -> tuple[str, ...]:
    """Return the patterns in the text of a .dockerignore file."""
    found = []
    for number, line in enumerate(text.split("\n")):
        # Only a `#` in the very first column starts a comment.
        raw = (line.removeprefix("\ufeff") if number == 0 else line).removesuffix("\r")
        pattern = "" if raw.startswith("#") else _strip(raw)
        if not pattern:
            continue
        exception = pattern.startswith("!")
        pattern = _strip(pattern[1:]) if exception else pattern
        pattern = _clean(pattern) if pattern else ""
        pattern = pattern[1:] if len(pattern) > 1 and pattern.startswith("/") else pattern
        found.append("!" + pattern if exception else pattern)
    return tuple(found)


def load(context: str, dockerfile: str = "") -> Patterns:
    """Return what is ignored in a context, for a Dockerfile that may have a file of its own.

    Raises UserError when a pattern is none, as the build would fail as well.
    """
    # An own file wins even when it is empty.
    for folder, name in _candidates(context, dockerfile):
        text = _text(folder, name)
        if text is not None:
            return _checked(name, read(text))
    return Patterns(())


def _candidates(context: str, dockerfile: str) -> Iterator[tuple[str, str]]:
    if dockerfile:
        folder, name = os.path.split(dockerfile)
        yield folder or ".", name + NAME
    yield context, NAME


def _text(folder: str, name: str) -> str | None:
    path = _resolved(folder, name)
    try:
        # A file only: to open anything else may wait for ever.
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return None


def _resolved(root: str, name: str) -> str:
    """Follow the links of a path as the engine does, for which the folder is the root of all."""
    done: list[str] = []
    todo = [name]
    for _ in range(_MOST_LINKS):
        while todo:
            part = todo.pop()
            path = os.path.join(root, *done, part)
            if part == "..":
                done = done[:-1]
            elif os.path.islink(path):
                break
            elif part not in ("", "."):
                done.append(part)
        else:
            return os.path.join(root, *done)
        target = os.readlink(path)
        done = [] if target.startswith("/") else done
        todo += reversed(target.split("/"))
    return ""


def _checked(name: str, patterns: Sequence[str]) -> Patterns:
    hint = "correct the line; the build fails with it too"
    problems = [
        Problem(name, f"{pattern!r} is not a pattern that Docker takes: {reason}", hint)
        for pattern in patterns
        if (reason := fault(pattern))
    ]
    if problems:
        raise UserError(*problems)
    return Patterns(patterns)


def fault(pattern: str) -> str:
    """Return what is wrong with a pattern, or nothing."""
    try:
        _parse(pattern)
    except BadPatternError as reason:
        return str(reason)
    return ""


def walk(root: str, ignored: Patterns, closed: list[OSError] | None = None) -> Iterator[Found]:
    """Yield what is not ignored in a folder, each after the folder that holds it.

    A folder is walked only if it is not ignored, or if an exception may match something inside; it
    is then yielded itself when something in it is. Links are not followed. What goes away meanwhile
    is left out. A folder that cannot be read raises OSError, or goes to `closed` if that is given.
    """
    # Bytes, because the locale of the machine must not decide how a name is read.
    stack = [(os.fsencode(root), "", ignored.top)]
    waiting: dict[str, Found] = {}
    while stack:
        folder, prefix, above = stack.pop()
        for entry in _entries(folder, closed):
            found = Found(prefix + entry.name.decode("utf-8", "surrogateescape"), entry)
            is_ignored, state = ignored.step(found.path, above)
            is_folder = entry.is_dir(follow_symlinks=False)
            if not is_ignored:
                yield from _with_folders(found, waiting)
            elif is_folder and ignored.reach(found.path, exceptions=True):
                waiting[found.path] = found
            else:
                continue
            if is_folder:
                stack.append((entry.path, found.path + "/", state))


def pick(root: str, wanted: Patterns, closed: list[OSError] | None = None) -> Iterator[Found]:
    """Yield what the patterns match in a folder: the other way round than `walk`."""
    stack = [(os.fsencode(root), "", wanted.top)]
    while stack:
        folder, prefix, above = stack.pop()
        for entry in _entries(folder, closed):
            found = Found(prefix + entry.name.decode("utf-8", "surrogateescape"), entry)
            matched, state = wanted.step(found.path, above)
            if matched:
                yield found
            if entry.is_dir(follow_symlinks=False) and (
                matched or any(state) or wanted.reach(found.path, exceptions=False)
            ):
                stack.append((entry.path, found.path + "/", state))


def _entries(folder: bytes, closed: list[OSError] | None) -> list[os.DirEntry[bytes]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        if closed is None:
            raise
        closed.append(error)
        return []


def _with_folders(found: Found, waiting: dict[str, Found]) -> Iterator[Found]:
    """Yield the ignored folders above, once, and then what was found in them."""
    parts = found.path.split("/")
    if waiting:
        for depth in range(1, len(parts)):
            folder = waiting.pop("/".join(parts[:depth]), None)
            if folder:
                yield folder
    yield found


def _strip(text: str) -> str:
    return _AROUND.sub("", text)


def _clean(path: str) -> str:
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
    """Return whether a pattern is an exception, and the rest of it."""
    pattern = _clean(text)
    exception = pattern.startswith("!")
    pattern = pattern[1:] if exception else pattern
    if not pattern:
        raise BadPatternError("there is nothing after the `!`")
    _check(pattern)
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
    return re.compile("|".join(f"(?:{each})" for each in expressions), re.ASCII)


def _may_be_inside(pattern: str, folder: str) -> bool:
    parts = pattern.split("/")
    special = [any(char in part for char in r"*?[\^") for part in parts]
    depth = folder.count("/") + 1
    # A bracket may match a slash, so its pattern has no depth.
    if "**" not in pattern and "[" not in pattern and "\\" not in pattern and len(parts) <= depth:
        return False
    fixed = parts[: special.index(True)] if True in special else parts
    given = folder.split("/")
    return all(one == other for one, other in zip(fixed, given))  # noqa: B905 - the shorter one


def _check(pattern: str) -> None:
    """Raise BadPatternError where the engine does: when Go's filepath.Match(pattern, ".") fails.

    That one looks no further than it has to, so much of what is wrong in a pattern goes unseen.
    """
    name: str | None = "."
    while pattern and name is not None:
        star, chunk, pattern = _chunk(pattern)
        if star and not chunk:
            return
        rest = _match_chunk(chunk, name)
        if rest and not pattern:
            rest = None
        if rest is None and star and name:
            rest = _match_chunk(chunk, "")
        name = rest


def _chunk(pattern: str) -> tuple[bool, str, str]:
    """Return whether a pattern starts with stars, what is up to the next one, and the rest."""
    text = pattern.lstrip("*")
    inside, at = False, 0
    while at < len(text) and (inside or text[at] != "*"):
        inside = text[at] == "[" or (inside and text[at] != "]")
        at += 2 if text[at] == "\\" else 1
    return len(text) < len(pattern), text[:at], text[at:]


def _match_chunk(chunk: str, name: str) -> str | None:
    """Return what is left of a name of at most one character, or None if it does not match."""
    rest: str | None = name
    at = 0
    while at < len(chunk):
        char = rest[:1] if rest else ""
        if chunk[at] == "[":
            matches, at = _match_set(chunk, at + 1, char)
        elif chunk[at] == "\\" and at + 1 == len(chunk):
            raise BadPatternError("it ends with a backslash")
        else:
            at += chunk[at] == "\\"
            matches = chunk[at] in ("?", char)
            at += 1
        rest = rest[1:] if rest and matches else None
    return rest


def _match_set(chunk: str, at: int, char: str) -> tuple[bool, int]:
    negated = chunk[at : at + 1] == "^"
    at += negated
    matches = first = False
    while not first or chunk[at : at + 1] != "]":
        first = True
        low, at = _match_member(chunk, at)
        high = low
        if chunk[at] == "-":
            high, at = _match_member(chunk, at + 1)
        matches = matches or low <= char <= high
    return matches is not negated, at + 1


def _match_member(chunk: str, at: int) -> tuple[str, int]:
    escaped = chunk[at : at + 1] == "\\"
    at += escaped
    member = chunk[at : at + 1]
    if not member or (member in "-]" and not escaped) or "\udc80" <= member <= "\udcff":
        raise BadPatternError("its `[` has no `]`, or a range in it is incomplete")
    if at + 1 == len(chunk):
        raise BadPatternError("its `[` has no `]`")
    return member, at + 1


def _regex(pattern: str) -> str:
    """Return a pattern as a Python expression for the whole of a path."""
    kind, expression = _go_regex(pattern)
    if kind == "exact":
        return re.escape(pattern)
    if kind == "prefix":
        return re.escape(pattern[:-2]) + _ANYTHING
    if kind == "suffix" and pattern.startswith("\ufeff"):
        return _NOTHING
    if kind == "suffix":
        ends = _ANYTHING + re.escape(pattern[2:])
        return f"{ends}|{re.escape(pattern[3:])}" if pattern[2:3] == "/" else ends
    try:
        return _python_regex(expression)
    except BadPatternError:
        # The build fails if it comes to ask this pattern. If it never does, nor do we.
        return _NOTHING


def _go_regex(pattern: str) -> tuple[str, str]:
    """Return how the engine matches a pattern, and the expression it makes of it.

    The sets of a pattern are not parsed: a `*` in brackets is replaced like any other.
    """
    kind, made, at = "exact", "", 0
    text = pattern.removeprefix("\ufeff")
    while at < len(text):
        char, start = text[at], at
        at += 1
        if text.startswith("**", start):
            at += 1
            at += text[at : at + 1] == "/"
            if at < len(text):
                made, kind = made + "(.*/)?", "regex"
            elif kind == "exact":
                kind = "prefix"
            else:
                made, kind = made + ".*", "regex"
            kind = "suffix" if start == 0 else kind
        elif char in "*?":
            made, kind = made + ("[^/]*" if char == "*" else "[^/]"), "regex"
        elif char in ".+()$":
            # The engine means to do so with `|`, `{` and `}` too, and does not.
            made += "\\" + char
        elif char == "\\":
            made, kind, at = made + text[start : start + 2], "regex", at + 1
        else:
            made, kind = made + char, "regex" if char in "[]" else kind
    return kind, made


def _python_regex(expression: str) -> str:
    """Return what the engine's expression, in Go's syntax, is in Python's.

    The engine asks for `^expression$` anywhere in a path. So a `|`, which it lets through, leaves
    only the first alternative at the start of the path and only the last one at its end.
    """
    ends = _ANYTHING if _ends_with_backslash(expression) else ""
    parts: list[list[str]] = [["^"]]
    at = 0
    while at < len(expression):
        wildcard = _WILDCARD.match(expression, at)
        repeat = _REPEAT.match(expression, at)
        if expression[at] == "|":
            parts.append([])
            at += 1
        elif expression[at] == "[":
            part, at = _python_set(expression, at + 1)
            parts[-1].append(part)
        elif expression[at] == "\\":
            # A backslash at the very end takes away the meaning of the `$` that follows.
            parts[-1].append(_python_escape(expression[at + 1 : at + 2] or "$"))
            at += 2
        elif repeat:
            parts[-1].append(_repeated(parts[-1], repeat))
            at = repeat.end()
        elif wildcard:
            # A star alone belongs to the set before it.
            parts[-1].append(parts[-1].pop() + "*" if wildcard[0] == "*" else wildcard[0])
            at = wildcard.end()
        else:
            parts[-1].append("^" if expression[at] == "^" else _literal(expression[at]))
            at += 1
    return f"{_ANYTHING}|{_ANYTHING}".join("".join(part) for part in parts) + ends


def _ends_with_backslash(expression: str) -> bool:
    return (len(expression) - len(expression.rstrip("\\"))) % 2 == 1


def _repeated(atoms: list[str], repeat: re.Match[str]) -> str:
    """Take the last of some atoms and return it repeated: Go repeats nothing twice or often."""
    counts = [int(count) for count in repeat.group(1, 3) if count]
    atom = atoms.pop() if atoms else "*"
    is_repeated = atom[-1] in "*?}" and atom[0] != "\\"
    if is_repeated or counts != sorted(counts) or max(counts) > _MOST_REPEATS:
        raise BadPatternError(f"{repeat[0]} cannot stand here")
    return f"(?:{atom}){repeat[0]}"


def _literal(char: str) -> str:
    is_odd = char == "\ufffd" or "\udc80" <= char <= "\udcff"
    return f"[{_NOT_UTF8}]" if is_odd else re.escape(char)


def _python_escape(char: str) -> str:
    if char in _SETS:
        return f"[{_SETS[char]}]"
    return _ASSERTIONS.get(char) or re.escape(_escaped(char))


def _escaped(char: str) -> str:
    """Return the character that a backslash and another one stand for."""
    if char in _CONTROLS:
        return _CONTROLS[char]
    if not char or char.isalnum() or not char.isascii():
        raise BadPatternError(f"a backslash before {char!r} has no meaning")
    return char


def _python_set(expression: str, at: int) -> tuple[str, int]:
    negated = expression[at : at + 1] == "^"
    at += negated
    made, first = "", True
    while first or expression[at : at + 1] != "]":
        first = False
        if at >= len(expression):
            raise BadPatternError("its `[` has no `]`")
        named = _NAMED_SET.match(expression, at)
        if named:
            made += _named_set(named)
            at = named.end()
        elif expression[at] == "\\" and expression[at + 1 : at + 2] in _SETS:
            made += _SETS[expression[at + 1]]
            at += 2
        else:
            part, at = _range(expression, at)
            made += part
    return f"[{'^' if negated else ''}{made}]", at + 1


def _named_set(named: re.Match[str]) -> str:
    members = _NAMED_SETS.get(named[2])
    if members is None or named[1]:
        raise BadPatternError(f"{named[0]} is no set of characters")
    return members


def _range(expression: str, at: int) -> tuple[str, int]:
    low, at = _member(expression, at)
    high = low
    # A `-` before the `]` is only itself.
    if expression[at : at + 1] == "-" and expression[at + 1 : at + 2] not in ("", "]"):
        high, at = _member(expression, at + 1)
    if high < low:
        raise BadPatternError(f"the range {low}-{high} is empty")
    odd = _NOT_UTF8 if low <= "\ufffd" <= high or "\udc80" <= low <= "\udcff" else ""
    return f"\\U{ord(low):08x}-\\U{ord(high):08x}{odd}", at


def _member(expression: str, at: int) -> tuple[str, int]:
    char = expression[at : at + 1]
    if char == "\\":
        return _escaped(expression[at + 1 : at + 2]), at + 2
    if not char:
        raise BadPatternError("its `[` has no `]`")
    return char, at + 1

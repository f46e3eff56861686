"""Reads of POSIX shell text which names its functions assign, keep local and read, and call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTION = re.compile(r"^(\w+)\(\) (.*)$")
# The end of a function that is one line, with what it redirects.
ONE_LINE = re.compile(r"[})](?: 2?>\S+)*(?:\s+#.*)?$")
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
NAME = re.compile(r"[A-Za-z_]\w*")
# What may stand before the first word of a command.
KEYWORDS = {"then", "do", "else", "elif", "if", "while", "until", "!", "{", "in"}
# The patterns of a branch of `case` at the beginning of a line.
PATTERNS = re.compile(r"^ *[^\s()|]+(?: \| [^\s()|]+)*\)(?=\s|$)", re.MULTILINE)
# The name of a program or of a function. In capital letters it ends a here-document.
COMMAND = re.compile(r"[a-z_][a-z0-9_]*")
SEPARATOR = re.compile(r"[;&|()\n]")
EXPANSION = re.compile(r"\$\{?#?([A-Za-z_]\w*)")
DEFAULT = re.compile(r"\$\{([A-Za-z_]\w*):?=")
ARITHMETIC = re.compile(r"\$\(\((.*?)\)\)")
SUBSTITUTION = re.compile(r"\$\([^()]*\)")
# Where text of its own kind begins and ends.
OPENING = {'"': "quotes", "${": "parameter", "$(": "substitution"}
CLOSING = {"quotes": '"', "parameter": "}", "substitution": ")"}
# The pieces of plain text, and those within double quotes or a parameter.
PLAIN = re.compile(
    r"""(?P<hidden>'[^']*'|(?<![^\s;(])\#[^\n]*)|\\.|\$[{(]|[^'"\#$()\\]+|.""", re.DOTALL
)
WITHIN_QUOTES = re.compile(r"""\\.|\$[{(]|[^"$}\\]+|.""", re.DOTALL)
# Stands for text within quotes: no blank, no separator and no part of a name.
QUOTED = "·"


class Function(NamedTuple):
    """One function; the name of what is outside of all functions is empty."""

    name: str
    assigned: frozenset[str]
    local: frozenset[str]
    read: frozenset[str]
    # The first word of each command.
    called: frozenset[str]
    # Each `local NAME=VALUE` whose value is neither quoted nor a plain word.
    unsafe: tuple[str, ...]

    @property
    def leaked(self) -> frozenset[str]:
        """What it assigns for everybody."""
        return self.assigned - self.local


def functions(text: str) -> list[Function]:
    """Return what the functions of a script do, first what is outside of them."""
    return [_function(name, "\n".join(lines)) for name, lines in _split(text).items()]


def _split(text: str) -> dict[str, list[str]]:
    """Return the lines of each function. Each begins and ends at the first column."""
    found: dict[str, list[str]] = {"": []}
    inside = ""
    for line in text.splitlines():
        start = FUNCTION.match(line)
        if start and not inside:
            inside = start[1]
            found[inside] = [start[2]]
            if ONE_LINE.search(start[2]):
                inside = ""
        else:
            found[inside].append(line)
            if line[:1] in ("}", ")"):
                inside = ""
    return found


def _function(name: str, text: str) -> Function:
    commands, expansions = without_quotes(text)
    assigned: set[str] = set(DEFAULT.findall(expansions))
    local: set[str] = set()
    unsafe: list[str] = []
    for words in _commands(commands):
        if words[0] == "local":
            for word in words[1:]:
                match = ASSIGNMENT.match(word)
                local.add(match[1] if match else word)
                if match and "$" in match[2]:
                    unsafe.append(word)
        else:
            assigned.update(_assigned(words))
    counted: set[str] = set()
    for each in ARITHMETIC.findall(SUBSTITUTION.sub("", expansions)):
        counted.update(NAME.findall(each))
    read = {*EXPANSION.findall(expansions), *counted}
    return Function(
        name=name,
        assigned=frozenset(assigned - {"_"}),
        local=frozenset(local),
        read=frozenset(read - {"_"}),
        called=frozenset(_called(commands)) - counted,
        unsafe=tuple(unsafe),
    )


def _called(commands: str) -> Iterator[str]:
    """Yield the names of programs and functions; what a word expands to is not seen."""
    for words in _commands(PATTERNS.sub("", commands.replace("\\\n", "  "))):
        names = [word for word in words if not ASSIGNMENT.match(word)]
        if names and COMMAND.fullmatch(names[0]):
            yield names[0]
        # A function that a trap calls.
        if names[:1] == ["trap"] and COMMAND.fullmatch(names[1]):
            yield names[1]


def _commands(text: str) -> Iterator[list[str]]:
    for piece in SEPARATOR.split(text):
        words = piece.split()
        while words and words[0] in KEYWORDS:
            words = words[1:]
        if words:
            yield words


def _assigned(words: list[str]) -> Iterator[str]:
    """Yield what a simple command assigns; what stands before a command is for that one alone."""
    if all(map(ASSIGNMENT.match, words)):
        yield from (word.partition("=")[0] for word in words)
        return
    while ASSIGNMENT.match(words[0]):
        words = words[1:]
    if words[0] in ("export", "readonly"):
        yield from (match[1] for word in words[1:] if (match := ASSIGNMENT.match(word)))
    elif words[0] == "for":
        yield words[1]
    elif words[0] == "getopts":
        yield words[2]
    elif words[0] == "read":
        for word in words[1:]:
            if "<" in word:
                return
            if not word.startswith("-"):
                yield word


def without_quotes(text: str) -> tuple[str, str]:
    """Return the text in two ways: as commands, without what is quoted, and with expansions.

    In the second one only text in single quotes is covered. Both have blanks for comments.
    """
    commands, expansions = "", ""
    within = ["code"]
    while len(commands) < len(text):
        plain = within[-1] in ("code", "substitution")
        match = (PLAIN if plain else WITHIN_QUOTES).match(text, len(commands))
        assert match
        piece = match[0]
        covered = (" " if piece[0] == "#" else QUOTED) * len(piece)
        if match.lastgroup == "hidden":
            lines = "\n".join(covered[: len(line)] for line in piece.split("\n"))
            commands, expansions = commands + covered, expansions + lines
        else:
            shown = piece if (plain and piece[0] not in '"\\') or piece == "$(" else covered
            commands, expansions = commands + shown, expansions + piece
            _enter_or_leave(within, piece)
    return commands, expansions


def _enter_or_leave(within: list[str], piece: str) -> None:
    if piece == CLOSING.get(within[-1]):
        within.pop()
    elif piece in OPENING:
        within.append(OPENING[piece])
    elif piece == "(" and within[-1] == "substitution":
        # One more to close. Elsewhere a pattern of `case` has a `)` that closes nothing.
        within.append("substitution")

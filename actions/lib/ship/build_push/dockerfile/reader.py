"""Reads the text of a Dockerfile into instructions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.build_push.dockerfile.words import BLANKS, json_words, split
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BOM = "\ufeff"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_DIRECTIVES = ("syntax", "escape", "check")
# A flag without quotes, or with matching quotes and without escapes.
_FLAG = re.compile(r"""--(?:[^\s"'\\`]|"[^"'\\`]*"|'[^"'\\`]*')*(?=\s|$)""")
# The flags of the instructions that can take something from outside. A flag or an instruction that
# is not listed here may do this too.
_FLAGS = {
    "FROM": {"platform"},
    "ADD": {"chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"},
    "COPY": {"chown", "chmod", "link", "exclude", "from", "parents"},
    "RUN": {"mount", "network", "security", "device"},
}
_OTHERS = {
    "ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "SHELL",
    "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}  # fmt: skip
_MAYBE_HEREDOC = re.compile(r"(?:^|\s)\d*<<(?!<)")
_HEREDOC = re.compile(r"\d*<<(-?)\s*([^<]+)")
_END = re.compile(r"""([^\s"'\\$]+)|"([^"\\$]+)"|'([^'\\]+)'""")
# In a line with a variable that BuildKit cannot read, BuildKit finds no heredoc.
_ODD_VARIABLE = re.compile(r"""\$\{(?![A-Za-z_]\w*(?::?[-+?][^\s"'\\{}<$]*)?\})""", re.ASCII)


class Instruction(NamedTuple):
    """An instruction with its flags as written. `rest` is the text after the flags.

    A trigger (ONBUILD) does not run in its own stage. It runs in the stages that start from it.
    """

    line: int
    name: str
    flags: tuple[str, ...]
    rest: str
    is_trigger: bool = False


class File(NamedTuple):
    """A Dockerfile. `syntax` is the image of the frontend, or empty when the file names none."""

    syntax: str
    escape: str
    instructions: list[Instruction]


class BrokenError(ValueError):
    """A Dockerfile that cannot be read, and the line with the reason."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def read(text: str) -> File:
    """Return the instructions and directives of a Dockerfile. Raises BrokenError."""
    lines = [line.rstrip("\r") for line in text.removeprefix(_BOM).split("\n")]
    for number, line in enumerate(lines, 1):
        if _CONTROL.search(line):
            raise BrokenError(number, "there is a control character")
    directives = _directives(lines)
    escape = directives.get("escape", "\\")
    if escape not in ("\\", "`"):
        raise BrokenError(1, "the escape character is neither \\ nor `")
    # BuildKit skips a shebang only when it looks for the frontend.
    found = _directives(lines[1:]) if lines[0].startswith("#!") else directives
    syntax = found.get("syntax", "").split(" ", 1)[0]
    return File(syntax, escape, list(_Reader(lines, escape).read()))


def _directives(lines: Sequence[str]) -> dict[str, str]:
    """Return the parser directives, which come before everything else."""
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _DIRECTIVE.fullmatch(line.strip())
        if not match or match[1].lower() not in _DIRECTIVES:
            break
        if match[1].lower() in found:
            raise BrokenError(number, "there are two parser directives of this name")
        found[match[1].lower()] = match[2]
    return found


class _Reader:
    """Joins the lines of an instruction, and skips the text of heredocs."""

    def __init__(self, lines: Sequence[str], escape: str) -> None:
        self._lines = lines
        self._at = 0
        mark = re.escape(escape)
        self._goes_on = re.compile(rf"(?:(?<=[^{mark}])|^){mark}[ \t]*$")

    def read(self) -> Iterator[Instruction]:
        while self._at < len(self._lines):
            line = self._at + 1
            text = self._joined()
            if text:
                found = _instruction(text, line)
                for end, indented in _heredocs(text, found):
                    self._skip(end, line, indented=indented)
                yield found

    def _joined(self) -> str:
        """Return a line and the lines that continue it, or an empty text for a comment."""
        text = self._lines[self._at].lstrip()
        self._at += 1
        if text.startswith("#"):
            return ""
        text, count = self._goes_on.subn("", text)
        while count and self._at < len(self._lines):
            more = self._lines[self._at]
            self._at += 1
            if more.lstrip().startswith("#") or not more.strip():
                continue
            more, count = self._goes_on.subn("", more)
            text += more
        return text

    def _skip(self, end: str, start: int, *, indented: bool) -> None:
        for at in range(self._at, len(self._lines)):
            line = self._lines[at]
            if (line.lstrip("\t") if indented else line) == end:
                self._at = at + 1
                return
        raise BrokenError(start, f"the heredoc {end!r} has no end")


def _instruction(text: str, line: int) -> Instruction:
    name, *more = BLANKS.split(text.strip(), maxsplit=1)
    name, rest = name.upper(), more[0].strip() if more else ""
    if name == "ONBUILD":
        return _instruction(rest, line)._replace(is_trigger=True)
    if name in _OTHERS:
        return Instruction(line, name, (), rest)
    if name not in _FLAGS:
        raise BrokenError(line, f"{name!r} is not an instruction that is supported here")
    flags: list[str] = []
    while rest.startswith("--"):
        match = _FLAG.match(rest)
        if not match:
            raise BrokenError(line, f"the flags of {name} cannot be read: {rest}")
        flag, rest = re.sub("[\"']", "", match[0]), rest[match.end() :].lstrip()
        if flag == "--":
            break
        if flag[2:].partition("=")[0] not in _FLAGS[name]:
            raise BrokenError(line, f"{flag!r} is not a flag of {name} that is supported here")
        flags.append(flag)
    return Instruction(line, name, tuple(flags), rest)


def _heredocs(text: str, found: Instruction) -> Iterator[tuple[str, bool]]:
    """Yield the words that end the heredocs of a line, and whether tabs before them are removed."""
    if found.name not in ("ADD", "COPY", "RUN") or not _MAYBE_HEREDOC.search(text):
        return
    if json_words(found.rest) is not None:
        return
    if _ODD_VARIABLE.search(text):
        raise BrokenError(found.line, "it is not clear whether a heredoc starts here")
    # A line with an open quote has no heredoc. Here the escape is `\` in every Dockerfile.
    for word in split(text, "\\", heredocs=True) or ():
        match = _HEREDOC.fullmatch(word)
        end = _END.fullmatch(match[2]) if match else None
        if match and not end:
            raise BrokenError(found.line, f"the heredoc {word} is not supported here")
        if match and end:
            yield end[1] or end[2] or end[3], bool(match[1])

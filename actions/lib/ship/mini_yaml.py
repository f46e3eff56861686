"""A strict reader for the part of YAML 1.2 that a nested input needs; JSON is accepted whole.

Read: mappings and sequences in blocks and in brackets, scalars plain, in quotes and as `|` or `>`
blocks, comments. A plain or quoted scalar stays on one line. Whatever is read means what every
reader of YAML 1.2 (https://yaml.org/spec/1.2.2/) takes it for, but for one thing: a scalar is
always the text as written, so `1.10` is not 1.1 and `on` is not true. Only `null`, `~` and nothing
at all are None.

Refused, each with a word on what to write instead: tabs, keys that are there twice, anchors,
aliases, tags, merge keys, complex keys, several documents.
"""

from __future__ import annotations

import re
from typing import Any

_NULL = ("", "~", "null", "Null", "NULL")
_DEEPEST = 64
# An implicit key may have no more, by the rule of YAML.
_LONGEST_KEY = 1024
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_DOCUMENT = re.compile(r"(?:---|\.\.\.)(?:\s|$)|%")
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r",
    "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0",
    "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX = {"x": 2, "u": 4, "U": 8}
_BLOCK_SCALAR = re.compile(r"([|>])([-+]?)(?= *$| +#)")
_REFUSED = {
    "&": "an anchor is not supported: repeat what it would stand for",
    "*": "an alias is not supported: repeat what it would stand for, or put a text in quotes",
    "!": "a tag is not supported: remove it, or put a text in quotes",
    "@": "no text starts with `@`: put it in quotes",
    "`": "no text starts with a backquote: put it in quotes",
    "%": "no text starts with `%`: put it in quotes",
    "|": "a `|` block cannot stand here, or has more than a `-` or `+` after it",
    ">": "a `>` block cannot stand here, or has more than a `-` or `+` after it",
    ",": "there is nothing before the comma",
    "]": "there is a `]` without a `[`",
    "}": "there is a `}` without a `{`",
}
_NO_SPACE = "put a space after the colon, or the text in quotes"
_CONTINUED = "a text stays on one line: put it there, or write it as a `|` or `>` block"


class Invalid(ValueError):  # noqa: N818 - callers read `except mini_yaml.Invalid`
    """A text that is not read: the place, counted from 1, and what is wrong and what to write."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.line = line
        self.column = column
        self.message = message


class Mapping(dict[str, Any]):
    """A mapping; `positions` has the line and the column, counted from 1, of each key."""

    def __init__(self) -> None:
        super().__init__()
        self.positions: dict[str, tuple[int, int]] = {}


def load(text: str) -> Any:
    """Return what a text says: Mapping, list, str or None, nested. Raises Invalid."""
    lines = text.replace("\r\n", "\n").split("\n")
    for row, line in enumerate(lines):
        if odd := _FORBIDDEN.search(line):
            message = f"{odd[0]!a} cannot stand in a text: write it as an escape in quotes"
            raise Invalid(row + 1, odd.start() + 1, message)
        if _DOCUMENT.match(line):
            message = "directives and several documents are not supported: remove this line"
            raise Invalid(row + 1, 1, message)
    return _Reader(lines).document()


class _Reader:
    """Reads lines from where it stands, which is always row and column from 0."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._row = 0
        self._column = 0
        self._depth = 0

    def document(self) -> Any:
        if self._next_line() < 0:
            return None
        found = self._node(-1)
        if self._next_line() >= 0:
            raise self._error("this is neither part of what is above nor a new key of it")
        return found

    def _error(self, message: str, column: int | None = None) -> Invalid:
        return Invalid(self._row + 1, (self._column if column is None else column) + 1, message)

    @property
    def _line(self) -> str:
        return self._lines[self._row] if self._row < len(self._lines) else ""

    def _peek(self, ahead: int = 0) -> str:
        return self._line[self._column + ahead : self._column + ahead + 1]

    def _is_word_end(self, ahead: int) -> bool:
        return self._peek(ahead) in ("", " ", "\t")

    def _next_line(self) -> int:
        """Go to the next line with content, unless there already; return its indent, or -1."""
        if self._column and self._line[self._column :].strip(" "):
            return self._column
        if self._column:
            self._row, self._column = self._row + 1, 0
        while self._row < len(self._lines):
            content = self._line.lstrip(" ")
            self._column = len(self._line) - len(content)
            if content.startswith("\t"):
                raise self._error("there is a tab: indent with spaces")
            if content and not content.startswith("#"):
                return self._column
            self._row, self._column = self._row + 1, 0
        return -1

    def _spaces(self) -> bool:
        """Go over spaces and say whether something else than a comment follows on the line."""
        start = self._column
        while self._peek() == " ":
            self._column += 1
        if self._peek() == "\t":
            raise self._error("there is a tab: write spaces")
        is_comment = self._peek() == "#" and (self._column > start or not self._column)
        return bool(self._peek()) and not is_comment

    def _end_line(self, after: str) -> None:
        """Go to the next line; only a comment may be left on this one."""
        if self._spaces():
            raise self._error(f"there is more on the line after {after}")
        self._row, self._column = self._row + 1, 0

    def _node(self, parent: int) -> Any:
        """Read what starts here, a line or the rest of one; `parent` is the indent around it."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"it is nested more than {_DEEPEST} levels deep")
        if self._peek() == "-" and self._is_word_end(1):
            found: Any = self._sequence(self._column)
        elif self._is_key():
            found = self._mapping(self._column)
        else:
            found = self._value(parent)
        self._depth -= 1
        return found

    def _sequence(self, indent: int) -> list[Any]:
        found = []
        while True:
            self._column += 1
            found.append(self._node(indent) if self._spaces() else self._below(indent))
            if self._next_line() != indent or not self._is_dash():
                self._check_indent(indent)
                return found

    def _is_dash(self) -> bool:
        return self._peek() == "-" and self._is_word_end(1)

    def _mapping(self, indent: int) -> Mapping:
        found = Mapping()
        while True:
            self._key(found)
            found[next(reversed(found))] = self._of_key(indent)
            if self._next_line() != indent or self._is_dash():
                self._check_indent(indent)
                return found
            if not self._is_key():
                raise self._error("this is no `key: value` as above: " + self._why_no_key())

    def _check_indent(self, indent: int) -> None:
        if self._column > indent and self._row < len(self._lines):
            raise self._error(f"the indent is {self._column}, and {indent} above: {_CONTINUED}")

    def _why_no_key(self) -> str:
        return _NO_SPACE if ":" in self._line else "put a colon and a space after the key"

    def _of_key(self, indent: int) -> Any:
        """Read the value of a key, on the line of the key or below it."""
        if not self._spaces():
            return self._below(indent, beside=True)
        if self._is_dash():
            raise self._error("a list does not start beside its key: put it on the lines below")
        if self._is_key():
            raise self._error("there are two `key: value` on one line: put a text in quotes")
        return self._value(indent)

    def _below(self, indent: int, *, beside: bool = False) -> Any:
        """Read what is below a key or a dash; a list may be just below its key."""
        self._row, self._column = self._row + 1, 0
        below = self._next_line()
        if below > indent or (beside and below == indent and self._is_dash()):
            return self._node(indent)
        return None

    def _is_key(self) -> bool:
        """Say whether a key of a block starts here; stay where it is."""
        start = self._column
        try:
            if self._peek() in ("'", '"'):
                self._quoted()
            elif not self._peek() or self._peek() in "[{":
                return False
            else:
                self._column = self._plain_end(start, flow=False)
            return self._peek() == ":" and self._is_word_end(1)
        except Invalid:
            return False  # What it is then says why.
        finally:
            self._column = start

    def _key(self, found: Mapping, *, flow: bool = False) -> None:
        """Read a key and the colon after it into a mapping, with nothing for its value yet."""
        column = self._column
        position = (self._row + 1, column + 1)
        is_quoted = self._peek() in ("'", '"')
        name = self._quoted() if is_quoted else self._plain(flow=flow)
        if not is_quoted and (name in _NULL or name == "<<"):
            what = "merge keys are not supported: repeat" if name == "<<" else "put in quotes"
            raise self._error(f"{name!r} is not a key: {what} what is meant", column)
        if name in found:
            line, _ = found.positions[name]
            raise self._error(f"the key {name!r} is there twice, first in line {line}", column)
        if self._column - column > _LONGEST_KEY:
            raise self._error(f"the key is longer than {_LONGEST_KEY} characters", column)
        if flow:
            self._flow_space()
        if self._peek() != ":":
            raise self._error(f"{name!r} has no value: put a colon and a space after it", column)
        if not self._is_colon(flow=flow and is_quoted):
            raise self._error(_NO_SPACE)
        self._column += 1
        found[name] = None
        found.positions[name] = position

    def _is_colon(self, *, flow: bool) -> bool:
        """Say whether a colon ends a key: in brackets after quotes it needs no space, as in JSON."""
        return flow or self._is_word_end(1)

    def _value(self, parent: int) -> Any:
        """Read a scalar or brackets up to the end of the line."""
        char = self._peek()
        match = _BLOCK_SCALAR.match(self._line, self._column)
        if match and parent >= 0:
            return self._block_scalar(parent, folded=match[1] == ">", keep=match[2])
        if char in ("[", "{"):
            found = self._flow(parent)
            self._end_line("the closing bracket")
            return found
        if char in ("'", '"'):
            text = self._quoted()
            self._end_line("the closing quote")
            return text
        text = self._plain(flow=False)
        if self._peek() == ":":
            raise self._error("there are two `key: value` on one line: put a text in quotes")
        self._end_line("the text")
        return None if text in _NULL else text

    def _plain(self, *, flow: bool) -> str:
        """Read a text without quotes, up to what cannot be part of it."""
        start = self._column
        char, ends = self._peek(), self._is_word_end(1) or (flow and self._peek(1) in ",[]{}")
        if char in _REFUSED:
            raise self._error(_REFUSED[char])
        if char == "?" and (ends or flow):
            raise self._error("`? key` is not supported: write `key: value`")
        if char in ("-", ":", "#", "'", '"') and (ends or char not in "-:"):
            raise self._error(f"no text starts with `{char}` here: put it in quotes")
        self._column = self._plain_end(start, flow=flow)
        return self._line[start : self._column].rstrip(" ")

    def _plain_end(self, at: int, *, flow: bool) -> int:
        line = self._line
        start = at
        stops = ",[]{}" if flow else ""
        while at < len(line) and line[at] not in stops:
            if line[at] == ":" and line[at + 1 : at + 2] in ("", " ", "\t", *stops):
                break
            if line[at] == "#" and at > start and line[at - 1] == " ":
                break
            if line[at] == "\t":
                raise self._error("there is a tab: write spaces, or `\\t` in double quotes", at)
            at += 1
        return at

    def _quoted(self) -> str:
        """Read a text in quotes, which ends on its line."""
        start, quote = self._column, self._peek()
        self._column += 1
        made = ""
        while char := self._peek():
            self._column += 1
            if char == "\\" and quote == '"':
                made += self._escaped()
            elif char != quote:
                made += char
            elif quote == "'" and self._peek() == "'":
                made += char
                self._column += 1
            else:
                return made
        message = f"the {quote} is not closed on its line: {_CONTINUED}"
        raise self._error(message, start)

    def _escaped(self) -> str:
        """Read what follows a backslash."""
        char = self._peek()
        self._column += 1
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char not in _HEX:
            hint = "write two backslashes for one, or use single quotes"
            message = f"`\\{char}` has no meaning: {hint}"
            raise self._error(message, self._column - 2)
        code = self._hex(_HEX[char])
        if 0xD800 <= code < 0xDC00 and self._line.startswith("\\u", self._column):  # noqa: PLR2004
            self._column += 2
            low = self._hex(4)
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            code = code if 0xDC00 <= low < 0xE000 else -1  # noqa: PLR2004
        if code < 0 or 0xD800 <= code < 0xE000 or code > 0x10FFFF:  # noqa: PLR2004
            raise self._error("this escape is no character", self._column - 2)
        return chr(code)

    def _hex(self, length: int) -> int:
        digits = self._line[self._column : self._column + length]
        if not re.fullmatch(f"[0-9a-fA-F]{{{length}}}", digits):
            raise self._error(f"{length} digits from 0 to f have to follow here")
        self._column += length
        return int(digits, 16)

    def _flow(self, parent: int) -> Any:
        """Read what is in brackets, on as many lines as it has."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"it is nested more than {_DEEPEST} levels deep")
        row, column = self._row, self._column
        close = "]" if self._peek() == "[" else "}"
        found: Any = [] if close == "]" else Mapping()
        self._column += 1
        while self._flow_space() and self._peek() != close:
            if self._column <= parent and self._row > row:
                raise self._error("what is in brackets has to be indented further than its key")
            if close == "}":
                self._key(found, flow=True)
                found[next(reversed(found))] = self._flow_value(parent, close)
            else:
                found.append(self._flow_value(parent, close))
            self._comma(close)
        if self._row >= len(self._lines):
            raise Invalid(row + 1, column + 1, f"the bracket has no `{close}`")
        if self._column < parent:
            raise self._error("the closing bracket is left of where its block starts")
        self._column += 1
        self._depth -= 1
        return found

    def _comma(self, close: str) -> None:
        if not self._flow_space() or self._peek() == close:
            return
        if self._peek() == ":":
            raise self._error("a `key: value` in a list needs braces: write `{key: value}`")
        if self._peek() != ",":
            raise self._error(f"there has to be a comma or `{close}` here")
        self._column += 1

    def _flow_value(self, parent: int, close: str) -> Any:
        if not self._flow_space():
            return None
        char = self._peek()
        if close == "}" and char in (",", "}"):
            return None
        if char in ("[", "{"):
            return self._flow(parent)
        if char in ("'", '"'):
            return self._quoted()
        text = self._plain(flow=True)
        return None if text in _NULL else text

    def _flow_space(self) -> bool:
        """Go to what is next in brackets, over lines and comments; say whether there is any."""
        while not self._spaces():
            self._row, self._column = self._row + 1, 0
            if self._row >= len(self._lines):
                return False
        return True

    def _block_scalar(self, parent: int, *, folded: bool, keep: str) -> str:
        """Read a `|` or `>` block: https://yaml.org/spec/1.2.2/#81-block-scalar-styles."""
        self._row, self._column = self._row + 1, 0
        lines = self._block_lines(parent)
        ends_at_end = self._row >= len(self._lines)
        count = len(lines)
        while count and not lines[count - 1]:
            count -= 1
        text = _folded(lines[:count]) if folded else "\n".join(lines[:count])
        breaks = len(lines) - count + (1 if count else 0)
        # The last line of all has no line break of its own.
        breaks -= 1 if ends_at_end else 0
        return text + "\n" * {"-": 0, "": min(breaks, 1 if count else 0), "+": breaks}[keep]

    def _block_lines(self, parent: int) -> list[str]:
        """Return the lines of a block scalar without their common indent; blank ones are empty."""
        indent = -1
        lines: list[str] = []
        while self._row < len(self._lines):
            line = self._line
            own = len(line) - len(line.lstrip(" "))
            if own == len(line) and (indent < 0 or own <= indent):
                lines.append("")
            elif indent < 0 and own > parent:
                if line[own] == "\t":
                    raise self._error("there is a tab: indent with spaces", own)
                indent = own
                self._check_first_lines(len(lines), indent)
                lines.append(line[own:])
            elif 0 <= indent <= own:
                lines.append(line[indent:])
            else:
                break
            self._row += 1
        if indent < 0:
            self._check_first_lines(len(lines), 0)
        return lines

    def _check_first_lines(self, number: int, indent: int) -> None:
        """Refuse blank lines before a block's text whose spaces readers take in different ways."""
        for row in range(self._row - number, self._row):
            if len(self._lines[row]) not in (0, indent):
                message = "this blank line has an indent of its own: remove its spaces"
                raise Invalid(row + 1, 1, message)


def _folded(lines: list[str]) -> str:
    """Join lines by spaces; empty ones and those that are indented further keep their breaks."""
    made = ""
    breaks = 0
    plain_before = False
    for number, line in enumerate(lines):
        if not line:
            breaks += 1
            continue
        plain = line[0] not in " \t"
        if not number or breaks == number:
            made += "\n" * breaks
        elif plain and plain_before:
            made += "\n" * breaks or " "
        else:
            made += "\n" * (breaks + 1)
        made += line
        breaks, plain_before = 0, plain
    return made

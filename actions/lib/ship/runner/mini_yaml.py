"""A strict reader for the part of YAML that the input `images` needs; JSON is accepted as well.

Read: mappings in blocks, lists of texts in blocks, both in brackets, texts plain, in quotes and as
`|` blocks, comments. What is read means what every reader of YAML 1.2
(https://yaml.org/spec/1.2.2/) takes it for, but for one thing: a text is always as written, so
`1.10` is not 1.1 and `on` is not true. Only `null`, `~` and nothing at all are None.

Everything else is refused, with a hint on what to write instead.
"""

from __future__ import annotations

import json
import re
from typing import Any

_NULL = ("", "~", "null", "Null", "NULL")
_DEEPEST = 16
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_DOCUMENT = re.compile(r"(?:---|\.\.\.)(?: |$)|%")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
# With the escapes that JSON and YAML read alike.
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))*"')
# A plain text: how it may start, and how it goes on; a blank only if something follows.
_START = r"[^ ,\[\]{}#&*!|>'\"%@`?:-]"
_BLOCK_TEXT = re.compile(
    rf"(?:{_START}|[?-](?=[^ ]))(?:[^ :#]|:(?=[^ ])|(?<=[^ ])#| +(?! |#|$|:(?: |$)))*"
)
_FLOW_TEXT = re.compile(
    rf"(?:{_START}|-(?=[^ ,\[\]{{}}]))"
    r"(?:[^ :#,\[\]{}]|:(?=[^ ,\[\]{}])|(?<=[^ ])#| +(?! |#|$|[,\[\]{}]|:(?:[ ,\[\]{}]|$)))*"
)
_COLON = re.compile(r" *:(?= |$)")
_COLON_IN_JSON = re.compile(r" *:(?= |$)|:")
_BLOCK = re.compile(r"\|(-?)(?= *(?: #.*)?$)")
_REFUSED = {
    "&": "an anchor is not supported: repeat the value that it refers to",
    "*": "an alias is not supported: repeat the value that it refers to, or put a text in quotes",
    "!": "a tag is not supported: remove it, or put a text in quotes",
    ">": "a `>` block is not supported: put the text on one line, or write `|`",
    "|": "write a `|` block directly after a key, as `|` or `|-`",
}
_ONE_LINE = "a text must be on one line: join its lines, or write it as a `|` block"
_TWO_KEYS = "there are two `key: value` on one line: put a text in quotes"


class Invalid(ValueError):  # noqa: N818 - callers read `except mini_yaml.Invalid`
    """A text that is not read: the place, counted from 1, and what is wrong and what to write."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.line = line
        self.column = column
        self.message = message


class PositionedMapping(dict[str, Any]):
    """A mapping; `positions` has the line and the column, counted from 1, of each key."""

    def __init__(self) -> None:
        super().__init__()
        self.positions: dict[str, tuple[int, int]] = {}


def load(text: str) -> Any:
    """Return what a text says: PositionedMapping, list, str or None, nested. Raises Invalid."""
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if odd := _FORBIDDEN.search(line):
            what = "there is a tab" if odd[0] == "\t" else f"{odd[0]!a} cannot stand in a text"
            hint = "indent with spaces, or write it as an escape in double quotes"
            raise Invalid(number, odd.start() + 1, f"{what}: {hint}")
        if _DOCUMENT.match(line):
            message = "directives and several documents are not supported: remove this line"
            raise Invalid(number, 1, message)
    return _Reader(lines).document()


class _Place:
    """A place in the lines, row and column from 0, and how to go on from there."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._row = 0
        self._column = 0
        self._depth = 0

    def error(self, message: str, column: int | None = None) -> Invalid:
        return Invalid(self._row + 1, (self._column if column is None else column) + 1, message)

    def rest(self) -> str:
        """Return what is left of the line."""
        return self._lines[self._row][self._column :] if self._row < len(self._lines) else ""

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go over what matches here, if it does."""
        match = pattern.match(self._lines[self._row], self._column)
        self._column = match.end() if match else self._column
        return match

    def blanks(self) -> bool:
        """Go over blanks, and say whether something else than a comment follows on the line."""
        rest = self.rest()
        text = rest.lstrip(" ")
        is_comment = text.startswith("#") and (text != rest or not self._column)
        self._column += len(rest) - len(text)
        return bool(text) and not is_comment

    def new_line(self) -> None:
        self._row, self._column = self._row + 1, 0

    def content(self) -> int:
        """Go to the next line with content, unless at one; return its indent, or -1 at the end."""
        while self._row < len(self._lines) and not self.blanks():
            self.new_line()
        return self._column if self._row < len(self._lines) else -1

    def end_line(self, after: str) -> None:
        """Go to the next line; only a comment may be left on this one."""
        if self.blanks():
            raise self.error(f"there is more on the line after {after}")
        self.new_line()

    def deeper(self, by: int) -> None:
        self._depth += by
        if self._depth > _DEEPEST:
            raise self.error(f"it is nested more than {_DEEPEST} levels deep")


class _Reader(_Place):
    """Reads from where it stands."""

    def document(self) -> Any:
        found = self._node(-1) if self.content() >= 0 else None
        if self.content() >= 0:
            raise self.error(
                "this line neither continues the value above nor is a new key: check the indent"
            )
        return found

    def _node(self, parent: int) -> Any:
        """Read what starts on this line; `parent` is the indent around it."""
        if self._is_dash():
            return self._list(self._column)
        return self._mapping(self._column) if self._is_key() else self._value(parent)

    def _is_dash(self) -> bool:
        return self.rest().startswith("- ") or self.rest() == "-"

    def _is_key(self) -> bool:
        """Say whether a key of a block starts here; stay where it is."""
        start = self._column
        is_key = self.take(_QUOTED) or self.take(_BLOCK_TEXT)
        is_key = is_key and self.take(_COLON)
        self._column = start
        return bool(is_key)

    def _list(self, indent: int) -> list[Any]:
        found: list[Any] = []
        while self.content() == indent and self._is_dash():
            self._column += 1
            if not self.blanks():
                self.new_line()
                found.append(None)
            elif self._is_dash() or self._is_key():
                raise self.error("a list in a block holds texts only: put a text in quotes")
            else:
                found.append(self._value(-1))
        self._check_indent(indent)
        return found

    def _mapping(self, indent: int) -> PositionedMapping:
        self.deeper(1)
        found = PositionedMapping()
        while self.content() == indent and not self._is_dash():
            if not self._is_key():
                raise self.error(
                    "this line is not `key: value`: write a colon and a space after the key"
                )
            name = self._key(found, _BLOCK_TEXT)
            self.take(_COLON)
            found[name] = self._of_key(indent)
        self._check_indent(indent)
        self.deeper(-1)
        return found

    def _check_indent(self, indent: int) -> None:
        if self.content() > indent:
            raise self.error(f"the indent is {self._column}, and {indent} above: {_ONE_LINE}")

    def _key(self, found: PositionedMapping, plain: re.Pattern[str]) -> str:
        """Read a key into a mapping, with nothing for its value yet."""
        column = self._column
        is_quoted = self.rest().startswith(("'", '"'))
        name = self._quoted() if is_quoted else self._plain(plain)
        if not is_quoted and (name in _NULL or name == "<<"):
            raise self.error(f"{name!r} is not a key: put it in quotes", column)
        if name in found:
            line, _ = found.positions[name]
            raise self.error(f"the key {name!r} appears twice, first in line {line}", column)
        found[name] = None
        found.positions[name] = (self._row + 1, column + 1)
        return name

    def _of_key(self, indent: int) -> Any:
        """Read the value of a key, on the line of the key or below it."""
        if self.blanks():
            if self._is_dash():
                raise self.error("a list does not start beside its key: put it on the lines below")
            if self._is_key():
                raise self.error(_TWO_KEYS)
            return self._value(indent)
        self.new_line()
        below = self.content()
        # A list may be just below its key.
        is_there = below > indent or (below == indent and self._is_dash())
        return self._node(indent) if is_there else None

    def _value(self, parent: int) -> Any:
        """Read a text or brackets up to the end of the line."""
        block = self.take(_BLOCK) if parent >= 0 else None
        if block:
            return self._block(parent, keep=not block[1])
        if self.rest().startswith(("[", "{")):
            found = self._flow(parent)
            self.end_line("the closing bracket")
            return found
        found = self._text(_BLOCK_TEXT)
        if self.take(_COLON):
            raise self.error(_TWO_KEYS)
        self.end_line("the text")
        return found

    def _text(self, plain: re.Pattern[str]) -> str | None:
        if self.rest().startswith(("'", '"')):
            return self._quoted()
        text = self._plain(plain)
        return None if text in _NULL else text

    def _plain(self, pattern: re.Pattern[str]) -> str:
        text = self.take(pattern)
        if not text:
            char = self.rest()[:1]
            quotes = f"no text starts with `{char}` here: put it in quotes"
            raise self.error(_REFUSED.get(char, quotes))
        return text[0]

    def _quoted(self) -> str:
        """Read a text in quotes, which ends on its line and has the escapes of JSON only."""
        start = self._column
        text = self.take(_QUOTED)
        if not text:
            raise self.error(f"the {self.rest()[0]} is not closed on its line: {_ONE_LINE}")
        if text[0].startswith("'"):
            return text[0][1:-1].replace("''", "'")
        if not _JSON_TEXT.fullmatch(text[0]):
            hint = "write two backslashes for one, or use single quotes"
            raise self.error(f"an escape in it is not one of JSON: {hint}", start)
        return str(json.loads(text[0]))

    def _flow(self, parent: int) -> Any:
        """Read what is in brackets, on as many lines as it has."""
        row, column = self._row, self._column
        self.deeper(1)
        close = "]" if self.rest()[0] == "[" else "}"
        found: Any = [] if close == "]" else PositionedMapping()
        self._column += 1
        while self.content() >= 0 and not self.rest().startswith(close):
            if self._row > row and self._column <= parent:
                raise self.error("what is in brackets has to be indented further than its key")
            if close == "}":
                self._pair(found, parent)
            else:
                found.append(self._flow_value(parent))
            if self.content() >= 0 and not self.rest().startswith((",", close)):
                raise self.error(f"there has to be a comma or `{close}` here")
            self._column += self.rest().startswith(",")
        if self._row >= len(self._lines):
            raise Invalid(row + 1, column + 1, f"the bracket has no `{close}`")
        if self._column < parent:
            raise self.error("the closing bracket is left of where its block starts")
        self._column += 1
        self.deeper(-1)
        return found

    def _pair(self, found: PositionedMapping, parent: int) -> None:
        is_json = self.rest().startswith('"')
        name = self._key(found, _FLOW_TEXT)
        if not self.take(_COLON_IN_JSON if is_json else _COLON):
            raise self.error(f"{name!r} has no value: put a colon and a space after it")
        if self.content() >= 0 and not self.rest().startswith((",", "}")):
            found[name] = self._flow_value(parent)

    def _flow_value(self, parent: int) -> Any:
        if self.rest().startswith(("[", "{")):
            return self._flow(parent)
        return self._text(_FLOW_TEXT)

    def _block(self, parent: int, *, keep: bool) -> str:
        """Read a `|` block: https://yaml.org/spec/1.2.2/#81-block-scalar-styles."""
        self.new_line()
        line = self.rest()
        indent = len(line) - len(line.lstrip(" "))
        if indent <= parent or indent == len(line):
            raise self.error("the text of a `|` block starts on the next line, further indented")
        made: list[str] = []
        while self._row < len(self._lines):
            line = self.rest()
            if line.strip(" ") and not line.startswith(" " * indent):
                break
            made.append(line[indent:])
            self._row += 1
        ends_at_end = self._row >= len(self._lines) and bool(made[-1])
        while not made[-1]:
            made.pop()
        # The last line of all has no line break of its own.
        return "\n".join(made) + ("\n" if keep and not ends_at_end else "")

"""Reads the text of an expression into a tree, whose every part keeps its own text."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from gen_workflow.expressions.values import number
from gen_workflow.named_tuple import NamedTuple

_MOST_DEEP = 50  # levels that GitHub reads
_BLANK = re.compile(r"\s*")
_TOKEN = re.compile(
    r"(?P<string>'(?:[^']|'')*')"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[()\[\],!<>*])"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_-]*)"
    r"|(?P<number>[+.\-0-9][^\s()\[\],!<>=&|]*)"
)
# A dot behind one of these leads to a part; any other begins a number.
_HAS_PARTS = ("]", ")", "*")
_CONSTANTS: dict[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": math.nan,
    "Infinity": math.inf,
}
_LOGICAL = (("||",), ("&&",))
# From those that bind least.
_BINARY = (*_LOGICAL, ("==", "!="), ("<", "<=", ">", ">="))


class ExpressionError(Exception):
    """A text that GitHub does not accept as an expression."""


class Literal(NamedTuple):
    """A value that is written in the expression."""

    text: str
    value: Any


class Context(NamedTuple):
    """A context, such as `github`."""

    text: str


class Index(NamedTuple):
    """A part of a value; with `key` None all of its parts, which is written `*`."""

    text: str
    of: Any
    key: Any


class Call(NamedTuple):
    """A call of a function, whose name is in lower case."""

    text: str
    name: str
    arguments: tuple[Any, ...]


class Not(NamedTuple):
    """The opposite of something."""

    text: str
    operand: Any


class Logical(NamedTuple):
    """`&&` or `||` of two operands or more."""

    text: str
    operator: str
    operands: tuple[Any, ...]


class Compared(NamedTuple):
    """Two values that are compared."""

    text: str
    operator: str
    left: Any
    right: Any


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def read(source: str) -> Any:
    """Return the tree of an expression; raises ExpressionError for what is none."""
    return _Reader(source).whole()


def parts(tree: Any) -> Iterator[Any]:
    """Yield a tree and all parts of it."""
    yield tree
    for field in tree:
        for part in field if type(field) is tuple else (field,):
            if isinstance(part, tuple):
                yield from parts(part)


def _tokens(source: str) -> Iterator[_Token]:
    before = at = 0
    last = _Token("", "", 0, 0)
    while (at := _end(_BLANK, source, before)) < len(source):
        if source[at] == "." and (last.kind == "word" or last.text in _HAS_PARTS):
            last = _Token("sign", ".", at, at + 1)
        else:
            found = _TOKEN.match(source, at)
            if found is None or found.lastgroup is None:
                raise ExpressionError(f"{source[at:]!r} cannot be read")
            last = _Token(found.lastgroup, found[0], at, found.end())
        yield last
        before = last.end


def _end(pattern: re.Pattern[str], source: str, start: int) -> int:
    found = pattern.match(source, start)
    return found.end() if found else start


class _Reader:
    """The tokens of an expression, and how far they are read."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = [*_tokens(source), _Token("end", "", len(source), len(source))]
        self._next = 0
        self._depth = 0

    def whole(self) -> Any:
        tree = self._expression()
        if self._tokens[self._next].kind != "end":
            raise self._unexpected(self._tokens[self._next])
        return tree

    def _expression(self) -> Any:
        return self._deeper(self._binary)

    def _deeper(self, read_one: Callable[[], Any]) -> Any:
        self._depth += 1
        if self._depth > _MOST_DEEP:
            raise ExpressionError(f"an expression has {_MOST_DEEP} levels at most")
        tree = read_one()
        self._depth -= 1
        return tree

    def _binary(self, level: int = 0) -> Any:
        if level == len(_BINARY):
            return self._unary()
        start, tree, further = self._next, self._binary(level + 1), []
        while operator := self._accept(*_BINARY[level]):
            right = self._binary(level + 1)
            if _BINARY[level] in _LOGICAL:
                further.append(right)
            else:
                tree = Compared(self._since(start), operator, tree, right)
        if further:
            return Logical(self._since(start), _BINARY[level][0], (tree, *further))
        return tree

    def _unary(self) -> Any:
        start = self._next
        if self._accept("!"):
            operand = self._deeper(self._unary)
            return Not(self._since(start), operand)
        return self._indexed()

    def _indexed(self) -> Any:
        start, tree = self._next, self._primary()
        if isinstance(tree, Literal) and self._tokens[start].text != "(":
            return tree
        while opened := self._accept("[", "."):
            key = None if self._accept("*") else self._key(opened)
            if opened == "[":
                self._expect("]")
            tree = Index(self._since(start), tree, key)
        return tree

    def _key(self, opened: str) -> Any:
        if opened == "[":
            return self._expression()
        token = self._take("word")
        return Literal(token.text, token.text)

    def _primary(self) -> Any:
        if self._accept("("):
            tree = self._expression()
            self._expect(")")
            return tree
        start, token = self._next, self._take("word", "string", "number")
        if token.kind == "string":
            return Literal(token.text, token.text[1:-1].replace("''", "'"))
        if token.kind == "number":
            return self._number(token)
        if self._accept("("):
            arguments = tuple(self._arguments())
            return Call(self._since(start), token.text.lower(), arguments)
        if token.text in _CONSTANTS:
            return Literal(token.text, _CONSTANTS[token.text])
        return Context(token.text)

    def _number(self, token: _Token) -> Literal:
        value = number(token.text)
        if math.isnan(value):
            raise self._unexpected(token)
        return Literal(token.text, value)

    def _arguments(self) -> Iterator[Any]:
        while not self._accept(")"):
            yield self._expression()
            if self._tokens[self._next].text != ")":
                self._expect(",")

    def _accept(self, *signs: str) -> str:
        """Return the next token, when it is one of some signs, and go behind it."""
        token = self._tokens[self._next]
        if token.kind != "sign" or token.text not in signs:
            return ""
        self._next += 1
        return token.text

    def _expect(self, sign: str) -> None:
        if not self._accept(sign):
            raise self._unexpected(self._tokens[self._next])

    def _take(self, *kinds: str) -> _Token:
        token = self._tokens[self._next]
        if token.kind not in kinds:
            raise self._unexpected(token)
        self._next += 1
        return token

    def _since(self, start: int) -> str:
        """Return the text from a token up to the last one that was read."""
        return self._source[self._tokens[start].start : self._tokens[self._next - 1].end]

    def _unexpected(self, token: _Token) -> ExpressionError:
        if token.kind == "end":
            return ExpressionError("the expression ends too early")
        return ExpressionError(f"{token.text!r} is not expected there")

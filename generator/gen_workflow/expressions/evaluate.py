"""Evaluates expressions, in three values: true, false, and not known before the run."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from gen_workflow.expressions.functions import FUNCTIONS
from gen_workflow.expressions.reader import (
    Call,
    Compared,
    Context,
    ExpressionError,
    Index,
    Literal,
    Logical,
    Not,
    parts,
    read,
)
from gen_workflow.expressions.values import (
    Open,
    Unknown,
    equal,
    item,
    less,
    number,
    text,
    truth,
    unknowns,
)

# A text in quotes may hold `}}`.
_IN_TEXT = re.compile(r"\$\{\{((?:'(?:[^']|'')*'|(?!\}\})[^'])*)\}\}")
STATUS = ("success", "failure", "always", "cancelled")
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": less,
    ">": lambda left, right: less(right, left),
    "<=": lambda left, right: less(left, right) or equal(left, right),
    ">=": lambda left, right: less(right, left) or equal(left, right),
}


class _Parts(list[Any]):
    """All parts of a value: what is asked of it is asked of each."""


class Evaluator:
    """Evaluates expressions with some contexts, and functions beside those that GitHub always has.

    Raises ExpressionError for what GitHub does not accept.
    """

    def __init__(
        self, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> None:
        self._contexts = {name.lower(): value for name, value in contexts.items()}
        self._functions = functions or {}
        self._how: dict[type, Callable[[Any], Any]] = {
            Literal: lambda tree: tree.value,
            Context: self._context,
            Index: self._index,
            Call: self._call,
            Not: self._not,
            Logical: self._logical,
            Compared: self._compared,
        }

    def value(self, tree: Any) -> Any:
        """Return the value of a tree, or Unknown."""
        return self._how[type(tree)](tree)

    def filled(self, template: str) -> Any:
        """Return the value of a text with `${{ }}`: of the only one in it, or the whole text."""
        if only := alone(template):
            return self.value(read(only))
        found = [self.value(read(inside)) for inside in _IN_TEXT.findall(template)]
        if missing := list(unknowns(*found)):
            return Unknown.of_all(missing)
        values = iter(found)
        return _IN_TEXT.sub(lambda _: text(next(values)), template)

    def _context(self, tree: Context) -> Any:
        try:
            return self._contexts[tree.text.lower()]
        except KeyError:
            raise ExpressionError(f"there is no context {tree.text!r} here") from None

    def _index(self, tree: Index) -> Any:
        whole = self.value(tree.of)
        if tree.key is None:
            return _all_parts(whole)
        key = self.value(tree.key)
        if isinstance(whole, Unknown):
            return Unknown(tuple(f"{name}.{text(key)}" for name in whole.of))
        if isinstance(key, Unknown):
            return key._replace(truth=None)
        if isinstance(whole, _Parts):
            return _Parts(found for each in whole if (found := _part(each, key)) is not None)
        return _part(whole, key)

    def _call(self, tree: Call) -> Any:
        if tree.name in self._functions:
            return self._functions[tree.name](*map(self.value, tree.arguments))
        if tree.name not in FUNCTIONS:
            raise ExpressionError(f"there is no function {tree.name!r} here")
        function, least, most = FUNCTIONS[tree.name]
        if not least <= len(tree.arguments) <= most:
            raise ExpressionError(f"{tree.name} does not take {len(tree.arguments)} arguments")
        arguments = [self.value(each) for each in tree.arguments]
        missing = list(unknowns(*arguments))
        return Unknown.of_all(missing) if missing else function(*arguments)

    def _not(self, tree: Not) -> Any:
        value = self.value(tree.operand)
        is_true = truth(value)
        return Unknown(value.of) if is_true is None else not is_true

    def _logical(self, tree: Logical) -> Any:
        """Return the first operand that decides, or the last one."""
        decides = tree.operator == "||"
        missing: list[Unknown] = []
        value: Any = None
        for operand in tree.operands:
            value = self.value(operand)
            is_true = truth(value)
            if is_true is decides:
                return (
                    Unknown.of_all([*missing, *unknowns(value)], truth=decides)
                    if missing
                    else value
                )
            if is_true is None:
                missing.append(value)
        return Unknown.of_all(missing) if missing else value

    def _compared(self, tree: Compared) -> Any:
        left, right = self.value(tree.left), self.value(tree.right)
        missing = [one for one in (left, right) if isinstance(one, Unknown)]
        return Unknown.of_all(missing) if missing else _COMPARED[tree.operator](left, right)


def _all_parts(whole: Any) -> Any:
    if isinstance(whole, (Unknown, Open)):
        return Unknown.of_all(unknowns(whole))
    if isinstance(whole, _Parts):
        return _Parts(part for each in whole for part in _all_parts(each))
    if isinstance(whole, Mapping):
        return _Parts(whole.values())
    return _Parts(whole if isinstance(whole, list) else ())


def _part(whole: Any, key: Any) -> Any:
    if isinstance(whole, Mapping) and not isinstance(key, (list, Mapping)):
        return item(whole, text(key))
    position = number(key)
    if not isinstance(whole, list) or not math.isfinite(position) or position < 0:
        return None
    return whole[int(position)] if position < len(whole) else None


def alone(template: str) -> str:
    """Return what is inside of a text that is one `${{ }}` and nothing else; empty for others."""
    found = _IN_TEXT.fullmatch(template.strip())
    return found[1] if found else ""


def in_texts(template: str) -> list[str]:
    """Return what is inside of each `${{ }}` of a text."""
    return _IN_TEXT.findall(template)


def condition(source: str) -> Any:
    """Return the tree of an `if:`, which GitHub also takes without `${{ }}`.

    Without one of the status functions GitHub puts `success() &&` before it.
    """
    written = source.strip()
    if "${{" in written and not alone(written):
        return Literal(written, value=True)  # a text with more than an expression is never empty
    tree = read(alone(written) or written) if written else read("success()")
    if any(isinstance(part, Call) and part.name in STATUS for part in parts(tree)):
        return tree
    return Logical(tree.text, "&&", (read("success()"), tree))

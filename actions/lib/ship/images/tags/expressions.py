"""Fills in expressions in `{{ }}`: a name, or a name with a text and options, as in Handlebars.

There are three differences from Handlebars: nothing is escaped for HTML, an unknown name is an
error, and there are no blocks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.errors import near_match

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    # Its arguments are the text, when there is one, and the options.
    Value = Callable[[str | None, Mapping[str, str]], str]

# Few steps have an expression, so these are compiled where they are used.
# A backslash keeps the braces as they are, and a second one keeps the backslash.
_EXPRESSION = (
    r"(?s)(?P<kept>\\\\(?=\{\{)|\\\{\{)"
    r"|(?P<comment>\{\{!--.*?--\}\}|\{\{!.*?\}\})"
    r"|\{\{\{(?P<triple>[^{}]*)\}\}\}|\{\{(?P<double>.*?)\}\}|(?P<open>\{\{)"
)
_NAME = r"""\s*([^\s'"=]+)"""
_WORD = (
    r"""(?a)\s*(?:(?P<option>[A-Za-z_]\w*)\s*=\s*)?"""
    r"""(?:'(?P<single>(?:\\'|[^'])*)'|"(?P<double>(?:\\"|[^"])*)"|(?P<bare>[^\s'"=]+))"""
)


class BadExpressionError(ValueError):
    """An expression is wrong: the message says what is wrong, the hint what to write instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def expand(text: str, values: Mapping[str, Value]) -> str:
    """Return a text with its expressions filled in. Raises BadExpressionError."""
    if "{{" not in text:
        return text
    return re.sub(_EXPRESSION, lambda match: _value(match, values), text)


def is_raw(pattern: str) -> bool:
    """Return whether a pattern is only `{{raw}}`, which keeps a version as it was written."""
    return bool(re.fullmatch(r"\{\{\s*raw\s*\}\}|\{\{\{\s*raw\s*\}\}\}", pattern))


def _value(match: re.Match[str], values: Mapping[str, Value]) -> str:
    if match["kept"]:
        return match["kept"][1:]
    if match["comment"]:
        return ""
    if match["open"]:
        hint = "close it with }}, or write \\{{ for the braces themselves"
        raise BadExpressionError("`{{` is not closed", hint)
    inside = match["double"] if match["triple"] is None else match["triple"]
    name, argument, options = _words(inside)
    if name not in values:
        hint = near_match(name, sorted(values), "{{{{{}}}}}".format)
        raise BadExpressionError(f"`{{{{{inside}}}}}` is unknown", hint)
    return values[name](argument, options)


def _words(inside: str) -> tuple[str, str | None, dict[str, str]]:
    name = re.match(_NAME, inside)
    words = re.compile(_WORD)
    at = name.end() if name else 0
    argument: str | None = None
    options: dict[str, str] = {}
    while name and (word := words.match(inside, at)):
        if not word["option"] and (options or argument is not None):
            break
        at = word.end()
        text = _text(word)
        if word["option"]:
            options[word["option"]] = text
        elif word["bare"] is None:
            # A bare word names a variable. There are none, so the default is used.
            argument = text
    if not name or inside[at:].strip():
        hint = "write a name, such as {{branch}}"
        raise BadExpressionError(f"`{{{{{inside}}}}}` is not an expression", hint)
    return name[1], argument, options


def _text(word: re.Match[str]) -> str:
    if word["single"] is not None:
        return word["single"].replace("\\'", "'")
    if word["double"] is not None:
        return word["double"].replace('\\"', '"')
    return word["bare"]

"""Expressions in `{{ }}`: a name, or a name with a text and options, as Handlebars writes them.

Other than there nothing is escaped for HTML, and a name that is not known is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    # Gets the text, if there is one, and the options.
    Value = Callable[[str | None, Mapping[str, str]], str]

_EXPRESSION = re.compile(r"\{\{(\{?)(.*?)\}?\}\}", re.DOTALL)
_WORD = re.compile(
    r"""\s*(?:(?P<option>[A-Za-z_][\w]*)=)?(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^\s'"=]+))"""
)


class BadExpressionError(ValueError):
    """An expression that says nothing: what is wrong, and what can be written instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def expand(text: str, values: Mapping[str, Value]) -> str:
    """Return a text with the values of its expressions in it. Raises BadExpressionError."""
    if "{{" not in text:
        return text
    return _EXPRESSION.sub(lambda match: _value(match[2], values), text)


def is_raw(pattern: str) -> bool:
    """Say whether a pattern is `{{raw}}` alone, which keeps a version as it was written."""
    return bool(re.fullmatch(r"\{\{\{?\s*raw\s*\}?\}\}", pattern))


def _value(inside: str, values: Mapping[str, Value]) -> str:
    if inside.startswith("!"):
        return ""
    name, argument, options = _words(inside)
    if name not in values:
        raise BadExpressionError(f"`{{{{{inside}}}}}` is not known", _known(name, values))
    return values[name](argument, options)


def _words(inside: str) -> tuple[str, str | None, dict[str, str]]:
    name, argument, options = "", None, {}
    at = 0
    body = inside.strip()
    while at < len(body):
        word = _WORD.match(body, at)
        if not word:
            break
        at = word.end()
        text = word["single"] if word["single"] is not None else word["double"]
        if word["option"]:
            options[word["option"]] = word["bare"] if text is None else text
        elif not name and text is None:
            name = word["bare"]
        elif text is not None and argument is None:
            argument = text
        elif text is None:
            # A bare word is a name, of something that does not exist: the default is taken.
            continue
        else:
            break
    if not name or body[at:].strip():
        raise BadExpressionError(
            f"`{{{{{inside}}}}}` is not an expression", "write a name, such as {{version}}"
        )
    return name, argument, options


def _known(name: str, values: Mapping[str, Value]) -> str:
    import difflib  # noqa: PLC0415 - only for an error

    close = difflib.get_close_matches(name, values, 1)
    listed = ", ".join(sorted(values))
    return f"did you mean {{{{{close[0]}}}}}?" if close else f"there are {listed}"

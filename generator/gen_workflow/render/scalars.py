"""Writing single values of YAML, so that every reader takes them for what they are.

GitHub reads YAML 1.2, other tools YAML 1.1: a text that either would take for something else is
quoted.
"""

from __future__ import annotations

import json
import re
from typing import Any

# What YAML 1.1 or 1.2 takes for null, booleans, numbers (also in base 60) and dates.
_NOT_TEXT = re.compile(
    r"~|null|true|false|yes|no|on|off|y|n"
    r"|[-+]?(?:\.?[0-9][0-9_.,:]*(?:e[-+]?[0-9]+)?|0[xob][0-9a-f_]+|\.inf)|\.nan"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[A-Za-z0-9_./$(\\^+~][^\n]*")
_BREAKS_PLAIN = re.compile(r": |:$| #|^\.\.\.|[ ]$")
# JSON leaves these as they are; in YAML they would be line breaks or are forbidden.
# Compiled where it is used: hardly any text holds one.
_ESCAPED = r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
_BLOCK_LINE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]*")


def scalar(value: str | int | bool) -> str:  # noqa: FBT001 - YAML has truth values
    """Return a value for one line: plain where every reader agrees, else in double quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _reads_as_itself(value):
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return re.sub(_ESCAPED, lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _reads_as_itself(value: str) -> bool:
    return (
        bool(_PLAIN.fullmatch(value))
        and value.isprintable()
        and not _BREAKS_PLAIN.search(value)
        and not _NOT_TEXT.fullmatch(value)
    )


def block(value: str | int | bool, indent: int) -> str:  # noqa: FBT001 - YAML has truth values
    """Return a value, texts of several lines as a literal block that `indent` blanks set in."""
    if not isinstance(value, str) or "\n" not in value or not _fits_a_block(value):
        return scalar(value)
    head = "|" if value.endswith("\n") else "|-"
    lines = value.removesuffix("\n").split("\n")
    return "\n".join([head, *(" " * indent + line if line else "" for line in lines)])


def _fits_a_block(value: str) -> bool:
    """Whether a literal block keeps the text; its first line sets the depth."""
    lines = value.removesuffix("\n").split("\n")
    return (
        all(_BLOCK_LINE.fullmatch(line) for line in lines)
        and bool(lines[0].strip())
        and not lines[0].startswith((" ", "\t"))
        and bool(lines[-1].strip())
    )


def tree(value: Any, indent: int) -> str:
    """Return data as the lines of a block that `indent` blanks set in, without the last break."""
    lines = []
    margin = " " * indent
    for key, item in value.items() if isinstance(value, dict) else ():
        lines.append(f"{margin}{scalar(key)}:{_behind(item, indent + 2)}")
    for item in value if isinstance(value, (list, tuple)) else ():
        whole = tree(item, indent + 2) if item and isinstance(item, (dict, list)) else ""
        lines.append(f"{margin}- {whole[indent + 2 :] or _behind(item, indent + 2).lstrip()}")
    return "\n".join(lines)


def _behind(value: Any, indent: int) -> str:
    """Return what stands behind a colon: a value on its line, or a block below it."""
    if value is None:
        return ""
    if isinstance(value, (dict, list, tuple)):
        return f"\n{tree(value, indent)}" if value else " {}" if isinstance(value, dict) else " []"
    return f" {block(value, indent)}"

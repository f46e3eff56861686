"""Shows a change of a file as a unified diff, which `patch` and `git apply` take."""

from __future__ import annotations

import re
from difflib import unified_diff

from gen_workflow.report.terminal import harmless

_RESET = "\033[m"
# As git colours it by default.
_COLOURS = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}
_BOLD = "\033[1m"
_NOTHING = "/dev/null"
_NO_NEWLINE = "\\ No newline at end of file"


def between(path: str, before: bytes | None, after: bytes | None) -> list[str]:
    """Return the lines of the diff of a file; None as a content is a file that is not there."""
    old = f"a/{path}" if before is not None else _NOTHING
    new = f"b/{path}" if after is not None else _NOTHING
    found = []
    for line in unified_diff(_lines(before), _lines(after), old, new):
        found.append(line.removesuffix("\n"))
        if not line.endswith("\n"):
            found.append(_NO_NEWLINE)
    return found


def coloured(lines: list[str]) -> list[str]:
    """Return the lines of a diff for a terminal, which obeys nothing in them."""
    shown = []
    for line in lines:
        colour = _BOLD if line.startswith(("+++", "---")) else _COLOURS.get(line[:1], "")
        text = harmless(line)
        shown.append(f"{colour}{text}{_RESET}" if colour else text)
    return shown


def _lines(content: bytes | None) -> list[str]:
    """Return lines with their ends, of which a newline is the only kind, as in git."""
    text = (content or b"").decode("utf-8", "surrogateescape")
    return re.findall(r"[^\n]*\n|[^\n]+", text)

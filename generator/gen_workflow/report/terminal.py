"""Prints results and messages so that no terminal and no runner takes them for commands."""

from __future__ import annotations

import os
import sys

from gen_workflow.errors import DONE, USER_MUST_ACT, Heading, UserError

_WIPE = "\r\x1b[K"  # to the beginning of the line, and erase it
_COLUMNS = 80  # of a terminal that does not tell


def put(text: str) -> int:
    """Print the result in UTF-8, whatever the terminal speaks; return an exit code.

    A reader that stops early, as `head` does, is no error; nor is an output that was closed.
    """
    if sys.stdout is None:
        return DONE
    drawn = _Drawn.text
    draw("")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
        draw(drawn)
    except BrokenPipeError:
        _discard_the_rest()
    except OSError as error:
        _discard_the_rest()
        what = f"the standard output cannot be written: {error.strerror}"
        log(UserError(what, anchor=Heading.FILE).report)
        return USER_MUST_ACT
    return DONE


def has_colours() -> bool:
    """Tell whether the output may have colours: it is a terminal, and NO_COLOR is not set."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def can_redraw() -> bool:
    """Tell whether a line of the standard error can be redrawn; no colours are used for that."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


class _Drawn:
    """The line that is drawn on the terminal; empty when there is none."""

    text = ""


def draw(text: str) -> None:
    """Draw a line on the terminal, in place of the one that is drawn; "" takes it away.

    It stays below all that is printed. It is cut, because only one line can be redrawn.
    """
    if not text and not _Drawn.text:
        return
    _Drawn.text = text
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
        print(_WIPE, harmless(text)[: columns - 1], sep="", end="", file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _discard_the_rest() -> None:
    """Send what Python still writes at its end to /dev/null, because it would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def log(text: str) -> None:
    """Print a message about the run to the standard error, if there is one."""
    if sys.stderr is None:
        return
    drawn = _Drawn.text
    draw("")
    try:
        print(harmless(text), file=sys.stderr, flush=True)
        draw(drawn)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def harmless(text: str) -> str:
    """Return a text that no terminal and no GitHub runner takes for a command.

    The runner obeys `::` at the beginning of a line, and the older `##[` anywhere in it.
    """
    lines = []
    for line in text.split("\n"):
        shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)
        begins = "\\" if shown.lstrip().startswith("::") else ""
        lines.append(begins + shown.replace("##[", "#\\#["))
    return "\n".join(lines)

"""Printing: it can fail, and what is printed may not be obeyed by a terminal or a runner."""

from __future__ import annotations

import os
import sys

from gen_workflow.errors import DONE, USER_MUST_ACT


def put(text: str) -> int:
    """Print what was asked for, in UTF-8 whatever the terminal speaks; return an exit code.

    A reader that had enough, as `head` does, is no error; nor is an output that was closed.
    """
    if sys.stdout is None:
        return DONE
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _swallow_the_rest()
    except OSError as error:
        _swallow_the_rest()
        tell(f"the standard output cannot be written: {error.strerror}")
        return USER_MUST_ACT
    return DONE


def _swallow_the_rest() -> None:
    """Let Python write what is left to nowhere when it ends, where it would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(text: str) -> None:
    """Print something about the run to the standard error, if there is one."""
    if sys.stderr is None:
        return
    try:
        print(harmless(text), file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def harmless(text: str) -> str:
    """Return a text that no terminal takes for a command, and no runner of GitHub's.

    The runner obeys `::` where a line begins, and the older `##[` anywhere in it.
    """
    lines = []
    for line in text.split("\n"):
        shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)
        begins = "\\" if shown.lstrip().startswith("::") else ""
        lines.append(begins + shown.replace("##[", "#\\#["))
    return "\n".join(lines)

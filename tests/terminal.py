"""A terminal in place of the standard error of this process."""

from __future__ import annotations

import errno
import os
import pty
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

WIPE = "\r\x1b[K"  # to the beginning of the line, and erase it


@contextmanager
def on_a_terminal(kind: str = "xterm") -> Iterator[list[str]]:
    """Let the standard error be a terminal; the list holds what was shown there at the end."""
    ours, theirs = pty.openpty()
    shown: list[str] = []
    try:
        with pytest.MonkeyPatch.context() as patched, os.fdopen(theirs, "w") as stderr:
            patched.setattr(sys, "stderr", stderr)
            patched.setenv("TERM", kind)
            yield shown
        shown.append(_rest(ours))
    finally:
        os.close(ours)


def _rest(terminal: int) -> str:
    """Return all that is left; Linux ends it with an error, because nobody can write any more."""
    found = b""
    try:
        while some := os.read(terminal, 4096):
            found += some
    except OSError as error:
        if error.errno != errno.EIO:
            raise
    return found.decode()

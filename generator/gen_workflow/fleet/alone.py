"""Keeps a second run off a fleet: two at once would double the pace, and disturb each other."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.errors import Heading, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of a fleet; the system releases it with the process, however that ends.

    Raises UserError when another run holds it, or when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        what = "the journal cannot be written, so nothing more is changed"
        raise files.problem(error, what, str(path)) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(os.read(lock, 100).decode("utf-8", "replace").strip()) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()}, since {time.strftime('%H:%M')}".encode())
        yield
    finally:
        os.close(lock)


def _taken(by: str) -> UserError:
    what = f"another run changes this fleet ({by or 'it has just begun'}), so nothing was changed"
    hint = "wait until it ends, or end it, and run this again: it does what is still to do"
    return UserError(what, where="fleet apply", hint=hint, anchor=Heading.ANOTHER_RUN)

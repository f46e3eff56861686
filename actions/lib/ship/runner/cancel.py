"""The signals of a cancelled run.

GitHub sends SIGINT and, 7.5 s later, SIGTERM: the first ends the work, and neither ends the
clean-up.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ship.runner.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def listen() -> None:
    """Turn the first signal into Interrupted, wherever the work is."""
    for each in SIGNALS:
        signal.signal(each, _interrupt)


def ignore() -> None:
    """Ignore the signals from now on: what follows must not be interrupted."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


@contextmanager
def held_off() -> Iterator[None]:
    """Ignore the signals meanwhile, so that a clean-up is not interrupted."""
    before = [(each, signal.signal(each, signal.SIG_IGN)) for each in SIGNALS]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Hold the signals back meanwhile, and act on the first one afterwards: for short work.

    Other threads than the main one never get a signal, and may not set a handler.
    """
    import threading  # noqa: PLC0415 - 1 ms, not for a dry run

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = [(each, signal.signal(each, lambda n, _: came.append(n))) for each in SIGNALS]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)
    if came:
        signal.raise_signal(came[0])


def _interrupt(number: int, _: FrameType | None) -> None:
    ignore()
    raise Interrupted.of(f"the run was cancelled ({signal.Signals(number).name})")

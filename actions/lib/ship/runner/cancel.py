"""The signals of a cancelled run.

GitHub sends SIGINT and, 7.5 s later, SIGTERM: the first ends the work, nothing ends the tidying up.
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
    """Be deaf from now on: what follows must come to its end."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


@contextmanager
def held_off() -> Iterator[None]:
    """Do without signals meanwhile, so that what is tidied up is tidied up whole."""
    before = [(each, signal.signal(each, signal.SIG_IGN)) for each in SIGNALS]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Do without signals meanwhile, and heed the first that came afterwards: for what is short."""
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

"""Waiting for what another process or thread does, with room for a machine that is busy."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# Longer than anything takes that works. A test never measures time: it waits this long at most,
# and goes on as soon as it sees what it waits for.
PATIENCE_SECONDS = 90
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.3
# A program that has not ended by then hangs: on two cores with load 50, a deploy took two minutes.
HANG_SECONDS = 600


def wait_until(
    look: Callable[[], T],
    what: str,
    *,
    seen: Callable[[], object] | None = None,
    seconds: float = PATIENCE_SECONDS,
) -> T:
    """Return the first answer of `look` that is true.

    Fails after `seconds` with `what` was waited for, and with what `seen` (or the last look) shows.
    """
    begun = time.monotonic()
    end = begun + seconds
    while not (found := look()):
        now = time.monotonic()
        if now > end:
            shown = seen() if seen else found
            raise AssertionError(f"waited {seconds:g} s in vain until {what}; seen: {shown}")
        # A look may start programs, which take their time from what is waited for.
        time.sleep(min(max(PAUSE_SECONDS, now - begun), LONGEST_PAUSE_SECONDS))
        begun = time.monotonic()
    return found


def uptime_ms() -> int:
    """Return the clock of the machine, by which the actions measure gaps.

    To be compared with what was measured in between, never with a number.
    """
    return round(1000 * float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0]))

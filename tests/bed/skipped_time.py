"""Time that is skipped: who sleeps goes on at once, and every clock is ahead by what was slept.

A program that waits for an hour is then tested in seconds, and a server can count by its time:

    time = SkippedTime.begin(folder)
    FakeGitHub(..., clock=time.now)
    subprocess.run(time.argv("gen_workflow", "fleet", "apply"))

Only the clock of Python is driven; no module of ours is replaced.
"""

from __future__ import annotations

import runpy
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import SupportsIndex

    from typing_extensions import Self

_real, _real_monotonic = time.time, time.monotonic
_FORM = struct.Struct("d")


@dataclass(frozen=True)
class SkippedTime:
    """The seconds that were skipped so far are in a file, which outlives a process."""

    path: Path

    @classmethod
    def begin(cls, folder: Path) -> Self:
        """Return a time in which nothing was skipped yet."""
        made = cls(folder / "skipped-seconds")
        made.path.write_bytes(_FORM.pack(0.0))
        return made

    def skipped(self) -> float:
        """Return how many seconds were skipped."""
        return float(_FORM.unpack(self.path.read_bytes())[0])

    def now(self) -> float:
        """Return the time in seconds, as `time.time` does."""
        return _real() + self.skipped()

    def monotonic(self) -> float:
        """Return what `time.monotonic` does."""
        return _real_monotonic() + self.skipped()

    def sleep(self, seconds: float | SupportsIndex) -> None:
        """Skip some seconds. One who is killed here has slept, or has not."""
        with self.path.open("r+b", buffering=0) as file:
            file.write(_FORM.pack(self.skipped() + float(seconds)))

    def drive(self, setattr: Callable[[object, str, object], None]) -> None:  # noqa: A002
        """Drive the clock of this process; `setattr` may be that of pytest's monkeypatch."""
        for name, tick in (
            ("time", self.now),
            ("monotonic", self.monotonic),
            ("sleep", self.sleep),
        ):
            setattr(time, name, tick)

    def argv(self, module: str, *arguments: str) -> tuple[str, ...]:
        """Return the command that runs a module of Python in this time."""
        return (sys.executable, __file__, str(self.path), module, *arguments)


def main(path: str, module: str, *arguments: str) -> None:
    """Run a module in a time in which seconds are skipped."""
    SkippedTime(Path(path)).drive(setattr)
    sys.path[0] = ""  # as `python -m` has it
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

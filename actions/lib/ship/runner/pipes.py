"""The pipes of a running program: its lines are read as they come, and its input is closed."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from subprocess import Popen

    Sink = Callable[[str], None]

# The end of what a program prints is kept; all of it has gone to the log by then.
KEPT_LINES = 5000
KEPT_CHARACTERS = 4_000_000
# Bytes of one line of a program whose text may be hostile; a longer line comes in pieces.
LONGEST_LINE = 262_144
# A process that a program leaves behind keeps its pipes open. It does not hold up the end of the
# program: its lines are read until it is silent for this long, or for the longer time at most.
SILENCE_SECONDS = 2.0
LATE_LINES_SECONDS = 30.0


class Tail:
    """The last lines of what a program prints, limited in number and in size."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._characters = 0

    def append(self, line: str) -> None:
        self._lines.append(line)
        self._characters += len(line)
        while len(self._lines) > KEPT_LINES or self._characters > KEPT_CHARACTERS:
            self._characters -= len(self._lines.popleft())

    def __iter__(self) -> Iterator[str]:
        # Over a copy: another thread may append meanwhile.
        return iter(tuple(self._lines))

    def __str__(self) -> str:
        return "\n".join(self)


class LineReader(threading.Thread):
    """Reads a pipe line by line, in a thread of its own: two pipes never block each other."""

    def __init__(self, pipe: IO[bytes], sink: Sink | None, longest: int) -> None:
        super().__init__(daemon=True)
        self._longest = longest
        self._pipe = pipe
        self._sink = sink
        self._sink_lock = threading.Lock()
        self._waits_since: float | None = None
        self.ended: float | None = None
        self.lines = Tail()
        self.start()

    def run(self) -> None:
        with self._pipe:
            while raw := self._read():
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                self.lines.append(line)
                with self._sink_lock:
                    if self._sink:
                        self._sink(line)
        self.ended = time.monotonic()

    def _read(self) -> bytes:
        self._waits_since = time.monotonic()
        raw = self._pipe.readline(self._longest)
        self._waits_since = None
        return raw

    def finish(self) -> None:
        """Wait until every line of a program that has ended is in the sink, however slow that is.

        A process that the program left behind does not make this wait for ever.
        """
        since = time.monotonic()
        while self.is_alive() and not self._is_held_open(since):
            self.join(timeout=0.1)
        with self._sink_lock:
            # A line that comes later must not reach a log that is no longer guarded.
            self._sink = None

    def _is_held_open(self, since: float) -> bool:
        now, waits_since = time.monotonic(), self._waits_since
        silent = waits_since is not None and now - max(waits_since, since) > SILENCE_SECONDS
        return silent or now - since > LATE_LINES_SECONDS


def read_lines(
    process: Popen[bytes],
    on_stdout: Sink | None,
    on_stderr: Sink | None,
    longest: int = KEPT_CHARACTERS,
) -> list[LineReader]:
    """Start to read the pipes that a program has: stdout, then stderr.

    A line of more than `longest` bytes comes in pieces, so that it cannot fill the memory.
    """
    pipes = ((process.stdout, on_stdout), (process.stderr, on_stderr))
    return [LineReader(pipe, sink, longest) for pipe, sink in pipes if pipe]


def close(pipe: IO[bytes] | None) -> None:
    """Close the input of a program, which may have ended already."""
    if pipe is None or pipe.closed:
        return
    try:
        pipe.close()
    except BrokenPipeError:
        return

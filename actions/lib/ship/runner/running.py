"""Programs that run beside us: in the background, or while we write to them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import IO, TYPE_CHECKING

from ship.runner.pipes import LONGEST_LINE, close, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from ship.runner.command import Secret
    from ship.runner.pipes import Sink

# GitHub sends SIGTERM 7.5 s after SIGINT and kills 2.5 s later. A program at the remote end of a
# connection gets this long to undo its work before ours are ended.
GRACE_SECONDS = 6.0


class Stream:
    """A program whose lines go to the sinks while it runs.

    `on_end` is called once, when it has ended and all of its lines are in the sinks. Without sinks
    there are no pipes to read and no threads.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        on_stdout: Sink | None,
        on_stderr: Sink | None,
        on_end: Callable[[], None] | None,
    ) -> None:
        self._process = process
        self._on_end = on_end
        self._readers = read_lines(process, on_stdout, on_stderr, LONGEST_LINE)
        self._is_over = threading.Event()
        if self._readers or on_end:
            threading.Thread(target=self._watch, daemon=True).start()
        else:
            self._is_over.set()

    @property
    def ended(self) -> bool:
        """Whether it has ended and all of its lines are in the sinks."""
        return self._process.poll() is not None and self._is_over.is_set()

    @property
    def code(self) -> int:
        """Its exit code, once it has ended."""
        return self._process.poll() or 0

    def _watch(self) -> None:
        self._process.wait()
        for reader in self._readers:
            reader.finish()
        self._after_last_line()
        self._is_over.set()
        if self._on_end:
            self._on_end()

    def _after_last_line(self) -> None:
        close(self._process.stdin)


class Background(Stream):
    """A program that runs beside us. It ends when its input does, so it never outlives us."""

    def stop(self) -> None:
        """End the program, and wait until it has ended and its lines are in the sinks."""
        end(self._process, grace_seconds=GRACE_SECONDS)
        self._is_over.wait()


class Interactive(Stream):
    """A program that we write to while it runs, from any thread; nothing here waits for it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        on_stdout: Sink,
        on_stderr: Sink,
        on_end: Callable[[], None],
    ) -> None:
        from queue import SimpleQueue  # noqa: PLC0415 - 2 ms, which only such a program needs

        self._texts: SimpleQueue[Secret | None] = SimpleQueue()
        threading.Thread(target=self._write, args=(process.stdin,), daemon=True).start()
        super().__init__(process, on_stdout, on_stderr, on_end)

    def write(self, text: Secret) -> None:
        """Write to its input; nothing happens when it has ended."""
        self._texts.put(text)

    def end_input(self) -> None:
        """Close its input after what was written; a second time does nothing."""
        self._texts.put(None)

    def kill(self) -> None:
        """End it at once, with what it has started."""
        if self._process.poll() is None:
            send_signal(self._process, signal.SIGKILL)

    def _write(self, pipe: IO[bytes] | None) -> None:
        # In a thread of its own: a program that does not read must not hold up the others.
        with contextlib.suppress(BrokenPipeError):
            while pipe and (text := self._texts.get()) is not None:
                pipe.write(text.reveal().encode())
                pipe.flush()
        close(pipe)

    def _after_last_line(self) -> None:
        self.end_input()


def end(process: subprocess.Popen[bytes], *, grace_seconds: float) -> None:
    """End a program: close its input, give it time to end by itself, then send signals."""
    close(process.stdin)
    if grace_seconds and _ended(process, grace_seconds):
        return
    send_signal(process, signal.SIGTERM)
    if not _ended(process, 1.0):
        send_signal(process, signal.SIGKILL)
        process.wait()


def send_signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a program and to what it has started."""
    # The whole session: a plugin does not always end with the client that started it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True

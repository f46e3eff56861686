"""Starting programs: the only module that does."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import threading
import time
from collections import deque
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from ship.runner.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ship.runner.command import Command, Secret

    Sink = Callable[[str], None]

# GitHub sends SIGTERM 7.5 s after SIGINT and kills 2.5 s later. A program on the far side of a
# connection gets this long to put things right before ours are ended.
GRACE_SECONDS = 6.0
# Of what a program prints the end is kept; all of it has gone to the log by then.
KEPT_LINES = 5000
KEPT_CHARACTERS = 4_000_000
# Bytes of a line of who is talked to and may be hostile; what is longer comes in pieces.
LONGEST_LINE = 262_144


# Runs a program until it ends, or until our end of the pipe is closed, which even a kill -9 does.
ACCOMPANY = """
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ cat <&3 >/dev/null; kill "$child"; } 2>/dev/null &
exec 3<&- </dev/null
wait "$child"
"""


class Tail:
    """The last lines of what a program prints, within bounds for their number and their size."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._characters = 0

    def append(self, line: str) -> None:
        self._lines.append(line)
        self._characters += len(line)
        while len(self._lines) > KEPT_LINES or self._characters > KEPT_CHARACTERS:
            self._characters -= len(self._lines.popleft())

    def __iter__(self) -> Iterator[str]:
        # Of a copy: more may come meanwhile.
        return iter(tuple(self._lines))


class Finished(NamedTuple):
    """How a program ended: its exit code, what it printed, and how long it took in seconds."""

    code: int
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0


class Runner(Protocol):
    """Runs commands; tests script one."""

    def run(
        self, command: Command, *, on_stdout: Sink | None = None, on_stderr: Sink | None = None
    ) -> Finished: ...

    def run_all(
        self, jobs: Sequence[tuple[Command, Sink]], at_once: int
    ) -> tuple[Finished, ...]: ...


class ProcessRunner:
    """Runs commands as child processes, each in a session of its own.

    A cancelled run reaches only us: what we started is ended here, never left behind.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = {name: value for name, value in env.items() if not is_input(name)}

    def start(self, command: Command, *, stderr: IO[bytes] | None = None) -> Companion:
        """Start a program that runs beside us, such as an agent, and never outlives us."""
        process = subprocess.Popen(
            ("sh", "-c", ACCOMPANY, "sh", *command.argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=stderr or subprocess.DEVNULL,
            env={**self._env, **command.environment()},
            start_new_session=True,
        )
        return Companion(process)

    def converse(
        self, command: Command, *, on_stdout: Sink, on_stderr: Sink, on_end: Callable[[], None]
    ) -> Dialogue:
        """Start a program that is spoken to while it runs; its lines go to the sinks.

        `on_end` is called once, when it has ended and all of its lines have gone. It must be one
        that ends with its input, which ends when we die.
        """
        return Dialogue(_open(command, self._env), on_stdout, on_stderr, on_end)

    def run(
        self, command: Command, *, on_stdout: Sink | None = None, on_stderr: Sink | None = None
    ) -> Finished:
        """Run a program to its end; each line it prints goes to the sinks as it comes."""
        child = _Child(command, self._env, on_stdout, on_stderr)
        try:
            child.feed()
            child.wait()
        except BaseException:
            child.end()
            raise
        finally:
            finished = child.finish()
        return finished

    def run_all(self, jobs: Sequence[tuple[Command, Sink]], at_once: int) -> tuple[Finished, ...]:
        """Run programs side by side, at most so many at once; returns their endings in order.

        Both streams of a program go to its sink. One that fails does not end the others; when we
        are interrupted all of them are ended.
        """
        news = threading.Event()
        children: list[_Child] = []
        try:
            for command, sink in jobs:
                _await(news, lambda: sum(not each.ended for each in children) < at_once)
                children.append(_Child(command, self._env, sink, sink, news))
                children[-1].feed()
            _await(news, lambda: all(each.ended for each in children))
        except BaseException:
            for child in children:
                child.signal_end()
            for child in children:
                child.end()
            raise
        finally:
            finished = tuple(child.finish() for child in children)
        return finished


def _await(news: threading.Event, is_true: Callable[[], bool]) -> None:
    while not is_true():
        # With a limit, because a wait without one would not let a signal through.
        news.wait(timeout=1)
        news.clear()


class _Child:
    """A program that runs, with its pipes."""

    def __init__(
        self,
        command: Command,
        env: Mapping[str, str],
        on_stdout: Sink | None,
        on_stderr: Sink | None,
        news: threading.Event | None = None,
    ) -> None:
        self._command = command
        self._started = time.monotonic()
        self._process = _open(command, env)
        self._out = _Pump(self._process.stdout, on_stdout)
        self._err = _Pump(self._process.stderr, on_stderr)
        if news:
            threading.Thread(target=self._watch, args=(news,), daemon=True).start()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def _watch(self, news: threading.Event) -> None:
        self._process.wait()
        news.set()

    def feed(self) -> None:
        _feed(self._process, self._command)

    def wait(self) -> None:
        self._process.wait()

    def signal_end(self) -> None:
        """Ask it to end, without waiting: so that several end at the same time."""
        if not self._command.hold_stdin and not self.ended:
            _signal(self._process, signal.SIGTERM)

    def end(self) -> None:
        _end(self._process, by_end_of_input=self._command.hold_stdin)

    def finish(self) -> Finished:
        _close(self._process.stdin)
        text, errors = self._out.finish(), self._err.finish()
        seconds = max(self._out.ended, self._err.ended) - self._started
        return Finished(self._process.returncode, text, errors, seconds)


def _open(command: Command, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**env, **command.environment()},
            start_new_session=True,
        )
    except FileNotFoundError:
        program = command.argv[0]
        raise UserError.of(
            f"`{program}` is not on the PATH of the runner",
            hint=f"install {program} on the runner, or use a GitHub-hosted one, which has it",
        ) from None
    except OSError as error:
        if error.errno != errno.E2BIG:
            raise
        raise UserError.of(
            "a secret or another value is longer than a program can be given (128 KiB on Linux)",
            hint="give it as a file, as the input `secret-files` does",
        ) from None


def is_input(name: str) -> bool:
    """Say whether a variable is for us alone: action.yml made it, and it may be a secret."""
    return name.startswith("INPUT_") or name == "JOB_TOKEN"


class Companion:
    """A program that runs beside us."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self) -> None:
        """End the program and wait for that."""
        _end(self._process, by_end_of_input=True)


class Dialogue:
    """A program that is spoken to while it runs, from any thread; nothing here waits for it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        on_stdout: Sink,
        on_stderr: Sink,
        on_end: Callable[[], None],
    ) -> None:
        from queue import SimpleQueue  # noqa: PLC0415 - 2 ms, for what is spoken to alone

        self._process = process
        self._out = _Pump(process.stdout, on_stdout, LONGEST_LINE)
        self._err = _Pump(process.stderr, on_stderr, LONGEST_LINE)
        self._said: SimpleQueue[Secret | None] = SimpleQueue()
        self._on_end = on_end
        self.ended = False
        for work in (self._talk, self._watch):
            threading.Thread(target=work, daemon=True).start()

    @property
    def code(self) -> int:
        """Its exit code, once it has ended."""
        return self._process.poll() or 0

    def say(self, text: Secret) -> None:
        """Write to its input; nothing happens when it has ended."""
        self._said.put(text)

    def end_input(self) -> None:
        """Close its input after what was said; a second time does nothing."""
        self._said.put(None)

    def kill(self) -> None:
        """End it at once, with what it has started."""
        if self._process.poll() is None:
            _signal(self._process, signal.SIGKILL)

    def _talk(self) -> None:
        # A thread of its own: a program that does not read must not hold up the others.
        pipe = self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            while pipe and (text := self._said.get()) is not None:
                pipe.write(text.reveal().encode())
                pipe.flush()
        _close(pipe)

    def _watch(self) -> None:
        self._process.wait()
        self._out.finish()
        self._err.finish()
        self.end_input()
        self.ended = True
        self._on_end()


class _Pump(threading.Thread):
    """Reads a pipe line by line, so that two pipes never block each other."""

    def __init__(self, pipe: IO[bytes] | None, sink: Sink | None, longest: int = -1) -> None:
        super().__init__(daemon=True)
        self._longest = longest
        self._pipe = pipe
        self._sink = sink
        self.ended = time.monotonic()
        self._lines = Tail()
        self.start()

    def run(self) -> None:
        if self._pipe is None:
            return
        with self._pipe:
            while raw := self._pipe.readline(self._longest):
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                self._lines.append(line)
                sink = self._sink
                if sink:
                    sink(line)
        self.ended = time.monotonic()

    def finish(self) -> str:
        """Return the last lines; a grandchild that holds the pipe open is not waited for."""
        self.join(timeout=2)
        # From now on it is silent: a late word of others must not meet an unguarded log.
        self._sink = None
        return "\n".join(self._lines)


def _feed(process: subprocess.Popen[bytes], command: Command) -> None:
    pipe = process.stdin
    if pipe is None:
        return
    try:
        if command.stdin:
            pipe.write(command.stdin.reveal().encode())
            pipe.flush()
    except BrokenPipeError:
        return  # The program ended without reading all; its exit code tells why.
    if not command.hold_stdin:
        _close(pipe)


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is None or pipe.closed:
        return
    try:
        pipe.close()
    except BrokenPipeError:
        return


def _end(process: subprocess.Popen[bytes], *, by_end_of_input: bool) -> None:
    """End a program: by the end of its input where it waits for that, then by signals."""
    _close(process.stdin)
    if by_end_of_input and _ended(process, GRACE_SECONDS):
        return
    _signal(process, signal.SIGTERM)
    if not _ended(process, 1.0):
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The whole session: a plugin does not always end with the client that started it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True

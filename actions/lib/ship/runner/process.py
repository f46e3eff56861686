"""Starting programs: the only module that does."""

from __future__ import annotations

import contextlib
import errno
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Protocol

from ship.runner import cancel
from ship.runner.context import is_input
from ship.runner.errors import UserError
from ship.runner.named_tuple import NamedTuple
from ship.runner.pipes import close, read_lines
from ship.runner.running import Background, Interactive, end, send_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ship.runner.command import Command, Secret
    from ship.runner.pipes import Sink

# Runs a program until it ends, or until our end of the pipe is closed, which even a kill -9 does.
ENDS_WITH_ITS_INPUT = """
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ cat <&3; kill "$child"; } >/dev/null 2>&1 &
guard=$!
exec 3<&- </dev/null >/dev/null 2>&1
wait "$child"
code=$?
kill "$guard"
exit "$code"
"""


class Finished(NamedTuple):
    """How a program ended: its exit code, what it printed, and how long it took in seconds."""

    code: int
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0


class BackgroundProcess(Protocol):
    """A program that runs beside us, such as an agent or a watch, and never outlives us."""

    @property
    def ended(self) -> bool: ...

    @property
    def code(self) -> int: ...

    def stop(self) -> None: ...


class InteractiveProcess(Protocol):
    """A program that we write to while it runs."""

    @property
    def ended(self) -> bool: ...

    @property
    def code(self) -> int: ...

    def write(self, text: Secret) -> None: ...

    def end_input(self) -> None: ...

    def kill(self) -> None: ...


class Runner(Protocol):
    """Starts programs; a test has a scripted one.

    Sinks get one line at a time, from other threads than ours where a program runs beside us.
    """

    def run(
        self, command: Command, *, on_stdout: Sink | None = None, on_stderr: Sink | None = None
    ) -> Finished:
        """Run a program to its end; each line that it prints goes to the sinks as it comes."""

    def run_all(self, jobs: Sequence[tuple[Command, Sink]], at_once: int) -> tuple[Finished, ...]:
        """Run programs side by side, at most so many at once; return their ends in order.

        Both streams of a program go to its sink in the order in which they were printed, and are
        its `stdout`. The next program starts when one has ended and its sink has all its lines.
        A program that fails does not end the others; when we are interrupted all of them are ended.
        """

    def start(
        self,
        command: Command,
        *,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> BackgroundProcess:
        """Start a program that runs beside us and reads no input; its lines go to the sinks.

        `on_end` is called once, when it has ended and all of its lines are in the sinks.
        """

    def interact(
        self, command: Command, *, on_stdout: Sink, on_stderr: Sink, on_end: Callable[[], None]
    ) -> InteractiveProcess:
        """Start a program that we write to while it runs; the same holds for sinks and `on_end`.

        It must be one that ends with its input, which ends when we die.
        """


class ProcessRunner:
    """Runs commands as child processes, each in a session of its own.

    A cancelled run reaches only us: what we started is ended here, never left behind.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = {name: value for name, value in env.items() if not is_input(name)}

    def run(
        self, command: Command, *, on_stdout: Sink | None = None, on_stderr: Sink | None = None
    ) -> Finished:
        children: list[_Child] = []
        try:
            self._begin(children, command, on_stdout, on_stderr)
            children[0].wait()
        except BaseException:
            _end_all(children)
            raise
        finally:
            finished = [child.finish() for child in children]
        return finished[0]

    def run_all(self, jobs: Sequence[tuple[Command, Sink]], at_once: int) -> tuple[Finished, ...]:
        changed = threading.Event()
        children: list[_Child] = []
        try:
            for command, sink in jobs:
                _await(changed, lambda: sum(not each.is_done for each in children) < at_once)
                self._begin(children, command, sink, changed=changed, stderr=subprocess.STDOUT)
            _await(changed, lambda: all(each.is_done for each in children))
        except BaseException:
            _end_all(children)
            raise
        finally:
            finished = tuple(child.finish() for child in children)
        return finished

    def start(
        self,
        command: Command,
        *,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> BackgroundProcess:
        process = self._open(
            command._replace(argv=("sh", "-c", ENDS_WITH_ITS_INPUT, "sh", *command.argv)),
            stdout=subprocess.PIPE if on_stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE if on_stderr else subprocess.DEVNULL,
        )
        return Background(process, on_stdout, on_stderr, on_end)

    def interact(
        self, command: Command, *, on_stdout: Sink, on_stderr: Sink, on_end: Callable[[], None]
    ) -> InteractiveProcess:
        return Interactive(self._open(command), on_stdout, on_stderr, on_end)

    def _begin(
        self,
        children: list[_Child],
        command: Command,
        on_stdout: Sink | None,
        on_stderr: Sink | None = None,
        *,
        changed: threading.Event | None = None,
        stderr: int = subprocess.PIPE,
    ) -> None:
        """Start a program, add it to those that are ended with us, and write its input."""
        started = time.monotonic()
        # A signal between the start and the list would leave a process behind that no list has.
        with cancel.deferred():
            process = self._open(command, stderr=stderr)
            children.append(_Child(started, process, on_stdout, on_stderr, changed))
        children[-1].feed(command)

    def _open(
        self, command: Command, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command.argv,
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                env={**self._env, **command.environment()},
                start_new_session=True,
            )
        except FileNotFoundError:
            program = command.argv[0]
            raise UserError.of(
                f"`{program}` is not on the PATH of the runner",
                hint=f"install {program} on the runner, or use a GitHub-hosted one, which has it",
                anchor="a-program-that-the-runner-does-not-have",
            ) from None
        except OSError as error:
            if error.errno != errno.E2BIG:
                raise
            raise UserError.of(
                "a secret or another value is longer than a program can take (128 KiB on Linux)",
                hint="use a file, for example with the input `secret-files`",
                anchor="too-long",
            ) from None


class _Child:
    """A program that runs to its end. Without a pipe for stderr both streams come in one."""

    def __init__(
        self,
        started: float,
        process: subprocess.Popen[bytes],
        on_stdout: Sink | None,
        on_stderr: Sink | None = None,
        changed: threading.Event | None = None,
    ) -> None:
        self._started = started
        self._process = process
        self._readers = read_lines(process, on_stdout, on_stderr)
        # Whether it has ended and all of its lines are in the sinks.
        self.is_done = False
        if changed:
            threading.Thread(target=self._watch, args=(changed,), daemon=True).start()

    def _watch(self, changed: threading.Event) -> None:
        self._process.wait()
        self._finish_reading()
        self.is_done = True
        changed.set()

    def feed(self, command: Command) -> None:
        """Write its whole input."""
        pipe = self._process.stdin
        if pipe and command.stdin:
            # It may end without reading all; its exit code says why.
            with contextlib.suppress(BrokenPipeError):
                pipe.write(command.stdin.reveal().encode())
                pipe.flush()
        close(pipe)

    def wait(self) -> None:
        self._process.wait()

    def signal_end(self) -> None:
        """Ask it to end, without waiting: so that several end at the same time."""
        if self._process.poll() is None:
            send_signal(self._process, signal.SIGTERM)

    def end(self) -> None:
        end(self._process, grace_seconds=0)

    def finish(self) -> Finished:
        """Return how it ended, once its lines are in the sinks."""
        if not self.is_done:
            self._finish_reading()
        ended = max(reader.ended or self._started for reader in self._readers)
        out, errors = [*(str(reader.lines) for reader in self._readers), ""][:2]
        return Finished(self._process.returncode, out, errors, ended - self._started)

    def _finish_reading(self) -> None:
        for reader in self._readers:
            reader.finish()


def _end_all(children: Sequence[_Child]) -> None:
    for child in children:
        child.signal_end()
    for child in children:
        child.end()


def _await(changed: threading.Event, is_true: Callable[[], bool]) -> None:
    while not is_true():
        # With a limit, because a wait without one would not let a signal through.
        changed.wait(timeout=1)
        changed.clear()

"""One session on a host: what we send, what the host answers, and how the session ended."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from ship.runner.command import Command
from ship.ssh import bootstrap
from ship.ssh.refusal import no_shell, silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from ship.runner.command import Secret
    from ship.runner.errors import ShipError
    from ship.runner.process import InteractiveProcess, Runner
    from ship.ssh.target import Target

# From the start of ssh to the first answer of the host: connection, key exchange, login, and the
# login scripts of the host, which may be slow.
READY_SECONDS = 60
# A process that was left on the host may hold the connection open when the script has ended.
GONE_SECONDS = 3
KEPT_LINES = 50
# The exit code of ssh itself; that of a command passes through (ssh(1), EXIT STATUS).
SSH_FAILED = 255
# The exit code of sshd where it finds /etc/nologin by itself, without PAM (session.c, do_nologin).
NOLOGIN_CODE = 254


class Session:
    """A session on a host, from the first attempt to connect.

    `mark` is a random word in every message of the host to us: `ship-ready MARK` says that it
    listens, `ship-gone MARK N` that its shell ended with exit code N.
    """

    def __init__(
        self,
        target: Target,
        changed: threading.Event,
        on_line: Callable[[str], None],
        on_stderr: Callable[[str], None],
    ) -> None:
        self.target = target
        self.mark = os.urandom(16).hex()
        self._changed = changed
        self._on_line = on_line
        self._on_stderr = on_stderr
        self._message = re.compile(
            rf"(.*)ship-(?:(ready) {self.mark}|gone {self.mark} ([0-9]{{1,3}}))"
        )
        self._ready = False
        self._error: ShipError | None = None
        self._exit_code: int | None = None
        self._process: InteractiveProcess | None = None
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        # Wakes up the thread that waits for this session.
        self._turn = threading.Event()
        self._given_up = threading.Event()
        self._over = threading.Event()

    @property
    def ready(self) -> bool:
        """Whether the host has answered: from then on there is no retry."""
        return self._ready

    @property
    def error(self) -> ShipError | None:
        """Why there is no connection; set once, and final."""
        return self._error

    @property
    def ended(self) -> bool:
        """Whether there was no connection, or ssh has ended and all lines are delivered."""
        return self._over.is_set()

    @property
    def exit_code(self) -> int | None:
        """The exit code of the shell on the host; None until the host reports it.

        The host cannot report it when the connection was lost. A killed shell has 128 plus the
        signal.
        """
        return self._exit_code

    def send(self, text: Secret) -> None:
        """Give the host more to run, once it is ready; it runs the text whole or not at all.

        A lost connection is no error here: `ended` shows it.
        """
        if self._process and self._ready:
            self._process.write(bootstrap.whole(text))

    def end_input(self) -> None:
        """Send nothing more: the host undoes what is not finished, and ends."""
        self.give_up()
        if self._process:
            self._process.end_input()

    def stop(self, grace_seconds: float) -> None:
        """End the input, wait for the host to undo and end, and then end the connection."""
        self.end_input()
        if not self._over.wait(grace_seconds):
            self.kill()

    def kill(self) -> None:
        """End the connection at once; the host notices and undoes its work by itself."""
        if self._process:
            self._process.kill()

    # Only the connector uses what follows, and all but `give_up` only in the thread of the session.

    def attempt(self, argv: tuple[str, ...], preamble: Secret, runner: Runner) -> str | None:
        """Log in once. Returns None when the host has answered, else the error text of ssh.

        Raises ShipError when the host let us log in but does not run our command.
        """
        self._said.clear()
        self._turn.clear()
        command = Command((*argv, bootstrap.command(self.mark)), f"log in to {self.target}")
        process = self._process = runner.interact(
            command, on_stdout=self._take, on_stderr=self._take_error, on_end=self._wake
        )
        # At once, to save a round trip: ssh sends nothing before the host key is verified.
        process.write(bootstrap.first(preamble, self.mark))
        deadline = time.monotonic() + READY_SECONDS
        while not (self._ready or process.ended or self._given_up.is_set()):
            if time.monotonic() > deadline:
                process.kill()
                raise silent(self.target, READY_SECONDS)
            self._turn.wait(1)
            self._turn.clear()
        return None if self._ready else self._refused(process)

    def _refused(self, process: InteractiveProcess) -> str:
        if self._given_up.is_set():
            process.kill()
            return "given up"
        said = "\n".join(self._said)
        if process.code == NOLOGIN_CODE:
            return f"/etc/nologin exists: {said}"
        # A signal, which has a negative code, was ours.
        if self._exit_code is not None or 0 <= process.code < SSH_FAILED:
            raise no_shell(self.target, said)
        return said

    def pause(self, seconds: float) -> bool:
        """Wait before the next attempt; returns whether to give up."""
        return self._given_up.wait(seconds)

    def give_up(self) -> None:
        """Make no more attempts to connect."""
        self._given_up.set()
        self._turn.set()

    def fail(self, error: ShipError) -> None:
        """Note why there is no connection."""
        self._error = error

    def close(self) -> None:
        """Note that there are no more attempts."""
        if not self._ready or (self._process and self._process.ended):
            self._over.set()
        self._changed.set()

    def _wake(self) -> None:
        if self._ready:
            self._over.set()
        self._turn.set()
        self._changed.set()

    def _take(self, line: str) -> None:
        message = self._message.fullmatch(line)
        rest = message[1] if message else line
        if not self._ready and not message:
            # Output of a login script, or the reason why the host refuses the login.
            self._said.append(line)
        elif rest or not message:
            self._on_line(rest)
        if message:
            self._note(message)
        self._changed.set()

    def _note(self, message: re.Match[str]) -> None:
        if message[2]:
            self._ready = True
        else:
            self._exit_code = int(message[3])
            self._hang_up()
        self._turn.set()

    def _hang_up(self) -> None:
        process = self._process
        if process:
            process.end_input()
            timer = threading.Timer(GONE_SECONDS, process.kill)
            timer.daemon = True
            timer.start()

    def _take_error(self, line: str) -> None:
        if self._ready:
            self._on_stderr(line)
        else:
            self._said.append(line)
        self._changed.set()

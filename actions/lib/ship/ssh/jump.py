"""Connections through jump hosts, which are opened once and shared by all targets."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING

from ship.runner.command import Command
from ship.runner.errors import ShipError
from ship.runner.pipes import Tail
from ship.ssh.login import log_in

if TYPE_CHECKING:
    from ship.runner.process import BackgroundProcess
    from ship.ssh.login import Client

# For name look-up, connection, key exchange and login together.
READY_SECONDS = 30
NO_REASON = "Stdio forwarding request failed"
UNSHARED = ("-o", "ControlPath=none")


class Jumps:
    """Connections to the jump hosts, each through the one before, opened when first needed.

    Twenty targets need one login on a jump host, and an error names the jump host that failed.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._open: dict[int, BackgroundProcess] = {}
        # The additional options of ssh that opened each connection.
        self._options: dict[int, tuple[str, ...]] = {}
        self._error: ShipError | None = None

    def open(self) -> None:
        """Return when all jump hosts are connected. Raises ShipError, without a later retry."""
        with self._lock:
            if self._error:
                raise self._error
            try:
                for number in range(len(self._client.access.jumps)):
                    self._open_one(number)
            except ShipError as error:
                self._error = error
                raise

    def past_sharing(self, said: str) -> tuple[str, ...]:
        """Return options of ssh for a retry without the shared connection, if that can help.

        A shared connection reports why it does not reach a target, but not to the session of that
        target: `said` has no reason then.
        """
        last = len(self._client.access.jumps) - 1
        if last < 0 or NO_REASON not in said:
            return ()
        options = ("-F", self._client.folder.config, *self._options.get(last, ()), *UNSHARED)
        return ("-o", f"ProxyCommand=ssh {' '.join(options)} -W [%h]:%p jump-{last}")

    def give_up(self) -> None:
        """Make no more attempts to connect."""
        self._closed.set()

    def close(self) -> None:
        """End all connections, and open no more."""
        self.give_up()
        with self._lock:
            for process in reversed(self._open.values()):
                process.stop()

    def _open_one(self, number: int) -> None:
        known = self._open.get(number)
        if known and not known.ended:
            return
        if known:
            known.stop()
        log_in(
            self._client.access.jumps[number],
            lambda options: self._attempt(number, options),
            self._client,
            self._closed.wait,
            jump=True,
        )

    def _attempt(self, number: int, options: tuple[str, ...]) -> str | None:
        folder, said = self._client.folder, Tail()
        socket = folder.socket(number)
        with contextlib.suppress(FileNotFoundError):
            os.remove(socket)
        argv = ("ssh", "-F", folder.config, "-o", "ControlMaster=yes", *options, "-N")
        command = Command((*argv, f"jump-{number}"), why="log in to a jump host")
        process = self._client.runner.start(command, on_stderr=said.append)
        self._open[number] = process
        deadline = time.monotonic() + READY_SECONDS
        while not os.path.exists(socket) and not process.ended and time.monotonic() < deadline:
            if self._closed.wait(0.01):
                return "given up"
        if os.path.exists(socket) and not process.ended:
            self._options[number] = options
            return None
        late = not process.ended
        process.stop()
        return f"{said}\nno answer within {READY_SECONDS} s" if late else str(said)

"""The proxy of kubectl, which logs in to the cluster in every way that kubectl knows.

It listens on a socket in a folder that only our user may enter, never on a port: every process of
the machine could use a port.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from ship.runner.command import Command
from ship.runner.errors import StepFailed
from ship.runner.pipes import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ship.runner.process import BackgroundProcess, Runner

START_SECONDS = 60.0
READY = "Starting to serve on"
# ~/.kube/kuberc can change what options of kubectl mean.
QUIET = {"KUBERC": "off"}


def kubectl(*argv: str, why: str, options: Sequence[str] = ()) -> Command:
    """Return a command of kubectl; `options` say which kubeconfig and which context."""
    return Command(("kubectl", *argv, *options), why, env=QUIET)


class Proxy:
    """`kubectl proxy`, which starts beside what its user does until he needs it."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, "api.sock")
        self._said = Tail()
        self._serves, self._changed = False, threading.Event()

    def start(self, runner: Runner, options: Sequence[str]) -> BackgroundProcess:
        command = kubectl(
            "proxy", f"--unix-socket={self.path}", why="log in to the cluster", options=options
        )
        return runner.start(
            command,
            on_stdout=self._on_line,
            on_stderr=self._said.append,
            on_end=self._changed.set,
        )

    def when_it_serves(self) -> str:
        """Return the path of its socket, once it serves. Raises StepFailed."""
        self._changed.wait(START_SECONDS)
        if not self._serves:
            raise StepFailed.of(
                f"kubectl could not start its proxy: {_words(self._said)}",
                hint="run `kubectl version` in a step before, with the same kubeconfig",
                anchor="kubectl-could-not-start-its-proxy",
            )
        return self.path

    def _on_line(self, line: str) -> None:
        self._said.append(line)
        if READY in line:
            self._serves = True
            self._changed.set()


@contextlib.contextmanager
def proxy(runner: Runner, folder: str, options: Sequence[str]) -> Iterator[Callable[[], str]]:
    """Run `kubectl proxy` meanwhile; gives `when_it_serves`. It logs in with the first request."""
    made = Proxy(folder)
    process = made.start(runner, options)
    try:
        yield made.when_it_serves
    finally:
        process.stop()


def _words(said: Tail) -> str:
    """Return what kubectl has said; of an error the last lines may be advice alone."""
    text = " ".join(" ".join(said).split())
    return text[-1000:] or "it said nothing within 60 seconds"

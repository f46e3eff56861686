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
    from collections.abc import Iterator, Sequence

    from ship.runner.process import Runner

START_SECONDS = 60.0
READY = "Starting to serve on"
# ~/.kube/kuberc can change what options of kubectl mean.
QUIET = {"KUBERC": "off"}


def kubectl(*argv: str, why: str, options: Sequence[str] = ()) -> Command:
    """Return a command of kubectl; `options` say which kubeconfig and which context."""
    return Command(("kubectl", *argv, *options), why, env=QUIET)


@contextlib.contextmanager
def proxy(runner: Runner, folder: str, options: Sequence[str]) -> Iterator[str]:
    """Run `kubectl proxy` meanwhile; gives the path of its socket. Raises StepFailed."""
    path = os.path.join(folder, "api.sock")
    said, changed = Tail(), threading.Event()
    ready = threading.Event()

    def on_line(line: str) -> None:
        said.append(line)
        if READY in line:
            ready.set()
            changed.set()

    command = kubectl(
        "proxy", f"--unix-socket={path}", why="log in to the cluster", options=options
    )
    process = runner.start(command, on_stdout=on_line, on_stderr=said.append, on_end=changed.set)
    try:
        changed.wait(START_SECONDS)
        if not ready.is_set():
            raise StepFailed.of(
                f"kubectl could not start its proxy: {_words(said)}",
                hint="run `kubectl version` in a step before, with the same kubeconfig",
                anchor="kubectl-could-not-start-its-proxy",
            )
        yield path
    finally:
        process.stop()


def _words(said: Tail) -> str:
    """Return what kubectl has said; of an error the last lines may be advice alone."""
    text = " ".join(" ".join(said).split())
    return text[-1000:] or "it said nothing within 60 seconds"

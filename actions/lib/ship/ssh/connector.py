"""Connections to several hosts at once, which leave nothing behind."""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ship.runner import cancel
from ship.runner.errors import ShipError, StepFailed
from ship.runner.running import GRACE_SECONDS
from ship.ssh.agent import add_key, start_agent
from ship.ssh.config import Folder
from ship.ssh.jump import Jumps
from ship.ssh.login import Client, log_in
from ship.ssh.session import Session
from ship.ssh.trust import check_trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ship.runner.command import Secret
    from ship.runner.process import BackgroundProcess, Runner
    from ship.ssh.access import Access
    from ship.ssh.target import Target

# A thread ends as soon as its ssh has ended.
THREAD_SECONDS = 5


@contextmanager
def connect(
    targets: Sequence[Target],
    access: Access,
    runner: Runner,
    tell: Callable[[str], None],
) -> Iterator[Connector]:
    """Prepare connections to hosts; raises ShipError when the key or the trust cannot work.

    `tell` gets sentences for the log, from any thread, one at a time. Afterwards all sessions are
    closed and all files are removed.
    """
    # The path of a socket is limited to about 90 characters, which RUNNER_TEMP alone may have. The
    # name is made before the folder, so that a signal in between leaves no folder behind.
    folder = Folder(f"/tmp/ship-{os.urandom(8).hex()}")  # noqa: S108 - made by us, for us alone
    started: list[BackgroundProcess | Connector] = []
    try:
        os.mkdir(folder.path, mode=0o700)
        folder.fill(access, targets)
        check_trust(targets, access, folder, runner)
        agent = start_agent(folder, runner)
        started.append(agent)
        add_key(agent, access, folder, runner)
        connector = Connector(targets, Client(access, folder, runner, _one_at_a_time(tell)))
        started.append(connector)
        yield connector
    finally:
        with cancel.held_off():
            for each in reversed(started):
                each.stop()
            _remove(folder)


def _remove(folder: Folder) -> None:
    shutil.rmtree(folder.path, ignore_errors=True)


def _one_at_a_time(tell: Callable[[str], None]) -> Callable[[str], None]:
    lock = threading.Lock()

    def tell_alone(text: str) -> None:
        with lock:
            tell(text)

    return tell_alone


class Connector:
    """Opens sessions on the hosts of a run."""

    def __init__(self, targets: Sequence[Target], client: Client) -> None:
        # Set whenever the state of a session has changed.
        self.changed = threading.Event()
        self._aliases = {target: f"target-{i}" for i, target in enumerate(targets)}
        self._client = client
        self._jumps = Jumps(client)
        self._sessions: list[tuple[Session, threading.Thread]] = []

    def open(
        self,
        target: Target,
        preamble: Callable[[str], Secret],
        *,
        on_line: Callable[[str], None],
        on_stderr: Callable[[str], None],
    ) -> Session:
        """Start to connect, and return at once; `ready` or `error` shows the outcome.

        `preamble` returns shell text for the mark of the session: what the host runs first. The
        text ends by printing `ship-ready MARK`, and may run more than once when the connection
        fails before. The lines come from other threads: those of stdout without the output of login
        scripts, those of stderr once the host is ready.
        """
        session = Session(target, self.changed, on_line, on_stderr)
        work = (session, preamble(session.mark))
        thread = threading.Thread(target=self._connect, args=work, daemon=True)
        self._sessions.append((session, thread))
        thread.start()
        return session

    def stop(self) -> None:
        """End all sessions; each host gets time to undo what it has not finished."""
        self._jumps.give_up()
        for session, _ in self._sessions:
            session.end_input()
        deadline = time.monotonic() + GRACE_SECONDS
        for session, _ in self._sessions:
            session.stop(max(0, deadline - time.monotonic()))
        for _, thread in self._sessions:
            thread.join(THREAD_SECONDS)
        self._jumps.close()

    def _connect(self, session: Session, preamble: Secret) -> None:
        try:
            self._log_in(session, preamble)
        except ShipError as error:
            session.fail(error)
        except Exception as error:
            # A bug of ours; the deploy must still not wait for this thread for ever.
            session.fail(StepFailed.of(f"connecting failed: {type(error).__name__}: {error}"))
            raise
        finally:
            session.close()

    def _log_in(self, session: Session, preamble: Secret) -> None:
        ssh = ("ssh", "-F", self._client.folder.config)
        alias = ("-T", self._aliases[session.target])

        def attempt(options: tuple[str, ...]) -> str | None:
            self._jumps.open()
            said = session.attempt((*ssh, *options, *alias), preamble, self._client.runner)
            past = self._jumps.past_sharing(said or "")
            if past:
                argv = (*ssh, *options, *past, *alias)
                said = session.attempt(argv, preamble, self._client.runner)
            return said

        log_in(session.target, attempt, self._client, session.pause, jump=False)

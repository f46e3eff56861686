"""Running the phases of a program on several hosts: all get ready first, then group by group.

Within a phase each host works on its own. When one fails, or the run is cancelled, we close the
input of all sessions, and each host undoes by itself what is not committed. The same happens when
we are killed.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from ship.runner import cancel
from ship.runner.errors import ShipError
from ship.runner.pipes import Tail
from ship.ssh_deploy.facts import Facts
from ship.ssh_deploy.program import call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ship.runner.command import Secret
    from ship.ssh import Target
    from ship.ssh.connector import Connector
    from ship.ssh.session import Session
    from ship.ssh_deploy.program import Phase, Program, Value

# GitHub kills 10 s after its first signal: what a host has not reported by then, it finishes alone.
CANCELLED_SECONDS = 6.0
# To stop the new version and start the old one, even when the engine restarts meanwhile.
UNDO_SECONDS = 120.0


class Host:
    """One host during a deploy."""

    def __init__(self, target: Target, program: Program) -> None:
        self.target = target
        self.session: Session | None = None
        self.facts = Facts()
        # An error that we found in the facts of the host.
        self.error: ShipError | None = None
        # Whether it failed by itself, and not because another did.
        self.failed = False
        # The last lines that the commands of `script` printed to their standard output.
        self.output = Tail()
        self.program = program
        self._waiting = list(program.phases)

    def open(self, connector: Connector, tell: Callable[[str], None]) -> None:
        """Begin to connect."""
        whys = {phase.name: phase.why for phase in self.program.phases}

        def on_line(line: str) -> None:
            before, is_output = len(self.facts.begun), self.facts.runs_commands
            said = self.facts.take(line)
            if said is not None:
                if is_output:
                    self.output.append(said)
                tell(said)
            for name in self.facts.begun[before:]:
                tell(f"{name}: {whys.get(name, name)}")

        def preamble(mark: str) -> Secret:
            self.facts.mark = mark
            return self.program.preamble(mark)

        self.session = connector.open(self.target, preamble, on_line=on_line, on_stderr=tell)

    def send_through(self, last: Phase, *, is_first: bool) -> None:
        """Send the phases up to this one, on other hosts without those for the first host alone."""
        if last not in self._waiting:
            return
        number = self._waiting.index(last) + 1
        phases, self._waiting = self._waiting[:number], self._waiting[number:]
        names = [phase.name for phase in phases if is_first or not phase.first_host]
        if self.session:
            functions = self.program.sent_with(names)
            self.session.send(call(*names, parameters=self._answers(), functions=functions))

    def _answers(self) -> dict[str, Value]:
        ended = self.facts.ended[-1] if self.facts.ended else ""
        return (
            dict(self.program.answers[ended](self.facts)) if ended in self.program.answers else {}
        )

    def is_through(self, phase: Phase) -> bool:
        """Whether a phase has ended well."""
        return phase.name in self.facts.ended or (phase.name == "leave" and self.facts.is_good)

    @property
    def is_ready(self) -> bool:
        """Whether the host listens."""
        return self.session is not None and self.session.ready

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes from the host."""
        over = self.session is None or self.session.ended
        return over or self.facts.finished or self.error is not None


class Rollout:
    """Runs a program on all hosts."""

    def __init__(
        self, program: Program, hosts: Sequence[Host], connector: Connector, group_size: int
    ) -> None:
        self._program = program
        self._hosts = tuple(hosts)
        self._connector = connector
        self._group_size = group_size

    def run(self, tell: Callable[[Host, str], None]) -> bool:
        """Run all phases on all hosts; return whether all succeeded.

        If not, the hosts that had switched are rolled back. Raises Interrupted after the same.
        """
        seconds = CANCELLED_SECONDS
        try:
            for host in self._hosts:
                host.open(self._connector, partial(tell, host))
            done = all(self._do(phase, group) for phase, group in self._steps())
            seconds = UNDO_SECONDS
        finally:
            with cancel.held_off():
                self._leave(seconds)
        return done

    def _steps(self) -> Iterator[tuple[Phase, Sequence[Host]]]:
        """Yield the steps: a phase, and the hosts that must have ended it before the next step."""
        phases, first = self._program.phases, self._hosts[:1]
        if len(self._hosts) == 1:
            # No other host to wait for: we send all phases at once, up to one that needs our
            # answer.
            stops = [phase for phase in phases if phase.name in self._program.answers]
            yield from ((phase, first) for phase in (*stops, phases[-1]))
            return
        for phase in phases:
            if phase.first_host:
                yield phase, first
            elif phase.name == "lock":
                # One after another, and by name: two deploys that share any hosts, in whatever
                # order, meet at the first of these, and cannot lock each other out.
                in_order = sorted(
                    self._hosts, key=lambda host: (host.target.host, host.target.port)
                )
                yield from ((phase, (host,)) for host in in_order)
            elif phase.in_groups:
                yield from ((phase, group) for group in self._groups())
            else:
                yield phase, self._hosts

    def _groups(self) -> Iterator[Sequence[Host]]:
        for start in range(0, len(self._hosts), self._group_size):
            yield self._hosts[start : start + self._group_size]

    def _do(self, phase: Phase, hosts: Sequence[Host]) -> bool:
        self._await(lambda: all(host.is_ready or host.is_over for host in hosts))
        if self._has_failed(phase):
            return False
        # A cancel between two hosts would let some keep what the others undo.
        with cancel.deferred() if phase.name == "commit" else nullcontext():
            for host in hosts:
                self._send(host, phase)
        others = [host for host in self._hosts if host not in hosts]
        self._await(
            lambda: (
                all(host.is_through(phase) or host.is_over for host in hosts)
                # A host that had switched and is lost: the others must roll back at once.
                or any(host.is_over for host in others)
            )
        )
        return not self._has_failed(phase)

    def _has_failed(self, phase: Phase) -> bool:
        """Say whether any host has ended before the end of a phase; notes which."""
        for host in self._hosts:
            host.failed = host.is_over and not host.is_through(phase)
        return any(host.failed for host in self._hosts)

    def _send(self, host: Host, phase: Phase) -> None:
        try:
            host.send_through(phase, is_first=host is self._hosts[0])
        except ShipError as error:
            host.error = error

    def _await(self, is_true: Callable[[], bool], seconds: float = 0) -> None:
        changed, deadline = self._connector.changed, time.monotonic() + seconds
        while not is_true() and not (seconds and time.monotonic() > deadline):
            # With a limit, because a wait without one would not let a signal through.
            changed.wait(timeout=0.5)
            changed.clear()

    def _leave(self, seconds: float) -> None:
        sessions = [host.session for host in self._hosts if host.session]
        for session in sessions:
            session.end_input()
        self._await(lambda: all(host.is_over for host in self._hosts), seconds)
        for session in sessions:
            session.stop(grace_seconds=0.0)

"""A session against a scripted ssh: what counts as an answer, and what as the end."""

from __future__ import annotations

import threading

import pytest

from bed.waiting import PATIENCE_SECONDS, wait_until
from doubles import ScriptedProcess, ScriptedRunner
from ship.runner.command import Secret
from ship.runner.errors import UserError
from ship.ssh import Target
from ship.ssh.session import Session

ARGV = ("ssh", "target-0")
PREAMBLE = Secret("define")


class Line:
    """A session and all that comes of it."""

    def __init__(self, process: ScriptedProcess) -> None:
        self.lines: list[str] = []
        self.process = process
        self.session = Session(
            Target("h1", "deploy"), threading.Event(), self.lines.append, self.lines.append
        )

    def attempt(self) -> str | None:
        return self.session.attempt(ARGV, PREAMBLE, ScriptedRunner(processes=[self.process]))

    def ready(self) -> None:
        self.process.print(f"ship-ready {self.session.mark}")


def test_a_host_is_ready_when_it_says_the_mark_of_the_session() -> None:
    process = ScriptedProcess("Welcome", "ship-ready guessed")
    line = Line(process)
    starter = threading.Thread(target=line.attempt)
    starter.start()
    wait_until(lambda: process.written, "the script was sent")
    assert not line.session.ready
    line.ready()
    starter.join(PATIENCE_SECONDS)
    assert line.session.ready
    process.print("a fact")
    assert line.lines == ["a fact"]
    line.session.send(Secret("phase look"))
    assert process.written[-1] == "{\nphase look\n}\n"


def test_a_host_that_lets_us_in_and_runs_nothing_is_a_wrong_user() -> None:
    process = ScriptedProcess("This account is for file transfer only")
    process.end(1)
    with pytest.raises(UserError, match="for file transfer only"):
        Line(process).attempt()


def test_what_ssh_says_is_returned_where_it_could_not_connect() -> None:
    process = ScriptedProcess("ssh: connect to host h1 port 22: Connection refused")
    process.end(255)
    assert Line(process).attempt() == "ssh: connect to host h1 port 22: Connection refused"

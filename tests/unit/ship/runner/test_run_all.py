from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from ship.runner.command import Command, Secret
from ship.runner.errors import UserError
from ship.runner.process import ProcessRunner

ENV = {"PATH": "/usr/bin:/bin"}


def shell(script: str) -> Command:
    return Command(("sh", "-c", script), why="try")


def ignore(_: str) -> None:
    pass


def test_endings_come_in_the_order_of_the_programs() -> None:
    jobs = [(shell("sleep 0.2; exit 3"), ignore), (shell("echo two"), ignore)]
    first, second = ProcessRunner(ENV).run_all(jobs, at_once=2)
    assert (first.code, second.code, second.stdout) == (3, 0, "two")
    assert first.seconds >= 0.2 > second.seconds


def test_programs_run_side_by_side() -> None:
    # Each waits for the other: one after the other they would never end.
    meet = "exec 8<>{0}; exec 9<>{1}; echo x >&8; read -r _ <&9"
    pipes = [f"/tmp/meet-{os.getpid()}-{number}" for number in (1, 2)]
    for pipe in pipes:
        os.mkfifo(pipe)
    try:
        jobs = [(shell(meet.format(*pipes)), ignore), (shell(meet.format(*pipes[::-1])), ignore)]
        assert [done.code for done in ProcessRunner(ENV).run_all(jobs, at_once=2)] == [0, 0]
    finally:
        for pipe in pipes:
            Path(pipe).unlink()


def test_no_more_than_asked_run_at_once() -> None:
    seen: list[str] = []
    jobs = [(shell(f"echo start; sleep 0.1; echo end {number}"), seen.append) for number in "abc"]
    ProcessRunner(ENV).run_all(jobs, at_once=1)
    assert seen == ["start", "end a", "start", "end b", "start", "end c"]


def test_a_program_starts_when_all_lines_of_the_one_before_have_been_shown() -> None:
    seen: list[str] = []

    def slow(line: str) -> None:
        time.sleep(0.3)
        seen.append(line)

    jobs = [(shell("echo one; echo two"), slow), (shell("echo three"), seen.append)]
    ProcessRunner(ENV).run_all(jobs, at_once=1)
    assert seen == ["one", "two", "three"]


def test_the_two_streams_of_a_program_keep_their_order() -> None:
    seen: list[str] = []
    script = "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done"
    (done,) = ProcessRunner(ENV).run_all([(shell(script), seen.append)], at_once=1)
    assert seen == [f"{stream} {number}" for number in range(1, 10) for stream in ("out", "err")]
    assert done.stdout.splitlines() == seen


def test_a_process_that_is_left_behind_holds_up_no_other_program() -> None:
    seen: list[str] = []
    jobs = [(shell("sleep 60 & echo one"), seen.append), (shell("echo two"), seen.append)]
    ends = ProcessRunner(ENV).run_all(jobs, at_once=1)
    assert [done.code for done in ends] == [0, 0]
    assert seen == ["one", "two"]


def test_one_that_fails_does_not_end_the_others() -> None:
    jobs = [(shell("exit 1"), ignore), (shell("sleep 0.3; echo done"), ignore)]
    assert ProcessRunner(ENV).run_all(jobs, at_once=2)[1].stdout == "done"


def test_a_missing_program_ends_those_that_run() -> None:
    started = time.monotonic()
    jobs = [(shell("exec sleep 30"), ignore), (Command(("no-such-program",), why="x"), ignore)]
    with pytest.raises(UserError, match="not on the PATH"):
        ProcessRunner(ENV).run_all(jobs, at_once=2)
    assert time.monotonic() - started < 5


def test_an_interrupted_run_ends_all_programs_at_the_same_time() -> None:
    # Each takes 2 s to end; one after the other would be 6.
    slow = shell("trap 'sleep 2; exit 0' TERM; while :; do sleep 0.05; done")
    main = threading.main_thread().ident
    assert main
    timer = threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGUSR1))

    def interrupt(*_: object) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGUSR1, interrupt)
    started = time.monotonic()
    timer.start()
    try:
        with pytest.raises(InterruptedError):
            ProcessRunner(ENV).run_all([(slow, ignore)] * 3, at_once=3)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - started < 5


def test_a_secret_in_the_environment_reaches_the_program_in_the_clear() -> None:
    command = Command(("sh", "-c", 'echo "$TOKEN"'), why="read", env={"TOKEN": Secret("hunter2")})
    assert ProcessRunner(ENV).run(command).stdout == "hunter2"
    assert "hunter2" not in repr(command)

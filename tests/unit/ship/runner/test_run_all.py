from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from ship.runner.command import Command, Secret
from ship.runner.errors import UserError
from ship.runner.process import ProcessRunner

if TYPE_CHECKING:
    from pathlib import Path

ENV = {"PATH": "/usr/bin:/bin"}


def shell(script: str) -> Command:
    return Command(("sh", "-c", script), why="try")


def ignore(_: str) -> None:
    pass


def test_endings_come_in_the_order_of_the_programs(tmp_path: Path) -> None:
    # The first ends when the second has said its word.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    jobs = [(shell(f"sleep 0.2; read -r _ <{pipe}; exit 3"), ignore)]
    jobs += [(shell(f"echo two; echo >{pipe}"), ignore)]
    first, second = ProcessRunner(ENV).run_all(jobs, at_once=2)
    assert (first.code, second.code, second.stdout) == (3, 0, "two")
    assert first.seconds >= 0.2


def test_programs_run_side_by_side(tmp_path: Path) -> None:
    # Each waits for the other: one after the other they would never end.
    meet = "exec 8<>{0}; exec 9<>{1}; echo x >&8; read -r _ <&9"
    pipes = [tmp_path / "one", tmp_path / "two"]
    for pipe in pipes:
        os.mkfifo(pipe)
    jobs = [(shell(meet.format(*pipes)), ignore), (shell(meet.format(*pipes[::-1])), ignore)]
    assert [done.code for done in ProcessRunner(ENV).run_all(jobs, at_once=2)] == [0, 0]


@pytest.mark.parametrize(("at_once", "met"), [(1, False), (3, True)])
def test_no_more_than_asked_run_at_once(tmp_path: Path, at_once: int, met: bool) -> None:  # noqa: FBT001
    # Only one at a time can make the folder; where several may run, they wait until they have met.
    wait = f"until [ -e {tmp_path}/met ]; do sleep 0.02; done" if met else "sleep 0.1"
    alone = f"mkdir {tmp_path}/busy 2>/dev/null || {{ : >{tmp_path}/met; exit 4; }}"
    jobs = [(shell(f"{alone}; {wait}; rmdir {tmp_path}/busy"), ignore)] * 3
    codes = [done.code for done in ProcessRunner(ENV).run_all(jobs, at_once=at_once)]
    assert (4 in codes) == met, codes
    assert set(codes) <= {0, 4}, codes


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


def is_running(word: str) -> bool:
    """Return whether a program has this word among its arguments."""
    listed = subprocess.run(("ps", "-eww", "-o", "stat=,args="), capture_output=True, check=True)
    lines = listed.stdout.decode(errors="replace").splitlines()
    return any(word in line and not line.startswith("Z") for line in lines)


def test_a_missing_program_ends_those_that_run(tmp_path: Path) -> None:
    endless = ("tail", "-f", "/dev/null", str(tmp_path))
    with subprocess.Popen(endless, stderr=subprocess.DEVNULL) as shown:
        assert is_running(str(tmp_path)), "a program that runs is found"
        shown.kill()
    jobs = [(Command(endless, why="x"), ignore), (Command(("no-such-program",), why="x"), ignore)]
    with pytest.raises(UserError, match="not on the PATH"):
        ProcessRunner(ENV).run_all(jobs, at_once=2)
    assert not is_running(str(tmp_path))


# Is ready when its input was closed. Ends when it is asked to and sees that all others were asked,
# too; gives up on them at last.
END_TOGETHER = """
end() {{
  trap '' TERM
  : >asked.$$
  for _ in $(seq 3000); do
    set -- asked.*
    [ $# != 3 ] || {{ : >ended.$$; exit 0; }}
    sleep 0.02
  done
  exit 1
}}
cd {folder}
trap end TERM
cat
echo ready
while :; do sleep 0.02; done
"""


def test_an_interrupted_run_ends_all_programs_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The time after which one that does not end is killed stands still.
    monkeypatch.setattr("subprocess._time", lambda: 0.0)
    main = threading.main_thread().ident
    assert main
    ready: list[str] = []

    def interrupt_when_all_are_ready(line: str) -> None:
        ready.append(line)
        if len(ready) == 3:
            signal.pthread_kill(main, signal.SIGUSR1)

    def interrupt(*_: object) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGUSR1, interrupt)
    jobs = [(shell(END_TOGETHER.format(folder=tmp_path)), interrupt_when_all_are_ready)] * 3
    try:
        with pytest.raises(InterruptedError):
            ProcessRunner(ENV).run_all(jobs, at_once=3)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(list(tmp_path.glob("asked.*"))) == 3
    assert len(list(tmp_path.glob("ended.*"))) == 3


def test_a_secret_in_the_environment_reaches_the_program_in_the_clear() -> None:
    command = Command(("sh", "-c", 'echo "$TOKEN"'), why="read", env={"TOKEN": Secret("hunter2")})
    assert ProcessRunner(ENV).run(command).stdout == "hunter2"
    assert "hunter2" not in repr(command)

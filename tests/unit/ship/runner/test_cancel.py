"""Signals of a cancelled run, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIB = Path(__file__).parents[4] / "actions" / "lib"
PROGRAM = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from ship.runner import cancel
cancel.listen()
try:
    with cancel.deferred():
        for name in sys.argv[2:]:
            os.kill(os.getpid(), getattr(signal, name))
        print("whole")
    print("went on")
except cancel.Interrupted as error:
    print(error)
"""


def said(*names: str) -> list[str]:
    argv = (sys.executable, "-c", PROGRAM, str(LIB), *names)
    return subprocess.run(argv, check=True, text=True, capture_output=True).stdout.splitlines()


def test_a_signal_that_is_deferred_takes_effect_after_the_short_work() -> None:
    assert said("SIGINT", "SIGTERM") == ["whole", "the run was cancelled (SIGINT)"]


def test_without_a_signal_the_work_continues() -> None:
    assert said() == ["whole", "went on"]


# A signal comes when a program has started, before anybody can have noted it.
STRUCK = """
import os, signal, subprocess, sys
sys.path.insert(0, sys.argv[1])
from ship.runner import cancel
from ship.runner.command import Command
from ship.runner.process import ProcessRunner


class Struck(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print(self.pid, flush=True)
        os.kill(os.getpid(), signal.SIGINT)


subprocess.Popen = Struck
cancel.listen()
runner, command = ProcessRunner(dict(os.environ)), Command(("sleep", "3600"), why="be left over")
try:
    if sys.argv[2] == "run":
        runner.run(command)
    else:
        runner.run_all([(command, print)], at_once=1)
except cancel.Interrupted as error:
    print(error)
"""


@pytest.mark.parametrize("way", ["run", "run_all"])
def test_a_program_that_starts_while_the_run_is_cancelled_is_ended(way: str) -> None:
    argv = (sys.executable, "-c", STRUCK, str(LIB), way)
    done = subprocess.run(argv, check=True, text=True, capture_output=True)
    pid, reported = done.stdout.splitlines()
    assert reported == "the run was cancelled (SIGINT)"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)

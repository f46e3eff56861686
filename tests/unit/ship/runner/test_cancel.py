"""Signals of a cancelled run, in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_a_signal_that_is_deferred_is_heeded_after_what_was_whole() -> None:
    assert said("SIGINT", "SIGTERM") == ["whole", "the run was cancelled (SIGINT)"]


def test_without_a_signal_it_goes_on() -> None:
    assert said() == ["whole", "went on"]

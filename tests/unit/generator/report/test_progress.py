"""How far a run is: one line that is redrawn on a terminal, and a line now and then elsewhere."""

from __future__ import annotations

import os
import pty
import re
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gen_workflow.report.progress import Progress
from gen_workflow.report.terminal import log, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIPE = "\r\x1b[K"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which the test moves."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """The standard error is a terminal; return what it was sent since the last time."""
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        yield lambda: os.read(ours, 4096).decode()
    os.close(ours)


def test_a_terminal_has_one_line_which_every_output_takes_away(
    terminal: Callable[[], str], capfd: pytest.CaptureFixture[str]
) -> None:
    with Progress("opening", ["a/one", "a/two", "a/three"]) as progress:
        assert terminal() == f"{WIPE}opening 1 of 3: a/one"
        log("it has changed meanwhile")
        assert terminal() == f"{WIPE}it has changed meanwhile\r\n"
        progress.forward(1)
        assert terminal() == f"{WIPE}opening 2 of 3: a/two"
        put("a/two: done\n")
        assert terminal() == WIPE
        progress.forward(1)
        terminal()
    assert terminal() == WIPE
    assert capfd.readouterr().out == "a/two: done\n"


def test_a_line_is_cut_before_it_fills_the_terminal(terminal: Callable[[], str]) -> None:
    with Progress("opening", ["a/" + 100 * "x"]):
        assert terminal() == f"{WIPE}opening 1 of 1: a/{61 * 'x'}"


def test_a_terminal_that_cannot_redraw_gets_lines_now_and_then(
    terminal: Callable[[], str], clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with Progress("opening", ["a/one", "a/two"]) as progress:
        clock[0] += 31
        progress.forward(1)
    assert terminal() == "opening 2 of 2: a/two\r\n"


def test_a_log_gets_no_line_before_half_a_minute_and_no_two_in_one(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"a/{n}" for n in range(1, 101)]
    with Progress("opening", names) as progress:
        for _ in names:
            clock[0] += 1
            progress.forward(1)
    said = capsys.readouterr()
    assert said.err.splitlines() == [f"opening {n} of 100: a/{n}" for n in (31, 61, 91)]
    assert said.out == ""


def test_the_end_is_that_of_the_limits_or_of_the_time_that_was_needed_if_that_is_later(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "localtime", time.gmtime)
    with Progress("opening", 8 * ["a/one"], lambda left: 60.0 * left) as progress:
        for passed in (60, 480, 86400):
            clock[0] = 1000.0 + passed
            progress.forward(2)
    found = re.findall(r"opening (\d) of 8: a/one, until about (.+)", capsys.readouterr().err)
    assert found == [("3", "00:06"), ("5", "00:08"), ("7", "08:00")]


def test_nothing_to_do_says_nothing(terminal: Callable[[], str]) -> None:
    with Progress("opening", []):
        pass
    log("end")
    assert terminal() == "end\r\n"

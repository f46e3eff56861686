"""How far a run is: one line that is redrawn on a terminal, and a line now and then elsewhere."""

from __future__ import annotations

import re
import time

import pytest

from gen_workflow.report.progress import Progress
from gen_workflow.report.terminal import log, put
from terminal import WIPE, on_a_terminal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which the test moves."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_terminal_has_one_line_which_stays_below_all_that_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with on_a_terminal() as shown:
        with Progress("opening", ["a/one", "a/two", "a/three"]) as progress:
            log("it has changed meanwhile")
            progress.forward(1)
            put("a/two: done\n")
            progress.forward(1)
        log("the end")
    assert shown[0].split(WIPE) == [
        "",
        "opening 1 of 3: a/one",
        "it has changed meanwhile\r\n",
        "opening 1 of 3: a/one",
        "opening 2 of 3: a/two",
        "",
        "opening 2 of 3: a/two",
        "opening 3 of 3: a/three",
        "the end\r\n",
    ]
    assert capsys.readouterr().out == "a/two: done\n"


def test_a_line_is_cut_before_it_fills_the_terminal_and_nothing_to_do_has_none() -> None:
    with on_a_terminal() as shown:
        with Progress("opening", []):
            pass
        with Progress("opening", ["a/" + 100 * "x"]):
            pass
    assert shown == [f"{WIPE}{'opening 1 of 1: a/':x<79}{WIPE}"]


def test_a_terminal_that_cannot_redraw_gets_lines_now_and_then(clock: list[float]) -> None:
    with on_a_terminal("dumb") as shown, Progress("opening", ["a/one", "a/two"]) as progress:
        clock[0] += 31
        progress.forward(1)
    assert shown == ["opening 2 of 2: a/two\r\n"]


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

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from bed.waiting import wait_until
from ship.runner.command import Command, Secret
from ship.runner.errors import UserError
from ship.runner.pipes import KEPT_CHARACTERS, Tail
from ship.runner.process import ProcessRunner

if TYPE_CHECKING:
    from pathlib import Path

ENV = {"PATH": "/usr/bin:/bin", "INPUT_PASSWORD": "hunter2", "JOB_TOKEN": "ghs_x"}


def test_a_program_gets_none_of_our_inputs() -> None:
    shown = ProcessRunner(ENV).run(Command(("env",), why="look")).stdout
    assert "PATH=/usr/bin:/bin" in shown
    assert "hunter2" not in shown
    assert "ghs_x" not in shown


def test_both_streams_come_line_by_line_and_whole() -> None:
    seen: list[str] = []
    script = "echo one; echo two >&2; printf 'no end'; exit 7"
    done = ProcessRunner(ENV).run(Command(("sh", "-c", script), why="try"), on_stdout=seen.append)
    assert (done.code, done.stdout, done.stderr) == (7, "one\nno end", "two")
    assert seen == ["one", "no end"]


def test_all_lines_reach_a_slow_log_after_the_program_has_ended() -> None:
    seen: list[str] = []

    def slow(line: str) -> None:
        time.sleep(0.1)
        seen.append(line)

    ProcessRunner(ENV).run(Command(("seq", "25"), why="count"), on_stdout=slow)
    assert seen == [str(number) for number in range(1, 26)]


def test_a_secret_arrives_on_stdin() -> None:
    done = ProcessRunner(ENV).run(Command(("cat",), why="read", stdin=Secret("a\nb")))
    assert done.stdout == "a\nb"


def test_a_program_that_reads_nothing_is_no_error() -> None:
    command = Command(("true",), why="ignore", stdin=Secret("x" * 1_000_000))
    assert ProcessRunner(ENV).run(command).code == 0


def test_bytes_that_are_no_text_are_no_error() -> None:
    done = ProcessRunner(ENV).run(Command(("printf", r"\377\n"), why="print"))
    assert done.stdout == "\N{REPLACEMENT CHARACTER}"


def test_of_many_lines_the_last_are_kept() -> None:
    done = ProcessRunner(ENV).run(Command(("seq", "6000"), why="count"))
    assert done.stdout.splitlines() == [str(number) for number in range(1001, 6001)]


def test_of_long_lines_fewer_are_kept() -> None:
    tail = Tail()
    for number in range(50):
        tail.append(f"{number:02}" + "x" * 199_998)
    assert [line[:2] for line in tail] == [f"{number}" for number in range(30, 50)]


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    script = f"head -c {3 * KEPT_CHARACTERS - 1} /dev/zero | tr '\\0' x"
    pieces: list[int] = []
    done = ProcessRunner(ENV).run(
        Command(("sh", "-c", script), why="print"), on_stdout=lambda line: pieces.append(len(line))
    )
    assert pieces == [KEPT_CHARACTERS, KEPT_CHARACTERS, KEPT_CHARACTERS - 1]
    assert len(done.stdout) == KEPT_CHARACTERS - 1


def test_a_missing_program_is_named() -> None:
    with pytest.raises(UserError, match="`nowhere` is not on the PATH of the runner"):
        ProcessRunner(ENV).run(Command(("nowhere",), why="try"))


def test_a_late_word_of_a_grandchild_is_not_passed_on(tmp_path: Path) -> None:
    seen: list[str] = []
    late = f"until [ -e {tmp_path}/late ]; do sleep 0.02; done; echo '::warning::late'"
    script = f"({late}; : >{tmp_path}/said) & echo now"
    threads = threading.active_count()
    ProcessRunner(ENV).run(Command(("sh", "-c", script), why="try"), on_stdout=seen.append)
    (tmp_path / "late").touch()
    wait_until((tmp_path / "said").exists, "the grandchild has said its late word")
    wait_until(lambda: threading.active_count() <= threads, "its pipes are read to their end")
    assert seen == ["now"]

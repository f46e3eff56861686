"""Programs that run beside us: in the background, or while we write to them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from bed.waiting import PATIENCE_SECONDS, wait_until
from ship.runner.command import Command, Secret
from ship.runner.process import ProcessRunner

if TYPE_CHECKING:
    from ship.runner.process import BackgroundProcess, InteractiveProcess

RUNNER = ProcessRunner({"PATH": "/usr/bin:/bin"})


class Talk:
    """A program that we write to."""

    def __init__(self, script: str) -> None:
        self.out: list[str] = []
        self.err: list[str] = []
        self.over = threading.Event()
        self.process: InteractiveProcess = RUNNER.interact(
            Command(("sh", "-c", script), why="talk"),
            on_stdout=self.out.append,
            on_stderr=self.err.append,
            on_end=self.over.set,
        )

    def await_word(self, word: str) -> None:
        wait_until(
            lambda: word in self.out and word in self.err,
            f"{word} has come back twice",
            seen=lambda: (self.out, self.err),
        )


class Watch:
    """A program that prints and reads nothing."""

    def __init__(self, script: str) -> None:
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.over = threading.Event()
        self.process: BackgroundProcess = RUNNER.start(
            Command(("sh", "-c", script), why="watch"),
            on_stdout=self.lines.append,
            on_stderr=self.errors.append,
            on_end=self.over.set,
        )


def test_it_answers_while_it_runs() -> None:
    talk = Talk('while read -r word; do echo "$word"; echo "$word" >&2; done; exit 3')
    for word in ("one", "two"):
        talk.process.write(Secret(f"{word}\n"))
        talk.await_word(word)
    assert not talk.process.ended
    talk.process.end_input()
    assert talk.over.wait(PATIENCE_SECONDS)
    assert talk.process.ended
    assert talk.process.code == 3


def test_nothing_waits_for_one_that_does_not_read() -> None:
    talk = Talk("sleep 60")
    talk.process.write(Secret("x" * 1_000_000))
    talk.process.end_input()
    assert not talk.process.ended
    talk.process.kill()
    assert talk.over.wait(PATIENCE_SECONDS)
    assert talk.process.code == -9


def test_a_text_to_one_that_has_ended_is_no_error() -> None:
    talk = Talk("echo last; exit 0")
    assert talk.over.wait(PATIENCE_SECONDS)
    assert talk.out == ["last"]
    talk.process.write(Secret("anybody?\n"))
    talk.process.end_input()
    talk.process.kill()
    assert talk.process.code == 0


def test_the_end_is_reported_after_the_last_line() -> None:
    talk = Talk("for i in 1 2 3 4 5 6 7 8 9; do echo $i; done; printf end")
    assert talk.over.wait(PATIENCE_SECONDS)
    assert talk.out[-1] == "end"


def test_a_line_without_an_end_comes_in_pieces() -> None:
    talk = Talk("head -c 600000 /dev/zero | tr '\\0' x; printf '\\nlast\\n'")
    assert talk.over.wait(PATIENCE_SECONDS)
    assert [len(line) for line in talk.out] == [262144, 262144, 75712, 4]


def test_a_watch_gives_each_line_while_it_runs(tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    script = f"echo one; until [ -e {go_on} ]; do sleep 0.01; done; echo two; exit 4"
    watch = Watch(script)
    wait_until(lambda: watch.lines == ["one"], "it prints one", seen=lambda: watch.lines)
    assert not watch.process.ended
    go_on.touch()
    assert watch.over.wait(PATIENCE_SECONDS)
    assert watch.lines == ["one", "two"]
    assert watch.process.ended
    assert watch.process.code == 4


def test_a_watch_that_is_stopped_has_ended_and_given_its_lines() -> None:
    watch = Watch("trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.01; done")
    wait_until(lambda: watch.lines == ["hello"], "it is up", seen=lambda: watch.lines)
    watch.process.stop()
    assert watch.process.ended
    assert watch.lines == ["hello", "bye"]
    assert watch.errors == [], "the shell around it prints nothing"


def test_a_background_process_ends_with_us_and_by_itself(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"echo $$ >{pid}; exec sleep 60"
    process = RUNNER.start(Command(("sh", "-c", script), why="wait"))
    wait_until(lambda: pid.exists() and pid.read_text(), "it has written its pid")
    assert not process.ended
    process.stop()
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()
    short = RUNNER.start(Command(("true",), why="end"))
    wait_until(lambda: short.ended, "the short one has ended")
    short.stop()

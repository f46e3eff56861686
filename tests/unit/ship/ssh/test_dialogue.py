"""A program that is spoken to while it runs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ship.runner.command import Command, Secret
from ship.runner.process import Dialogue, ProcessRunner

if TYPE_CHECKING:
    from collections.abc import Callable


class Talk:
    def __init__(self, script: str) -> None:
        self.out: list[str] = []
        self.err: list[str] = []
        self.over = threading.Event()
        runner = ProcessRunner({"PATH": "/usr/bin:/bin"})
        self.dialogue: Dialogue = runner.converse(
            Command(("sh", "-c", script), why="talk"),
            on_stdout=self.out.append,
            on_stderr=self.err.append,
            on_end=self.over.set,
        )


def await_true(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_answers_while_it_runs() -> None:
    talk = Talk('while read -r word; do echo "$word"; echo "$word" >&2; done; exit 3')
    for word in ("one", "two"):
        talk.dialogue.say(Secret(f"{word}\n"))
        await_true(lambda word=word: word in talk.out and word in talk.err)  # type: ignore[misc] # bound now
    assert not talk.dialogue.ended
    talk.dialogue.end_input()
    assert talk.over.wait(5)
    assert talk.dialogue.ended
    assert talk.dialogue.code == 3


def test_nothing_waits_for_one_that_does_not_read() -> None:
    talk = Talk("sleep 60")
    started = time.monotonic()
    talk.dialogue.say(Secret("x" * 1_000_000))
    talk.dialogue.end_input()
    assert time.monotonic() - started < 10
    talk.dialogue.kill()
    assert talk.over.wait(5)
    assert talk.dialogue.code == -9


def test_a_word_to_one_that_has_ended_is_no_error() -> None:
    talk = Talk("echo last; exit 0")
    assert talk.over.wait(5)
    assert talk.out == ["last"]
    talk.dialogue.say(Secret("anybody?\n"))
    talk.dialogue.end_input()
    talk.dialogue.kill()
    assert talk.dialogue.code == 0


def test_the_end_is_told_after_the_last_word() -> None:
    talk = Talk("for i in 1 2 3 4 5 6 7 8 9; do echo $i; done; printf end")
    assert talk.over.wait(5)
    assert talk.out[-1] == "end"


def test_a_line_without_an_end_comes_in_pieces() -> None:
    talk = Talk("head -c 600000 /dev/zero | tr '\\0' x; printf '\\nlast\\n'")
    assert talk.over.wait(5)
    assert [len(line) for line in talk.out] == [262144, 262144, 75712, 4]

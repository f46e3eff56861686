"""A program that is spoken to while it runs."""

from __future__ import annotations

import threading

from bed.waiting import PATIENCE_SECONDS, wait_until
from ship.runner.command import Command, Secret
from ship.runner.process import Dialogue, ProcessRunner


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

    def await_end(self) -> None:
        assert self.over.wait(PATIENCE_SECONDS), self.out

    def await_word(self, word: str) -> None:
        wait_until(
            lambda: word in self.out and word in self.err,
            f"{word} has come back twice",
            seen=lambda: (self.out, self.err),
        )


def test_it_answers_while_it_runs() -> None:
    talk = Talk('while read -r word; do echo "$word"; echo "$word" >&2; done; exit 3')
    for word in ("one", "two"):
        talk.dialogue.say(Secret(f"{word}\n"))
        talk.await_word(word)
    assert not talk.dialogue.ended
    talk.dialogue.end_input()
    talk.await_end()
    assert talk.dialogue.ended
    assert talk.dialogue.code == 3


def test_nothing_waits_for_one_that_does_not_read() -> None:
    talk = Talk("exec sleep 3600")
    talk.dialogue.say(Secret("x" * 1_000_000))
    talk.dialogue.end_input()
    assert not talk.dialogue.ended
    talk.dialogue.kill()
    talk.await_end()
    assert talk.dialogue.code == -9


def test_a_word_to_one_that_has_ended_is_no_error() -> None:
    talk = Talk("echo last; exit 0")
    talk.await_end()
    assert talk.out == ["last"]
    talk.dialogue.say(Secret("anybody?\n"))
    talk.dialogue.end_input()
    talk.dialogue.kill()
    assert talk.dialogue.code == 0


def test_the_end_is_told_after_the_last_word() -> None:
    talk = Talk("for i in 1 2 3 4 5 6 7 8 9; do echo $i; done; printf end")
    talk.await_end()
    assert talk.out[-1] == "end"


def test_a_line_without_an_end_comes_in_pieces() -> None:
    talk = Talk("head -c 600000 /dev/zero | tr '\\0' x; printf '\\nlast\\n'")
    talk.await_end()
    assert [len(line) for line in talk.out] == [262144, 262144, 75712, 4]

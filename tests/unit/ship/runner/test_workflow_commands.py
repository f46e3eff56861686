from __future__ import annotations

from typing import TYPE_CHECKING

from doubles import Log
from ship.runner.command import Secret
from ship.runner.workflow_commands import SUMMARY_LIMIT

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "x\n::set-output name=a::b\nEOF\ninjected=1\n::add-mask::e"


def test_an_error_of_several_lines_stays_one_command(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.workflow.error("100%\nnext: line", title="a:b,c")
    assert log.text == "::error title=a%3Ab%2Cc::100%25%0Anext: line\n"


def test_text_of_others_is_never_taken_for_a_command(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with log.workflow.untrusted():
        log.workflow.say(HOSTILE)
    first, *_, last = log.text.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert first != token
    assert last == f"::{token}::"
    assert HOSTILE.count(token) == 0


def test_an_output_of_any_text_is_read_back_as_it_was(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.workflow.output("text", HOSTILE)
    log.workflow.output("next", "1")
    assert log.outputs == {"text": HOSTILE, "next": "1"}


def test_half_a_character_from_elsewhere_ends_no_step(tmp_path: Path) -> None:
    """As an answer in JSON can hold it."""
    log = Log(tmp_path)
    log.workflow.output("text", "a\ud800b")
    log.workflow.summary("a\ud800b")
    assert log.outputs == {"text": "a?b"}
    assert log.summary == "a?b\n"


def test_every_line_of_a_secret_is_masked_but_not_the_frame_of_a_key(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.workflow.mask(Secret("-----BEGIN X-----\nabc%\ndef\n-----END X-----\n"))
    assert log.text == "::add-mask::abc%25\n::add-mask::def\n"


def test_a_summary_never_exceeds_what_github_takes(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for _ in range(3):
        log.workflow.summary("x" * SUMMARY_LIMIT)
    assert len(log.summary) <= SUMMARY_LIMIT + 3

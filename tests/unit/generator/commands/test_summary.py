"""The job summary of the action: what is long is cut, so that GitHub does not drop all of it."""

from __future__ import annotations

from gen_workflow.commands import summary

_A_THIRD_OF_GITHUBS_LIMIT = 1024 * 1024 // 3


def test_three_blocks_of_any_text_fit_into_a_summary() -> None:
    for character in ("x", "€", "\x85", "😀"):
        shown = summary.fenced(character * 400_000)
        assert len(shown.encode()) < _A_THIRD_OF_GITHUBS_LIMIT
        assert shown.endswith("\n... the log has the rest\n```")
    assert summary.fenced("x\n", "diff") == "```diff\nx\n```"

from __future__ import annotations

import pytest

from ship.runner.summary import cell, fence, table


@pytest.mark.parametrize("text", ["plain", "```\nescape\n```", "a ````` b"])
def test_a_fence_is_longer_than_any_run_of_backticks_inside(text: str) -> None:
    opening = fence(text).splitlines()[0].removesuffix("text")
    assert set(opening) == {"`"}
    assert opening not in text


def test_a_table_cell_shows_hostile_text_as_text() -> None:
    assert cell("a|b <img> `x`\n[l](u)") == "a\\|b &lt;img> \\`x\\` \\[l\\](u)"


def test_a_table_has_its_titles_above_a_line_and_a_line_for_each_row() -> None:
    assert table(("Host", "Result"), [("a", "deployed"), ("b", "")]) == (
        "| Host | Result |\n| --- | --- |\n| a | deployed |\n| b |  |\n"
    )

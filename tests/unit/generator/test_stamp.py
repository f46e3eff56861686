"""The machine line: what it covers."""

from __future__ import annotations

import pytest

from gen_workflow import stamp

TEXT = stamp.sign("# Generated.\n#\n\nname: x\n", spec=b"image: .\n", generator="g")


def test_the_line_ends_the_comment_that_begins_the_file() -> None:
    lines = TEXT.splitlines()
    assert lines[:2] == ["# Generated.", "#"]
    assert lines[2].startswith("# gen-workflow: spec=")
    assert lines[3:] == ["", "name: x"]


def test_an_untouched_file_is_not_edited() -> None:
    found = stamp.of(TEXT.encode())
    assert found is not None
    assert (found.edited, found.generator) == (False, "g")
    assert found.spec == stamp.digest(b"image: .\n")


@pytest.mark.parametrize(
    "edited",
    [TEXT + "\n", TEXT.replace("name", "nam"), TEXT.replace("# Gen", "# gen"), "\n" + TEXT],
)
def test_any_change_is_an_edit(edited: str) -> None:
    found = stamp.of(edited.encode())
    assert found is not None
    assert found.edited


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name: x\n",
        "# gen-workflow: spec=1\n",
        "x # gen-workflow: spec=1 generator=2 content=3\n",
    ],
)
def test_a_file_without_the_line_is_not_ours(text: str) -> None:
    assert stamp.of(text.encode()) is None


def test_parts_cannot_be_moved_between_each_other() -> None:
    assert stamp.digest(b"ab", b"c") != stamp.digest(b"a", b"bc")


def test_line_ends_make_no_difference() -> None:
    assert stamp.digest(b"a\r\nb\r\n") == stamp.digest(b"a\nb\n")

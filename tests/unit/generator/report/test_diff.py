"""Diffs as people and as programs read them."""

from __future__ import annotations

from gen_workflow.report import diff


def test_a_file_that_is_made_and_one_that_goes_have_no_other_side() -> None:
    assert diff.between("a.yml", None, b"x\n") == [
        "--- /dev/null",
        "+++ b/a.yml",
        "@@ -0,0 +1 @@",
        "+x",
    ]
    assert diff.between("a.yml", b"x\n", None)[:2] == ["--- a/a.yml", "+++ /dev/null"]


def test_the_end_of_a_file_is_as_git_shows_it() -> None:
    assert diff.between("a", b"x", b"x\n")[-3:] == ["-x", "\\ No newline at end of file", "+x"]
    assert diff.between("a", b"x\r\n", b"x\r\n") == []


def test_colours_are_those_of_git_and_a_line_commands_no_terminal() -> None:
    lines = ["--- a/x", "+++ b/x", "@@ -1 +1 @@", "-old", "+\033[2Jnew", " same"]
    assert diff.coloured(lines) == [
        "\033[1m--- a/x\033[m",
        "\033[1m+++ b/x\033[m",
        "\033[36m@@ -1 +1 @@\033[m",
        "\033[31m-old\033[m",
        "\033[32m+\\x1b[2Jnew\033[m",
        " same",
    ]

"""The files of a runner that the action writes: the job summary, and the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow import cli
from gen_workflow.commands import summary

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_A_THIRD_OF_GITHUBS_LIMIT = 1024 * 1024 // 3


def test_three_blocks_of_any_text_fit_into_a_summary() -> None:
    for character in ("x", "€", "\x85", "😀"):
        shown = summary.fenced(character * 400_000)
        assert len(shown.encode()) < _A_THIRD_OF_GITHUBS_LIMIT
        assert shown.endswith("\n... the log has the rest\n```")
    assert summary.fenced("x\n", "diff") == "```diff\nx\n```"


def test_a_file_of_the_runner_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gen-workflow.yml").write_text("image: .\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setenv("INPUT_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "gone" / "output"))
    assert cli.main(["step"]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/gone/output: GITHUB_OUTPUT cannot be written: No such file or" in said
    assert "Traceback" not in said

"""Errors on the lines of a pull request, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gen_workflow import cli
from gen_workflow.report.annotations import command

if TYPE_CHECKING:
    from pathlib import Path

SPEC = "image: .\nnaem: shop\non: 5\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").touch()
    (tmp_path / "app" / "gen-workflow.yml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    return "app"


def test_each_problem_is_an_annotation_on_its_line(
    folder: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert cli.main(["check", "-C", folder]) == 2
    lines = capfdbinary.readouterr().out.decode().splitlines()
    place = "file=app/gen-workflow.yml,line=2,col=1,title=gen-workflow"
    assert lines[0] == (
        f"::error {place}::naem: is not a key of the spec%0Aperhaps you meant `name`"
    )
    assert lines[1].startswith("::error file=app/gen-workflow.yml,line=3,col=5,")
    assert len(lines) == 2


def test_github_gets_ten_annotations_at_most(
    folder: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    text = "".join(f"key{number}: 1\n" for number in range(30))
    (tmp_path / folder / "gen-workflow.yml").write_text(f"image: .\n{text}")
    assert cli.main(["check", "-C", folder]) == 2
    out, err = capfdbinary.readouterr()
    assert out.count(b"::error") == 10
    assert err.count(b"is not a key of the spec") == 30


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n::error::b", "::error title=gen-workflow::a%0A::error::b"),
        ("100%\r", "::error title=gen-workflow::100%25%0D"),
        ("a\u2028b\x1b[31m", r"::error title=gen-workflow::a\u2028b\x1b[31m"),
    ],
)
def test_no_text_ends_a_command_or_begins_another(text: str, said: str) -> None:
    assert command(text) == said
    assert command("x", file="a,b:c\n") == ("::error file=a%2Cb%3Ac%0A,title=gen-workflow::x")


def test_json_holds_nothing_that_a_runner_would_take_for_a_command(
    folder: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / folder / "gen-workflow.yml").write_text('image: "##[error]x"\n')
    assert cli.main(["explain", "--json", "-C", folder]) == 2
    out = capfdbinary.readouterr().out
    assert b"##[" not in out
    assert "##[error]x" in json.loads(out)["problems"][0]["what"]

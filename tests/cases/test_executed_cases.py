"""README.md says which test executes which case; here it is held to what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bed.action_file import ROOT
from gen_workflow import files

CASES = Path(__file__).parent
OWN = re.compile(r"(?:story|capability)-[a-z-]+")


def rows() -> list[list[str]]:
    """Return the cells of both tables, without their heads."""
    lines = (CASES / "README.md").read_text().splitlines()
    found = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [cells for cells in found if len(cells) == 4 and cells[1].startswith("`")]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_there_are_six_stories_and_twelve_capabilities() -> None:
    text = (CASES / "README.md").read_text()
    stories, capabilities = text.split("\n## ")[1:]
    assert stories.count("tests/e2e/") == 6
    assert sum(capabilities.count(f"\n| {cells[0]} |") for cells in rows()) == 12


def test_every_case_of_the_tables_exists_and_every_story_is_in_them() -> None:
    named = [case for cells in rows() for case in quoted(cells[1])]
    assert [case for case in named if not (CASES / case / files.SPEC).is_file()] == []
    own = {path.name for path in CASES.iterdir() if OWN.fullmatch(path.name)}
    assert own <= set(named)


@pytest.mark.parametrize("cells", rows(), ids=lambda cells: str(cells[1]))
def test_what_executes_a_case_and_what_shows_the_rest_exists(cells: list[str]) -> None:
    executed = quoted(cells[2])
    assert executed
    for test in executed:
        path, _, name = test.partition("::")
        assert f"\ndef {name}(" in (ROOT / path).read_text(), test
    for name in quoted(cells[3]):
        if name.endswith(".py"):
            assert [*(ROOT / "tests").rglob(name)], name
        elif not name.endswith(":"):
            assert (CASES / name / files.SPEC).is_file(), name


@pytest.mark.parametrize(
    ("case", "example"),
    [("story-one-host", "ssh-run"), ("capability-kubernetes", "kubernetes")],
)
def test_a_case_that_an_example_executes_has_its_spec(case: str, example: str) -> None:
    spec = (CASES / case / files.SPEC).read_text()
    assert spec == (ROOT / "examples" / example / files.SPEC).read_text()


def test_a_test_that_executes_a_case_reads_that_case() -> None:
    for cells in rows():
        for test in quoted(cells[2]):
            path, _, name = test.partition("::")
            if path.endswith("test_stories.py"):
                body = (ROOT / path).read_text().split(f"\ndef {name}(")[1].split("\n\n\n")[0]
                assert any(f'"{case}"' in body for case in quoted(cells[1])), test

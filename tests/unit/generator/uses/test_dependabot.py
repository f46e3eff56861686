"""Golden pairs: a folder in `dependabot` is its configuration before, and after or why not.

`UPDATE_GOLDEN=1` writes what the code says today; the diff is the review.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from gen_workflow.errors import UserError
from gen_workflow.uses.dependabot import Rule, configured, path, rule

CASES = sorted(path for path in Path(__file__).parent.joinpath("dependabot").iterdir())
WANTED = Rule(("/", "/.github/actions/setup"), ("gen-workflow/gen-workflow*", "acme/actions*"))
WHERE = ".github/dependabot.yml"

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))


def before(case: Path) -> str:
    return (case / "before.yml").read_bytes().decode()


@every_case
def test_a_configuration_becomes_the_one_after(case: Path) -> None:
    golden = case / "after.yml"
    try:
        after = configured(before(case), WANTED, WHERE)
    except UserError as error:
        golden, after = case / "refused.txt", f"{error}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(after.encode())
    assert golden.name == ("refused.txt" if case.name.startswith("refused") else "after.yml")
    assert after.encode() == golden.read_bytes()


@pytest.mark.parametrize("case", [each for each in CASES if not each.name.startswith("refused")])
def test_a_second_run_adds_nothing(case: Path) -> None:
    after = configured(before(case), WANTED, WHERE)
    assert configured(after, WANTED, WHERE) == after


@pytest.mark.parametrize("case", [each for each in CASES if not each.name.startswith("refused")])
def test_every_line_that_was_there_is_there(case: Path) -> None:
    after = [line.rstrip() for line in configured(before(case), WANTED, WHERE).split("\n")]
    moved = ("directory:",)  # one folder becomes a list of folders
    for line in before(case).splitlines():
        assert line in after or any(word in line for word in moved)


def test_the_rule_names_each_folder_with_an_action_once() -> None:
    found = [
        ".github/workflows/ci.yml",
        "action.yml",
        ".github/actions/b/action.yml",
        ".github/actions/a/action.yml",
        "tools/action.yaml",
    ]
    wanted = rule(found, ["acme/ours", "acme/ours"])
    assert wanted.folders == ("/", "/.github/actions/a", "/.github/actions/b", "/tools")
    assert wanted.ignored == ("acme/ours*",)


def test_a_new_configuration_says_what_the_rule_wants() -> None:
    (made,) = YAML(typ="safe").load(configured("", WANTED, WHERE))["updates"]
    assert made["directories"] == list(WANTED.folders)
    assert [one["dependency-name"] for one in made["ignore"]] == list(WANTED.ignored)


def test_a_configuration_of_the_other_ending_is_the_one_to_extend(tmp_path: Path) -> None:
    assert path(str(tmp_path)) == WHERE
    other = tmp_path / ".github" / "dependabot.yaml"
    other.parent.mkdir()
    other.write_text("version: 2\n")
    assert path(str(tmp_path)) == ".github/dependabot.yaml"

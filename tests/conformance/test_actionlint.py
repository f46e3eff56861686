"""actionlint of today, with shellcheck behind it, has nothing to say of any workflow.

It does not look into action.yml files yet (its docs/checks.md says so); the other gates do.
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from bed.tools import go_tool
from conformance.subjects import Subject, workflows

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs("actionlint", "packages")

# What this version does not know though GitHub does, each with the issue that will end it.
KNOWN_GAPS = {
    r'label "ubuntu-26\.04(-arm)?" is unknown': "rhysd/actionlint#682: the runners of 2026",
    r'specifying action "\$/[^"]*" in invalid format': "rhysd/actionlint#711: uses: $/path",
}
WRONG = """\
name: Try
on: push
jobs:
  build:
    needs: nothing
    runs-on: ubuntu-24.04
    steps:
      - run: echo $GITHUB_REF
"""


def remarks(subject: Subject, folder: Path) -> list[str]:
    path = subject.place(folder)
    argv = (str(go_tool("actionlint")), "-format", "{{json .}}", "-shellcheck", "shellcheck")
    done = subprocess.run((*argv, str(path)), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return [f"{each['line']}: {each['message']}" for each in json.loads(done.stdout) or ()]


def is_known(remark: str) -> bool:
    return any(re.search(pattern, remark) for pattern in KNOWN_GAPS)


@pytest.mark.parametrize("subject", workflows(), ids=lambda each: each.name)
def test_actionlint_has_no_remark(subject: Subject, tmp_path: Path) -> None:
    assert [each for each in remarks(subject, tmp_path) if not is_known(each)] == []


def test_actionlint_and_its_shellcheck_report_what_is_wrong(tmp_path: Path) -> None:
    found = " ".join(remarks(Subject("workflow", WRONG), tmp_path))
    assert 'job "nothing"' in found
    assert "SC2086" in found


def test_every_known_gap_is_still_met(tmp_path: Path) -> None:
    found = [each for subject in workflows() for each in remarks(subject, tmp_path)]
    for pattern, issue in KNOWN_GAPS.items():
        assert any(re.search(pattern, each) for each in found), f"{pattern} ({issue}) can go"

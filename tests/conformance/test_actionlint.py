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
    from collections.abc import Sequence
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


def remarks(paths: Sequence[Path], folder: Path) -> list[list[str]]:
    """Return what actionlint remarks on each of the files, which are in a folder."""
    argv = (str(go_tool("actionlint")), "-format", "{{json .}}", "-shellcheck", "shellcheck")
    # It names files as they are seen from where it runs.
    names = [str(path.relative_to(folder)) for path in paths]
    done = subprocess.run((*argv, *names), cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, list[str]] = {name: [] for name in names}
    for each in json.loads(done.stdout) or ():
        found[each["filepath"]].append(f"{each['line']}: {each['message']}")
    return list(found.values())


def is_known(remark: str) -> bool:
    return any(re.search(pattern, remark) for pattern in KNOWN_GAPS)


@pytest.fixture(scope="module")
def remarks_on(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What actionlint remarks on all workflows, by their names: it looks at them in one go."""
    folder = tmp_path_factory.mktemp("subjects")
    paths = [each.place(folder / str(n)) for n, each in enumerate(workflows())]
    names = [each.name for each in workflows()]
    return dict(zip(names, remarks(paths, folder), strict=True))


@pytest.mark.parametrize("subject", workflows(), ids=lambda each: each.name)
def test_actionlint_has_no_remark(subject: Subject, remarks_on: dict[str, list[str]]) -> None:
    assert [each for each in remarks_on[subject.name] if not is_known(each)] == []


def test_actionlint_and_its_shellcheck_report_what_is_wrong(tmp_path: Path) -> None:
    right, wrong = workflows()[-1].place(tmp_path / "right"), Subject("workflow", WRONG)
    nothing, found = remarks([right, wrong.place(tmp_path / "wrong")], tmp_path)
    assert [each for each in nothing if not is_known(each)] == []
    assert 'job "nothing"' in " ".join(found)
    assert "SC2086" in " ".join(found)


def test_every_known_gap_is_still_met(remarks_on: dict[str, list[str]]) -> None:
    found = [each for remarks in remarks_on.values() for each in remarks]
    for pattern, issue in KNOWN_GAPS.items():
        assert any(re.search(pattern, each) for each in found), f"{pattern} ({issue}) can go"

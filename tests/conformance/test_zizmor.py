"""zizmor at its strictest persona finds nothing, and nothing tells it to look away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bed.tools import Cannot
from conformance.subjects import ROOT, Subject, everything

STRICT = ("--offline", "--persona=auditor", "--strict-collection", "--no-config")
QUIET = ("--quiet", "--no-progress", "--format=json")
# What a spec asks for by name, and zizmor warns of: a runner that GitHub does not own. There is no
# other way to write it, and docs/spec.md says the same as the warning.
_OF_THE_USER = "self-hosted-runner: runs on a self-hosted runner"
ASKED_FOR = {
    f"{spec}{file}": _OF_THE_USER
    for spec in ("tests/cases/runners", "tests/cases/capability-connect", "docs/spec/runner.yml")
    for file in ("", ": rollback.yml")
}
WRONG = """\
name: Try
on: push
permissions: write-all
jobs:
  build:
    name: Build
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v7
      - run: echo ${{ github.ref_name }}
"""


def findings(path: Path) -> list[str]:
    if sys.version_info < (3, 11):
        pytest.skip(Cannot.ZIZMOR.reason)
    program = shutil.which("zizmor", path=Path(sys.executable).parent)
    assert program, "zizmor is not in the environment; run python3 tests/bed/setup.py"
    # With a token it would ask GitHub.
    env = {name: value for name, value in os.environ.items() if name != "GH_TOKEN"}
    done = subprocess.run(
        (program, *STRICT, *QUIET, str(path)),
        capture_output=True, text=True, check=False, env=env,
    )  # fmt: skip
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return [f"{each['ident']}: {each['desc']} ({_places(each)})" for each in found]


def _places(finding: dict[str, Any]) -> str:
    rows = (each["concrete"]["location"]["start_point"]["row"] for each in finding["locations"])
    return "line " + ", ".join(str(row + 1) for row in rows)


@pytest.mark.parametrize("subject", everything(), ids=lambda each: each.name)
def test_zizmor_has_no_finding(subject: Subject, tmp_path: Path) -> None:
    found = findings(subject.place(tmp_path))
    asked = ASKED_FOR.get(subject.name)
    assert [each for each in found if not asked or not each.startswith(asked)] == []
    assert not asked or found, f"{asked} is not met"


def test_zizmor_has_no_finding_in_the_configuration_of_dependabot() -> None:
    assert findings(ROOT / ".github/dependabot.yml") == []


def test_zizmor_finds_what_is_wrong(tmp_path: Path) -> None:
    found = " ".join(findings(Subject("workflow", WRONG).place(tmp_path)))
    for name in ("excessive-permissions", "unpinned-uses", "artipacked", "template-injection"):
        assert name in found


@pytest.mark.parametrize("subject", everything(), ids=lambda each: each.name)
def test_no_tool_has_an_exception(subject: Subject) -> None:
    for word in ("zizmor:", "shellcheck disable", "actionlint", "yamllint"):
        assert word not in subject.text


def test_there_is_no_configuration_that_hides_findings() -> None:
    for pattern in (
        ".shellcheckrc",
        "zizmor.y*ml",
        ".github/zizmor.y*ml",
        ".github/actionlint.y*ml",
    ):
        assert list(ROOT.glob(pattern)) == []

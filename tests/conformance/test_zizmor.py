"""zizmor at its strictest persona finds nothing, and nothing tells it to look away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bed.tools import Cannot
from conformance.subjects import ROOT, Subject, everything

if TYPE_CHECKING:
    from collections.abc import Sequence

STRICT = ("--offline", "--persona=auditor", "--strict-collection", "--no-config")
QUIET = ("--quiet", "--no-progress", "--format=json")
# What a spec asks for by name, and zizmor warns of: a runner that GitHub does not own. There is no
# other way to write it, and docs/spec.md says the same as the warning.
_OF_THE_USER = "self-hosted-runner: runs on a self-hosted runner"
# A copy of our actions in the repository is for GitHub Enterprise Server and for runners of any age
# as well, and these do not have the syntax that zizmor means.
_OF_A_COPY = "self-repository: use GitHub's dedicated self-repository syntax"
# The token of the App that changes a fleet reaches all repositories in which it is installed: which
# of them the fleet selects is known only in the run. docs/fleet.md says the same.
_OF_A_FLEET = "github-app: dangerous use of GitHub App tokens"
ASKED_FOR = {"fleet workflow: rings and shards": _OF_A_FLEET} | {
    f"{spec}{file}": asked
    for spec, asked in {
        "tests/cases/runners": _OF_THE_USER,
        "tests/cases/capability-connect": _OF_THE_USER,
        "docs/spec/runner.yml": _OF_THE_USER,
        "tests/cases/vendored": _OF_A_COPY,
        "docs/spec/actions-vendored.yml": _OF_A_COPY,
        "tests/cases/vendored-cluster": _OF_A_COPY,
    }.items()
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


def findings(paths: Sequence[Path], *, strict: bool = True) -> list[list[str]]:
    """Return what zizmor finds in each of the files.

    With `strict`, it refuses to look at anything when there is a file that it cannot read.
    """
    if sys.version_info < (3, 11):
        pytest.skip(Cannot.ZIZMOR.reason)
    program = shutil.which("zizmor", path=Path(sys.executable).parent)
    assert program, "zizmor is not in the environment; run python3 tests/bed/setup.py"
    # With a token it would ask GitHub.
    env = {name: value for name, value in os.environ.items() if name != "GH_TOKEN"}
    how = [word for word in STRICT if strict or word != "--strict-collection"]
    argv = (program, *how, *QUIET, *paths)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    assert done.stdout, done.stderr
    found: dict[str, list[str]] = {str(path): [] for path in paths}
    for each in json.loads(done.stdout):
        place = each["locations"][0]["symbolic"]["key"]["Local"]
        found[place.get("verbatim_path") or place["given_path"]].append(
            f"{each['ident']}: {each['desc']} ({_places(each)})"
        )
    return list(found.values())


def _places(finding: dict[str, Any]) -> str:
    rows = (each["concrete"]["location"]["start_point"]["row"] for each in finding["locations"])
    return "line " + ", ".join(str(row + 1) for row in rows)


@pytest.fixture(scope="module")
def found_in(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What zizmor finds in all documents, by their names: it looks at them in one go."""
    folder = tmp_path_factory.mktemp("subjects")
    paths = [each.place(folder / str(n)) for n, each in enumerate(everything())]
    names = [each.name for each in everything()]
    return dict(zip(names, findings(paths), strict=True))


@pytest.mark.parametrize("subject", everything(), ids=lambda each: each.name)
def test_zizmor_has_no_finding(subject: Subject, found_in: dict[str, list[str]]) -> None:
    found = found_in[subject.name]
    asked = ASKED_FOR.get(subject.name)
    assert [each for each in found if not asked or not each.startswith(asked)] == []
    assert not asked or found, f"{asked} is not met"


def test_zizmor_has_no_finding_in_the_configuration_of_dependabot() -> None:
    assert findings([ROOT / ".github/dependabot.yml"]) == [[]]


def test_zizmor_finds_what_is_wrong(tmp_path: Path) -> None:
    right, wrong = everything()[-1].place(tmp_path / "right"), Subject("workflow", WRONG)
    nothing, found = findings([right, wrong.place(tmp_path / "wrong")])
    assert nothing == []
    for name in ("excessive-permissions", "unpinned-uses", "artipacked", "template-injection"):
        assert any(each.startswith(name) for each in found)


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

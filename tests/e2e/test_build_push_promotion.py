"""A release gets the images that the run of the branch has pushed for the same commit."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from bed.step import BUILDS, Run, StepResult, run_action

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Registry, Runner

pytestmark = pytest.mark.needs("packages", "engine")

REPOSITORY = "Acme/Promoted"
PATH = "acme/promoted"
FIRST = "1" * 40
SECOND = "2" * 40
IMAGES = """\
api: {context: api, platforms: "linux/amd64,linux/arm64"}
web: {context: web, paths: [web]}
"""


@pytest.fixture
def runner(containerd_runner: Runner, registry: Registry) -> Iterator[Runner]:
    """An engine that builds for several platforms itself."""
    registry.allow(Run().token, f"{PATH}:pull,push", f"{PATH}/*:pull,push")
    yield containerd_runner
    registry.revoke(Run().token)


@pytest.fixture
def workspace(bed: Bed) -> Iterator[Path]:
    folder = bed.work / "promoted"
    for name in ("api", "web"):
        (folder / name).mkdir(parents=True)
        (folder / name / "Dockerfile").write_text("FROM scratch\nCOPY main /main\n")
        (folder / name / "main").write_text(name)
    yield folder
    shutil.rmtree(folder)


def push(runner: Runner, workspace: Path, sha: str) -> StepResult:
    run = Run(repository=REPOSITORY, sha=sha)
    return run_action("build-push", {"images": IMAGES}, workspace=workspace, run=run, on=runner)


def release(runner: Runner, workspace: Path, sha: str, version: str) -> StepResult:
    run = Run(
        repository=REPOSITORY, sha=sha, event_name="release", ref=f"refs/tags/{version}",
        event={"release": {"prerelease": False}},
    )  # fmt: skip
    given = {"images": IMAGES, "skip-unchanged": "commit"}
    return run_action("build-push", given, workspace=workspace, run=run, on=runner)


def results(step: StepResult) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(step.outputs["results"])
    return found


def test_a_release_tags_what_the_branch_has_built_or_found_and_else_builds(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    assert push(runner, workspace, FIRST).code == 0
    (workspace / "api" / "main").write_text("changed")
    branch = push(runner, workspace, SECOND)
    assert branch.code == 0, branch.log
    built = {name: each["built"] for name, each in results(branch).items()}
    assert built == {"api": True, "web": False}, "one for this commit, one for the commit before"

    # A build would give other images now.
    for name in ("api", "web"):
        (workspace / name / "main").write_text("anything else")
    registry.clear_requests()
    released = release(runner, workspace, SECOND, "v1.2.3")
    assert (released.code, released.outputs["built"]) == (0, "false"), released.log
    assert BUILDS not in released.log
    assert not [each for each in registry.requests() if each.method == "PATCH"]
    for name, before in results(branch).items():
        assert results(released)[name]["digest"] == before["digest"]
        for tag in ("1.2.3", "1.2", "1", "latest"):
            assert registry.digest(f"{PATH}/{name}", tag) == before["digest"]
    assert "Already there for this commit" in released.summary

    first = release(runner, workspace, "3" * 40, "v1.3.0")
    assert (first.code, first.outputs["built"]) == (0, "true"), first.log
    assert "::notice::api is built, not taken from an earlier run: ghcr.io" in first.log

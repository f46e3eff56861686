"""build-push with several images, and what it does not build again."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from bed.step import Run, StepResult, run_action, start_action

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Registry, Runner

pytestmark = pytest.mark.needs("packages", "engine")

REPOSITORY = "Acme/Mono"
PATH = "acme/mono"
NAMES = ("api", "web", "worker", "cron", "mail", "docs")
FIRST = "1" * 40
SECOND = "2" * 40


def run_of(sha: str, event_name: str = "push", ref: str = "refs/heads/main", **event: Any) -> Run:
    return Run(repository=REPOSITORY, sha=sha, event_name=event_name, ref=ref, event=event)


@pytest.fixture
def runner(bed: Bed, registry: Registry) -> Iterator[Runner]:
    registry.allow(Run().token, f"{PATH}:pull,push", f"{PATH}/*:pull,push")
    yield bed.runner
    registry.revoke(Run().token)


@pytest.fixture
def workspace(bed: Bed, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A repository with six images; what they are made of differs from test to test."""
    folder = bed.work / f"mono-{abs(hash(request.node.name))}"
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "Dockerfile").write_text("FROM scratch\nCOPY main /main\n")
        (folder / name / "main").write_text(f"{name} of {request.node.name}")
    yield folder
    shutil.rmtree(folder)


IMAGES = "\n".join(f"{name}: {name}" for name in NAMES)


def build(runner: Runner, workspace: Path, run: Run, **inputs: str) -> StepResult:
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    return run_action("build-push", given, workspace=workspace, run=run, on=runner)


def results(step: StepResult) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(step.outputs["results"])
    return found


def test_of_six_images_only_the_one_that_changed_is_built(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    first = build(runner, workspace, run_of(FIRST), images=IMAGES, skip_unchanged="true")
    assert first.code == 0, first.log
    assert first.outputs["built"] == "true"
    assert all(result["built"] for result in results(first).values())
    assert "api    | " in first.log

    (workspace / "web" / "main").write_text("changed")
    registry.clear_requests()
    second = build(runner, workspace, run_of(SECOND), images=IMAGES, skip_unchanged="true")
    assert second.code == 0, second.log
    assert [name for name, result in results(second).items() if result["built"]] == ["web"]
    uploads = [r for r in registry.requests() if r.method == "PATCH"]
    assert {request.path.split("/")[4] for request in uploads} == {"web"}
    for name in NAMES:
        before, now = results(first)[name], results(second)[name]
        assert (before["digest"] == now["digest"]) is (name != "web")
        assert now["image"] == f"ghcr.io/{PATH}/{name}@{now['digest']}"
        # The new tags stand for what the output says, byte by byte.
        for tag in ("main", f"sha-{SECOND[:12]}"):
            assert registry.digest(f"{PATH}/{name}", tag) == now["digest"]
    assert second.summary.count("unchanged, not built") == 5
    assert "web    | " in second.log
    assert "api    | " not in second.log


def test_the_log_of_each_image_says_which_it_is_of(runner: Runner, workspace: Path) -> None:
    step = build(runner, workspace, run_of(FIRST), images="api: api\nworker: worker")
    assert step.code == 0, step.log
    assert "api    | #1 [internal] load build definition from Dockerfile" in step.log
    assert "worker | #1 [internal] load build definition from Dockerfile" in step.log


def test_an_image_whose_build_fails_leaves_the_tags_of_the_others_alone(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    (workspace / "web" / "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")
    registry_tags = registry.tags(f"{PATH}/api")
    ref = "refs/heads/broken"
    step = build(runner, workspace, run_of(FIRST, ref=ref), images="api: api\nweb: web")
    assert step.code == 1
    (error,) = step.errors
    assert error.startswith(
        "web: a file that the Dockerfile copies is not in the context: /nothing\n  hint: "
    )
    assert "broken" not in registry.tags(f"{PATH}/api")
    assert set(registry.tags(f"{PATH}/api")) - set(registry_tags) <= {f"sha-{FIRST[:12]}"}
    assert results(step)["api"]["built"] is True
    assert results(step)["web"]["digest"] == ""


def test_paths_decide_whether_an_image_has_changed(runner: Runner, workspace: Path) -> None:
    images = "api: {context: ., file: api/Dockerfile.root, paths: [api]}"
    (workspace / "api" / "Dockerfile.root").write_text("FROM scratch\nCOPY api /api\n")
    first = build(runner, workspace, run_of(FIRST), images=images)
    assert first.code == 0, first.log
    (workspace / "web" / "main").write_text("changed, and in the context")
    second = build(runner, workspace, run_of(SECOND), images=images)
    assert (second.code, second.outputs["built"]) == (0, "false"), second.log
    assert second.outputs["digest"] == first.outputs["digest"]
    (workspace / "api" / "main").write_text("changed")
    third = build(runner, workspace, run_of(SECOND), images=images)
    assert (third.code, third.outputs["built"]) == (0, "true"), third.log


def test_a_base_image_that_moved_makes_an_image_changed(runner: Runner, workspace: Path) -> None:
    base = {"image": f"ghcr.io/{PATH}/base", "context": "docs", "tags": "stable"}
    assert build(runner, workspace, run_of(FIRST), **base).code == 0
    (workspace / "api" / "Dockerfile").write_text(f"FROM ghcr.io/{PATH}/base:stable\n")
    api = {"images": "api: api", "skip_unchanged": "true"}
    assert build(runner, workspace, run_of(FIRST), **api).outputs["built"] == "true"
    assert build(runner, workspace, run_of(SECOND), **api).outputs["built"] == "false"
    (workspace / "docs" / "main").write_text("a fix in the base image")
    assert build(runner, workspace, run_of(SECOND), **base).code == 0
    assert build(runner, workspace, run_of(SECOND), **api).outputs["built"] == "true"


def test_an_old_base_image_on_the_runner_is_not_taken_for_the_new_one(
    runner: Runner, containerd_runner: Runner, workspace: Path
) -> None:
    base = {"image": f"ghcr.io/{PATH}/base", "context": "docs", "tags": "moving"}
    assert build(runner, workspace, run_of(FIRST), **base).code == 0
    (workspace / "docs" / "main").write_text("pushed from elsewhere")
    assert build(containerd_runner, workspace, run_of(FIRST), **base).code == 0
    dockerfile = f"FROM ghcr.io/{PATH}/base:moving\nCOPY busybox /bin/busybox\n"
    (workspace / "api" / "Dockerfile").write_text(dockerfile)
    shutil.copy("/bin/busybox", workspace / "api")
    step = build(runner, workspace, run_of(FIRST), images="api: api", skip_unchanged="true")
    assert step.code == 0, step.log
    image = results(step)["api"]["image"]
    said = runner.docker("run", "--rm", image, "/bin/busybox", "cat", "/main")
    assert said.stdout == "pushed from elsewhere"


def test_a_pull_request_finds_an_unchanged_image_and_sets_no_tag(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    given = {"images": "api: api", "skip_unchanged": "true"}
    first = build(runner, workspace, run_of(FIRST), **given)
    assert first.code == 0, first.log
    registry.clear_requests()
    event = {"pull_request": {"head": {"repo": {"full_name": REPOSITORY}}}}
    run = run_of(SECOND, "pull_request", "refs/pull/7/merge", **event)
    second = build(runner, workspace, run, **given)
    assert second.outputs["built"] == "false", second.log
    assert second.outputs["image"] == first.outputs["image"]
    assert not [r for r in registry.requests() if r.method in ("PUT", "POST", "PATCH")]


def test_two_runs_at_once_both_end_right(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    given = {"images": "api: api\nweb: web", "skip-unchanged": "true"}
    steps = [
        start_action("build-push", given, workspace=workspace, run=run_of(sha), on=runner)
        for sha in (FIRST, SECOND)
    ]
    ended = [step.result(120) for step in steps]
    assert [step.code for step in ended] == [0, 0], ended[0].log + ended[1].log
    for step, sha in zip(ended, (FIRST, SECOND), strict=True):
        for name, result in results(step).items():
            assert registry.digest(f"{PATH}/{name}", f"sha-{sha[:12]}") == result["digest"]

"""Tags that move: never back, never only some of them, and never to the image of another run."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from bed.deploys import await_log
from bed.shop import Shop
from bed.step import BUILDS, Run, RunningStep, StepResult, run_action, start_action

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Registry, Runner

pytestmark = pytest.mark.needs("packages", "engine")

REPOSITORY = "Acme/Moving"
PATH = "acme/moving"
SLOW = 'RUN ["/bin/busybox", "sleep", "5"]\n'


@pytest.fixture
def runner(bed: Bed, registry: Registry) -> Iterator[Runner]:
    # BuildKit asks for the right to read where it knows that a layer is, as in other tests' images.
    registry.allow(Run().token, f"{PATH}:pull,push", f"{PATH}/*:pull,push", "acme/*:pull")
    yield bed.runner
    registry.revoke(Run().token)


@pytest.fixture
def workspace(bed: Bed, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder with two contexts whose images are slow to build and differ from all others."""
    folder = bed.work / f"moving-{abs(hash(request.node.name))}"
    for name in ("a", "b"):
        Shop.write_context(folder / name)
        (folder / name / "serve").write_text(f"# {name} {request.node.name} {time.time_ns()}\n")
    yield folder
    shutil.rmtree(folder)


def slow(context: Path) -> None:
    (context / "Dockerfile").write_text((context / "Dockerfile").read_text() + SLOW)


def start(on: Runner, workspace: Path, run: Run, **inputs: str) -> RunningStep:
    return start_action("build-push", inputs, workspace=workspace, run=run, on=on)


def build(on: Runner, workspace: Path, run: Run, **inputs: str) -> StepResult:
    return run_action("build-push", inputs, workspace=workspace, run=run, on=on)


def version(tag: str) -> Run:
    return Run(repository=REPOSITORY, ref=f"refs/tags/{tag}", sha=tag.encode().hex().zfill(40))


def test_an_older_version_that_ends_later_moves_nothing_back(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    slow(workspace / "a")
    older = start(runner, workspace, version("v1.4.2"), context="a")
    await_log(older, '"sleep", "5"')
    newer = build(runner, workspace, version("v1.4.3"), context="b")
    ended = older.result()
    assert (newer.code, ended.code) == (0, 0), ended.log
    for tag in ("latest", "1", "1.4", "1.4.3"):
        assert registry.digest(PATH, tag) == newer.outputs["digest"], tag
    assert registry.digest(PATH, "1.4.2") == ended.outputs["digest"]
    assert (
        "the registry got a higher version during this run, so these tags are not moved"
        in ended.log
    )
    assert f"ghcr.io/{PATH}:latest" not in ended.outputs["tags"]


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param("", id="defaults"),
        pytest.param("type=ref,event=branch", id="rules", marks=pytest.mark.test_all),
    ],
)
def test_an_older_commit_that_ends_later_moves_no_tag_of_its_branch_back(
    runner: Runner, registry: Registry, workspace: Path, tags: str
) -> None:
    slow(workspace / "a")
    runs = [Run(repository=REPOSITORY, sha=n * 40, run_number=n) for n in ("1", "2")]
    older = start(runner, workspace, runs[0], context="a", tags=tags)
    await_log(older, '"sleep", "5"')
    newer = build(runner, workspace, runs[1], context="b", tags=tags)
    ended = older.result()
    assert (newer.code, ended.code) == (0, 0), ended.log
    assert registry.digest(PATH, "main") == newer.outputs["digest"]
    assert registry.digest(PATH, f"sha-{'1' * 12}") == ended.outputs["digest"]
    assert "because a newer commit has them (222222222222 of main)" in ended.log
    again = build(runner, workspace, runs[0], context="a", tags=tags, **{"older-commit": "move"})
    assert registry.digest(PATH, "main") == again.outputs["digest"]


@pytest.mark.test_all
def test_a_registry_that_cannot_list_its_versions_for_now_is_no_reason_to_leave_latest_behind(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    registry.fault("GET /v2/*/tags/list*", status=503)
    step = build(runner, workspace, version("v2.0.0"), context="a")
    assert step.code == 1
    assert "is busy or broken" in step.errors[0]
    assert BUILDS not in step.log, "nothing was built"
    registry.clear_faults()
    assert BUILDS in build(runner, workspace, version("v2.0.0"), context="a").log


def test_of_images_with_tags_that_all_move_none_moves_when_one_fails(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    (workspace / "b" / "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")
    run = Run(repository=REPOSITORY)
    step = build(runner, workspace, run, images="a: a\nb: b", tags="edge\nnewest")
    assert step.code == 1
    assert registry.tags(f"{PATH}/a") == []
    assert step.outputs["image"] == ""


def test_images_with_tags_that_all_move_are_pushed_when_all_are_built(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    run = Run(repository=REPOSITORY)
    step = build(runner, workspace, run, images="a: a\nb: b", tags="edge\nnewest")
    assert step.code == 0, step.log
    digests = step.outputs["digest"].splitlines()
    for name, digest in zip("ab", digests, strict=True):
        assert registry.digest(f"{PATH}/{name}", "edge") == digest
        assert registry.digest(f"{PATH}/{name}", "newest") == digest


@pytest.mark.parametrize(
    "store", ["classic", pytest.param("containerd", marks=pytest.mark.test_all)]
)
def test_a_run_never_reports_the_image_of_another_on_the_same_engine(
    runner: Runner, containerd_runner: Runner, workspace: Path, store: str
) -> None:
    on = containerd_runner if store == "containerd" else runner
    given = {"tags": "type=ref,event=branch"}
    runs = {name: Run(repository=REPOSITORY, sha=name * 40) for name in ("a", "b")}
    steps = {name: start(on, workspace, run, context=name, **given) for name, run in runs.items()}
    ended = {name: step.result() for name, step in steps.items()}
    for name, step in ended.items():
        if step.code:
            assert "another run on this engine has used the name" in step.errors[0], step.log
            assert (step.outputs["image"], step.outputs["digest"]) == ("", "")
            continue
        label = '{{index .Config.Labels "org.opencontainers.image.revision"}}'
        on.run("docker", "login", "ghcr.io", "-u", "me", "--password-stdin", input=Run().token)
        on.docker("pull", step.outputs["image"])
        shown = on.docker("image", "inspect", "--format", label, step.outputs["image"]).stdout
        assert shown.strip() == name * 40
        on.docker("logout", "ghcr.io")

"""build-push through its real shell step, on a runner with a real engine, to a real registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.shop import Shop
from bed.step import BUILDS, Run, StepResult, run_action

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Registry, Runner

pytestmark = pytest.mark.needs("packages", "engine")

REPOSITORY = "Acme/Build"
PATH = "acme/build"
COMMIT = {"id": Run().sha, "timestamp": "2026-11-20T10:11:12+01:00"}
RUN = Run(repository=REPOSITORY, event={"head_commit": COMMIT})
UPLOADS = f"POST /v2/{PATH}/blobs/uploads/"


@pytest.fixture
def workspace(bed: Bed, request: pytest.FixtureRequest) -> Path:
    folder = bed.work / f"workspace-{abs(hash(request.node.name))}"
    Shop.write_context(folder)
    return folder


@pytest.fixture
def runner(bed: Bed, registry: Registry) -> Iterator[Runner]:
    registry.allow(RUN.token, f"{PATH}:pull,push")
    yield bed.runner
    registry.revoke(RUN.token)


def build(runner: Runner, workspace: Path, run: Run = RUN, **inputs: str) -> StepResult:
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    return run_action("build-push", given, workspace=workspace, run=run, on=runner)


def test_an_image_is_pushed_by_digest_with_tags_and_labels(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    result = build(runner, workspace, build_args="UNUSED=$(id)")
    assert result.code == 0, result.log
    digest = registry.digest(PATH, "main")
    assert result.outputs["image"] == f"ghcr.io/{PATH}@{digest}"
    assert registry.tags(PATH) == ["main", "sha-0123456789ab"]
    assert "config" in registry.manifest(PATH, "main"), "a plain image, without unknown/unknown"
    runner.docker("image", "rm", "-f", f"ghcr.io/{PATH}:main")
    labels = runner.docker("image", "inspect", f"ghcr.io/{PATH}:sha-0123456789ab").stdout
    assert f'"org.opencontainers.image.source": "https://github.com/{REPOSITORY}"' in labels


def test_the_same_source_gives_the_same_digest(runner: Runner, workspace: Path) -> None:
    first, second = build(runner, workspace), build(runner, workspace)
    assert first.outputs["digest"] == second.outputs["digest"]


def test_no_login_is_left_on_the_runner(runner: Runner, workspace: Path) -> None:
    before = runner.run("sh", "-c", "cat /root/.docker/config.json", check=False).stdout
    assert build(runner, workspace).code == 0
    assert runner.run("sh", "-c", "cat /root/.docker/config.json", check=False).stdout == before
    found = runner.files_with(RUN.token, "/tmp", "/root")
    assert [path for path in found if "/temp/" in path or "ship-" in path] == []


@pytest.mark.parametrize(
    ("message", "reported"),
    [
        ("permission_denied: write_package", "add Acme/Build to `Manage Actions access`, as Write"),
        pytest.param(
            "installation not allowed to Create organization package",
            "packages: write",
            marks=pytest.mark.test_all,
        ),
    ],
)
def test_a_refusal_of_ghcr_is_explained_before_anything_is_built(
    runner: Runner, registry: Registry, workspace: Path, message: str, reported: str
) -> None:
    registry.fault(UPLOADS, status=403, code="DENIED", message=message)
    result = build(runner, workspace)
    assert result.code == 2
    assert f"ghcr.io refuses a push to {PATH} (403 {message})" in result.errors[0]
    assert reported in result.errors[0]
    assert BUILDS not in result.log, "nothing was built"
    assert result.outputs["tag"] == "sha-0123456789ab", "what is known is an output on failure too"
    registry.clear_faults()
    assert BUILDS in build(runner, workspace).log


def test_a_token_without_the_right_to_push_names_the_missing_permission(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    registry.allow(RUN.token, f"{PATH}:pull")
    result = build(runner, workspace)
    assert result.code == 2
    assert "packages: write" in result.errors[0]


def test_a_token_that_ghcr_does_not_know_is_distinguished_from_a_missing_right(
    runner: Runner, workspace: Path
) -> None:
    result = build(runner, workspace, password="ghp_expired")
    assert result.code == 2
    assert f"ghcr.io refuses the login of 'octocat', for {PATH} (403 denied)" in result.errors[0]


def test_a_busy_registry_is_waited_for(runner: Runner, registry: Registry, workspace: Path) -> None:
    registry.fault(UPLOADS, status=429, code="TOOMANYREQUESTS", times=1)
    assert build(runner, workspace).code == 0


def test_a_pull_request_is_built_and_not_pushed(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    event = {"pull_request": {"head": {"repo": {"full_name": "mallory/fork"}}}}
    run = Run(
        repository=REPOSITORY, event_name="pull_request", ref="refs/pull/7/merge", event=event
    )
    result = build(runner, workspace, run)
    assert result.code == 0, result.log
    assert result.outputs["image"] == ""
    assert not [request for request in registry.requests() if request.method in ("POST", "PUT")]


def test_a_failed_build_shows_its_last_lines(runner: Runner, workspace: Path) -> None:
    (workspace / "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n::error::injected\n")
    result = build(runner, workspace)
    assert result.code == 1
    assert "the Dockerfile has a syntax error on line 3: unknown instruction" in result.errors[0]
    assert len(result.errors) == 1
    assert "unknown instruction" in result.summary


def test_a_missing_dockerfile_names_the_path_that_was_looked_for(
    runner: Runner, workspace: Path
) -> None:
    (workspace / "Dockerfile").rename(workspace / "Dockerfile.prod")
    result = build(runner, workspace)
    assert result.code == 2
    assert "there is no Dockerfile at 'Dockerfile'" in result.errors[0]
    assert "write one of these into `file`: Dockerfile.prod" in result.errors[0]


def test_a_runner_without_docker_is_named(tmp_path: Path) -> None:
    # Not on a machine of the bed: all of them have Docker.
    Shop.write_context(tmp_path / "workspace")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "python3"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    result = run_action(
        "build-push",
        {},
        workspace=tmp_path / "workspace",
        machine={"PATH": str(tools)},
        run=Run(event_name="pull_request"),
    )
    assert result.code == 2, result.log
    assert "`docker` is not on the PATH of the runner" in result.errors[0]

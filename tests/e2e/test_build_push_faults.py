"""What goes wrong between a build and a registry, forced on real ones."""

from __future__ import annotations

import shutil
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bed.deploys import await_log
from bed.shop import Shop
from bed.step import BUILDS, Run, RunningStep, StepResult, run_action, start_action
from bed.waiting import PATIENCE_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Registry, Runner

pytestmark = pytest.mark.needs("packages", "engine")

REPOSITORY = "Acme/Faults"
PATH = "acme/faults"
MORE = pytest.mark.test_all
TOKEN = "* /token"
UPLOADS = f"POST /v2/{PATH}/blobs/uploads/"
MANIFESTS = f"PUT /v2/{PATH}/manifests/*"
# As the log of a build has the command of `last_for`.
SLEEP = '"sleep", "{}"'
# As a step says it that does; asserted where it must be, so it is the right word where it must not.
TRIES_AGAIN = "trying again in "
CANCELLED = "the run was cancelled"
TAGS = "type=sha\ntype=ref,event=branch\ntype=raw,latest"


class Fault(NamedTuple):
    """An answer that a registry gives so many times; status 0 is a dropped connection."""

    status: int
    times: int


@pytest.fixture
def runner(bed: Bed, registry: Registry) -> Iterator[Runner]:
    # BuildKit asks for the right to read where it knows that a layer is, as in other tests' images.
    registry.allow(Run().token, f"{PATH}:pull,push", "acme/*:pull")
    yield bed.runner
    registry.clear_faults()
    registry.revoke(Run().token)


@pytest.fixture
def workspace(bed: Bed, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = bed.work / f"faults-{abs(hash(request.node.name))}"
    Shop.write_context(folder)
    # Layers of its own, so that a test never finds those of another in the registry.
    (folder / "serve").write_text(f"# {request.node.name} {time.time_ns()}\n")
    yield folder
    shutil.rmtree(folder)


def build(on: Runner, workspace: Path, run: Run | None = None, **inputs: str) -> StepResult:
    given = {"tags": TAGS, **{name.replace("_", "-"): value for name, value in inputs.items()}}
    run = run or Run(repository=REPOSITORY)
    return run_action("build-push", given, workspace=workspace, run=run, on=on)


@pytest.mark.parametrize(
    ("match", "fault"),
    [
        pytest.param(TOKEN, Fault(503, 2), id="the token endpoint is down twice"),
        pytest.param(
            TOKEN,
            Fault(0, 2),
            id="the token endpoint drops the connection twice",
            marks=MORE,
        ),
        pytest.param(
            UPLOADS,
            Fault(429, 2),
            id="the start of an upload is refused for now twice",
            marks=MORE,
        ),
        pytest.param(MANIFESTS, Fault(429, 1), id="a manifest is refused for now", marks=MORE),
        # With the second, longer pause.
        pytest.param(
            MANIFESTS,
            Fault(429, 2),
            id="a manifest is refused for now twice",
            marks=MORE,
        ),
        pytest.param(UPLOADS, Fault(500, 1), id="the registry fails once", marks=MORE),
        pytest.param(
            MANIFESTS,
            Fault(500, 1),
            id="the registry fails once at the manifest",
            marks=MORE,
        ),
        pytest.param(UPLOADS, Fault(0, 1), id="the connection is dropped at an upload", marks=MORE),
        pytest.param(MANIFESTS, Fault(0, 1), id="the connection is dropped at the manifest"),
        pytest.param(
            f"HEAD /v2/{PATH}/blobs/*", Fault(503, 1), id="the registry is away for a blob"
        ),
    ],
)
def test_a_fault_that_passes_is_survived(
    runner: Runner, registry: Registry, workspace: Path, match: str, fault: Fault
) -> None:
    registry.fault(match, status=fault.status, code="TOOMANYREQUESTS", times=fault.times)
    step = build(runner, workspace)
    assert step.code == 0, step.log
    tags = {tag: registry.digest(PATH, tag) for tag in ("sha-0123456", "main", "latest")}
    assert set(tags.values()) == {step.outputs["digest"]}
    met = [request for request in registry.requests() if request.status == fault.status]
    assert met, "the fault was met"


@pytest.mark.test_all
def test_a_registry_that_is_gone_for_good_fails_in_bounded_time(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    registry.fault(MANIFESTS, status=503)
    step = build(runner, workspace)
    assert step.code == 1
    assert f"ghcr.io is busy or broken, and did not take {PATH} (503" in step.errors[0]
    assert step.log.count(TRIES_AGAIN) == 2
    assert step.outputs["tag"] == "sha-0123456"
    assert step.outputs["image"] == "", "an image that is not there is no output"


def test_what_was_pushed_is_reported_when_the_registry_goes_away_between_two_tags(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    registry.fault(f"PUT /v2/{PATH}/manifests/latest", status=503)
    step = build(runner, workspace)
    assert step.code == 1
    digest = registry.digest(PATH, "main")
    assert step.outputs["image"] == f"ghcr.io/{PATH}@{digest}"
    missing = f"the image is in the registry; these tags were not set: ghcr.io/{PATH}:latest"
    assert missing in "\n".join(step.errors)
    assert "`main` `sha-0123456`" in step.summary
    assert "`latest`" not in step.summary
    registry.clear_faults()
    assert "`latest`" in build(runner, workspace).summary


@pytest.mark.test_all
def test_a_registry_that_never_answers_is_reported_before_the_build(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    registry.fault("* *", status=0)
    step = build(runner, workspace)
    assert step.code == 1
    asked = [each for each in registry.requests() if each.status == 0]
    assert 1 <= len(asked) <= 8, "a few tries, and not more"
    assert "the registry ghcr.io does not answer" in step.errors[0]
    assert BUILDS not in step.log, "nothing was built"
    registry.clear_faults()
    assert BUILDS in build(runner, workspace).log


def tries_after_a_refusal(step: StepResult) -> list[str]:
    """Return what announces them; a busy engine may give another reason to try again."""
    return [line for line in step.log.splitlines() if TRIES_AGAIN in line and "403" in line]


@pytest.mark.parametrize(
    ("match", "reported"),
    [
        (UPLOADS, "permission_denied: write_package"),
        # The registry lets an upload start and refuses later; the answer to a HEAD has no text.
        pytest.param(f"PATCH /v2/{PATH}/*", "permission_denied: write_package", marks=MORE),
        pytest.param(MANIFESTS, "permission_denied: write_package", marks=MORE),
        (f"HEAD /v2/{PATH}/blobs/*", "403"),
    ],
)
def test_a_refusal_is_final(
    runner: Runner, registry: Registry, workspace: Path, match: str, reported: str
) -> None:
    refuse(registry, match)
    step = build(runner, workspace)
    assert step.code == 2
    assert f"ghcr.io refuses a push to {PATH}" in step.errors[0]
    assert reported in step.errors[0]
    assert tries_after_a_refusal(step) == []


@pytest.mark.usefixtures("runner")  # for its rights
@pytest.mark.parametrize(
    "match",
    [
        pytest.param(f"HEAD /v2/{PATH}/blobs/*", marks=MORE),
        pytest.param(f"PUT /v2/{PATH}/blobs/*", marks=MORE),
        MANIFESTS,
    ],
)
def test_a_refusal_of_which_buildkit_hides_the_words_is_reported_as_one(
    containerd_runner: Runner, registry: Registry, workspace: Path, match: str
) -> None:
    refuse(registry, match)
    step = build(containerd_runner, workspace)
    assert step.code == 2, step.log
    assert f"ghcr.io refuses a push to {PATH} (403" in step.errors[0]
    assert tries_after_a_refusal(step) == []


@pytest.mark.test_all
@pytest.mark.usefixtures("runner")  # for its rights
@pytest.mark.parametrize(
    ("match", "fault"),
    [
        pytest.param(TOKEN, Fault(503, 2), id="the token endpoint is down twice"),
        pytest.param(UPLOADS, Fault(429, 2), id="an upload is refused for now twice"),
        pytest.param(MANIFESTS, Fault(0, 1), id="the connection is dropped at the manifest"),
        pytest.param(MANIFESTS, Fault(500, 1), id="the registry fails once at the manifest"),
    ],
)
def test_a_fault_that_passes_is_survived_with_the_containerd_store_too(
    containerd_runner: Runner, registry: Registry, workspace: Path, match: str, fault: Fault
) -> None:
    registry.fault(match, status=fault.status, code="TOOMANYREQUESTS", times=fault.times)
    step = build(containerd_runner, workspace)
    assert step.code == 0, step.log
    assert registry.digest(PATH, "latest") == step.outputs["digest"]


def test_a_tag_that_may_not_be_overwritten_is_told_as_that(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    words = "The image tag 'main' cannot be overwritten because the tag is immutable."
    registry.fault(MANIFESTS, status=400, code="TAG_INVALID", message=words)
    step = build(runner, workspace)
    assert step.code == 2, step.log
    assert (
        f"ghcr.io has this tag of {PATH} already, and lets no tag be overwritten" in step.errors[0]
    )
    assert words in step.errors[0]
    assert TRIES_AGAIN not in step.log


@pytest.mark.usefixtures("runner")  # for its rights
def test_a_cache_that_is_refused_is_no_base_image(
    containerd_runner: Runner, registry: Registry, workspace: Path
) -> None:
    cache = "type=registry,ref=ghcr.io/acme/elsewhere:cache"
    step = build(containerd_runner, workspace, cache_to=cache)
    assert step.code == 1, step.log
    assert "the cache could not be written, after the image was pushed" in step.errors[0]
    assert registry.digest(PATH, "sha-0123456")


@pytest.mark.test_all
def test_a_layer_that_is_not_known_yet_is_pushed_again(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    words = "manifest blob unknown"
    registry.fault(MANIFESTS, status=404, code="MANIFEST_BLOB_UNKNOWN", message=words, times=1)
    step = build(runner, workspace)
    assert step.code == 0, step.log
    assert registry.digest(PATH, "latest") == step.outputs["digest"]


def refuse(registry: Registry, match: str) -> None:
    registry.fault(match, status=403, code="DENIED", message="permission_denied: write_package")


def test_a_right_that_is_taken_away_during_the_build_is_reported_in_the_words_of_the_registry(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    # buildx says `403 Forbidden` only, so the registry is asked once more.
    last_for(workspace, seconds=4)
    running = start_action(
        "build-push", {}, workspace=workspace, run=Run(repository=REPOSITORY), on=runner
    )
    until(running, SLEEP.format(4))
    registry.fault(
        UPLOADS, status=403, code="DENIED", message="installation not allowed to Write organization"
    )
    step = running.result(120)
    assert step.code == 2, step.log
    assert "installation not allowed to Write organization" in step.errors[0]
    assert "packages: write" in step.errors[0]


def last_for(workspace: Path, seconds: int) -> None:
    """Let the build take so long that something can happen meanwhile."""
    dockerfile = workspace / "Dockerfile"
    line = f'RUN ["/bin/busybox", "sleep", "{seconds}"]\n'
    dockerfile.write_text(dockerfile.read_text() + line)


def until(running: RunningStep, text: str) -> None:
    await_log(running, text)
    assert running.process.poll() is None, running.log()


def test_a_cancelled_build_leaves_no_login_and_moves_no_tag(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    assert build(runner, workspace).code == 0
    before = {tag: registry.digest(PATH, tag) for tag in registry.tags(PATH)}
    last_for(workspace, seconds=3600)
    given = {"tags": TAGS}
    run = Run(repository=REPOSITORY, sha="f" * 40)
    running = start_action("build-push", given, workspace=workspace, run=run, on=runner)
    until(running, SLEEP.format(3600))
    wait_until(lambda: "sleep 3600" in runner.run("ps", "-ef").stdout, "the build sleeps")
    # SIGINT alone: it does not wait for the SIGTERM that comes 7.5 s later.
    running.signal(signal.SIGINT)
    code, temp = running.process.wait(PATIENCE_SECONDS), running.temp
    assert code == 130, running.log()
    assert CANCELLED in running.log()
    # By its input: other tests look for the token in the arguments of all programs meanwhile.
    look = f"ls {temp}; grep -rlF -f - /tmp/ship-*"
    left = runner.run("sh", "-c", look, input=run.token, check=False)
    assert "step.sh" in left.stdout
    assert "ship-" not in left.stdout
    assert {tag: registry.digest(PATH, tag) for tag in registry.tags(PATH)} == before
    assert "sleep 3600" not in runner.run("ps", "-ef", check=False).stdout
    assert running.result().outputs["image"] == ""


def test_a_run_that_is_cancelled_while_its_tags_are_set_sets_them_all(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    registry.fault(f"PUT /v2/{PATH}/manifests/main", delay=3)
    given = {"tags": TAGS}
    run = Run(repository=REPOSITORY, sha="e" * 40)
    running = start_action("build-push", given, workspace=workspace, run=run, on=runner)
    until(running, "::endgroup::")
    time.sleep(1)
    running.cancel()
    step = running.result()
    assert CANCELLED not in step.log
    tags = {tag: registry.digest(PATH, tag) for tag in ("sha-eeeeeee", "main", "latest")}
    assert set(tags.values()) == {step.outputs["digest"]}


@pytest.mark.test_all
def test_a_run_that_is_killed_moves_no_tag_that_others_use(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    assert build(runner, workspace).code == 0
    before = {tag: registry.digest(PATH, tag) for tag in ("main", "latest")}
    last_for(workspace, seconds=8)
    given = {"tags": TAGS}
    run = Run(repository=REPOSITORY, sha="d" * 40)
    running = start_action("build-push", given, workspace=workspace, run=run, on=runner)
    until(running, SLEEP.format(8))
    running.signal(signal.SIGKILL)
    running.process.wait(PATIENCE_SECONDS)
    assert {tag: registry.digest(PATH, tag) for tag in before} == before
    running.result()
    assert build(runner, workspace, Run(repository=REPOSITORY, sha="c" * 40)).code == 0

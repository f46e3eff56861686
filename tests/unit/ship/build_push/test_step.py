from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from doubles import OPEN_REGISTRY, Answers, HttpRegistry, Log, ScriptedRunner
from ship.build_push.report import Outcomes, summary
from ship.build_push.step import run
from ship.runner.errors import ShipError, StepFailed
from ship.runner.process import Finished
from ship.runner.step import Step
from ship.runner.workflow_commands import Workflow
from unit.ship.build_push.given import DIGEST, SHORT, context, inputs, read, values


def test_a_dry_run_sets_what_is_known_and_starts_nothing(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    run(Step(inputs(dry_run="true", password=""), context(workspace), ScriptedRunner, log.workflow))
    assert log.outputs["tag"] == SHORT
    assert log.outputs["version"] == "main"
    assert log.outputs["tags"].split() == ["ghcr.io/acme/app:main", f"ghcr.io/acme/app:{SHORT}"]
    assert log.outputs["image"] == "ghcr.io/acme/app"
    assert json.loads(log.outputs["json"])["tag-names"] == ["main", SHORT]
    assert "1. build app and push it to ghcr.io/acme/app" in log.text


def test_a_build_for_a_pull_request_leaves_no_login_behind(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(0, "", "#1 done\n::warning::x"))
    env = {**inputs(), "RUNNER_TEMP": str(tmp_path), "HOME": str(tmp_path)}
    run(Step(env, context(workspace, event_name="pull_request"), lambda: runner, log.workflow))
    assert "Built, not pushed" in log.summary
    config = runner.ran[0].env["DOCKER_CONFIG"]
    assert isinstance(config, str)
    assert not Path(config).exists()


def _wrote(digest: str) -> Any:
    """Do what buildx does: write down the digest."""

    def build(command: Any) -> None:
        path = command.argv[command.argv.index("--metadata-file") + 1]
        Path(path).write_text(json.dumps({"containerimage.digest": digest}))

    return build


def test_the_tag_that_stays_is_pushed_by_buildx_and_the_others_are_set_later(
    workspace: Path, tmp_path: Path
) -> None:
    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(0), then=_wrote(DIGEST))
    answers: Answers = {
        **OPEN_REGISTRY,
        "GET /v2/acme/app/manifests": [(200, {"Content-Type": "application/json"}, "{}")],
        "PUT /v2/acme/app/manifests": [(201, {}, "")],
    }
    with HttpRegistry(answers) as registry:
        image = f"{registry.address}/acme/app"
        given = inputs(image=image, tags="type=raw,latest\ntype=ref,event=branch\ntype=sha")
        with pytest.raises(ShipError, match="returned another manifest"):
            run(Step(given, context(workspace), lambda: runner, log.workflow))
    assert values(runner.ran[0].argv, "tag") == [f"{image}:sha-0123456"]
    assert log.outputs["image"] == f"{image}@{DIGEST}"
    assert log.outputs["digest"] == DIGEST


def test_the_tags_that_were_set_are_in_the_log(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    manifest = hashlib.sha256(b"{}").hexdigest()
    answers: Answers = {
        "GET /v2/acme/app/manifests": [(200, {"Content-Type": "application/json"}, "{}")],
        "PUT /v2/acme/app/manifests": [(201, {}, "")],
        **OPEN_REGISTRY,
    }
    runner = ScriptedRunner(Finished(0), then=_wrote(f"sha256:{manifest}"))
    with HttpRegistry(answers) as registry:
        image = f"{registry.address}/acme/app"
        given = inputs(image=image, tags="type=raw,latest\ntype=ref,event=branch\ntype=sha")
        run(Step(given, context(workspace), lambda: runner, log.workflow))
    assert f"pushed {image}@sha256:{manifest} as sha-0123456, main, latest" in log.text


def test_tags_that_do_not_move_because_a_list_became_incomplete_say_so(
    workspace: Path, tmp_path: Path
) -> None:
    log = Log(tmp_path)
    manifest = hashlib.sha256(b"{}").hexdigest()
    link = {"Link": "<https://elsewhere.example.com/2?n=1>; rel=next"}
    answers: Answers = {
        "GET /v2/acme/app/tags/list": [(200, {}, '{"tags": []}'), (200, link, '{"tags": []}')],
        "GET /v2/acme/app/manifests": [(200, {"Content-Type": "application/json"}, "{}")],
        "PUT /v2/acme/app/manifests": [(201, {}, "")],
        **OPEN_REGISTRY,
    }
    runner = ScriptedRunner(Finished(0), then=_wrote(f"sha256:{manifest}"))
    with HttpRegistry(answers) as registry:
        image = f"{registry.address}/acme/app"
        released = context(workspace, ref="refs/tags/v1.2.3")
        run(Step(inputs(image=image), released, lambda: runner, log.workflow))
    why = f"{registry.address} lists only a part of the tags of acme/app"
    assert f"the versions in the registry: {why}: its next page is another list, so" in log.text
    assert f"these tags are not moved: {image}:1.2, {image}:1, {image}:latest" in log.text
    assert "higher version" not in log.text


def test_a_digest_that_buildx_does_not_tell_is_an_error(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    with HttpRegistry(OPEN_REGISTRY) as registry:
        given = inputs(image=f"{registry.address}/acme/app")
        with pytest.raises(StepFailed, match="did not report its digest"):
            run(Step(given, context(workspace), lambda: ScriptedRunner(Finished(0)), log.workflow))


def test_what_is_not_pushed_is_in_the_engine(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    engine = (Finished(0, "Driver: remote", ""), Finished(0, "28.0", ""))
    runner = ScriptedRunner(*engine, Finished(0))
    given = inputs(push="false", builder="mine", tags="type=sha")
    run(Step(given, context(workspace), lambda: runner, log.workflow))
    assert "--load" in runner.ran[-1].argv
    name = "ghcr.io/acme/app:sha-0123456"
    assert f"the engine of this runner has app as {name}" in log.text
    assert f"Nothing was pushed. The engine of this runner has `{name}`." in log.summary


def test_what_cannot_be_loaded_is_said(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(0, "Driver: remote", ""), Finished(1), Finished(0))
    given = inputs(push="false", builder="mine", tags="type=sha")
    run(Step(given, context(workspace), lambda: runner, log.workflow))
    assert "--load" not in runner.ran[-1].argv
    reason = "this runner has no Docker engine that answers"
    assert f"the engine of this runner does not have app: {reason}" in log.text
    assert f"Nothing was pushed. The engine of this runner does not have app: {reason}." in (
        log.summary
    )


def test_an_unchanged_image_is_not_in_the_engine(workspace: Path) -> None:
    want = read(workspace, push="false", skip_unchanged="true")
    outcomes = Outcomes(want.images)
    outcomes.set("app", digest=DIGEST)
    step = Step({}, context(workspace), ScriptedRunner, Workflow({}))
    said = summary(want, list(outcomes), step)
    assert "does not have app: it is unchanged, and was not built." in said


LEFT = "buildx_buildkit_ship-0123456789ab0"


@pytest.mark.parametrize(
    ("machine", "removes"), [("self-hosted", True), ("github-hosted", False), ("", False)]
)
def test_what_a_killed_run_has_left_is_removed_where_a_builder_is_made(
    workspace: Path, tmp_path: Path, machine: str, *, removes: bool
) -> None:
    log = Log(tmp_path)
    found = (
        Finished(0, LEFT, ""),
        Finished(0, f"{LEFT}_state", ""),
        Finished(0, "2026-11-30T14:00:00Z", ""),
        Finished(0, f"/{LEFT} 2026-11-29T14:00:00Z null", ""),
        Finished(0, f"{LEFT}_state 2026-11-29T14:00:00Z", ""),
    )
    removed = (Finished(0), Finished(1, "", "Error response from daemon: volume is in use"))
    ending = (Finished(0), Finished(0), Finished(0))
    asked = (Finished(0, "[]", ""), Finished(0))
    runner = ScriptedRunner(*asked, *(*found, *removed) * removes, *ending)
    env = {**inputs(push="false", provenance="true"), "RUNNER_ENVIRONMENT": machine}
    run(Step(env, context(workspace), lambda: runner, log.workflow))
    names = [command.argv[-1] for command in runner.ran if "rm" in command.argv]
    assert (names[:2] == [LEFT, f"{LEFT}_state"]) is removes
    if removes:
        assert f"remove the container {LEFT}, which a killed run has left here\n" in log.text
        assert "(not done: Error response from daemon: volume is in use)" in log.text


def test_a_failed_build_sets_what_is_known(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(7, "", "ERROR: failed to solve: something"))
    with pytest.raises(StepFailed, match="failed with exit code 7"):
        run(
            Step(
                inputs(),
                context(workspace, event_name="pull_request"),
                lambda: runner,
                log.workflow,
            )
        )
    assert (log.outputs["tag"], log.outputs["image"]) == (SHORT, "")
    assert log.summary == "", "no empty table; main reports the error"

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doubles import OPEN_REGISTRY, HttpRegistry, Log, ScriptedRunner
from ship.build_push import plan, read_inputs, run
from ship.command import Secret
from ship.context import Context
from ship.errors import StepFailed, UserError
from ship.process import Finished

SHA = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "sha256:" + "b" * 64


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return folder


def context(workspace: Path, **changes: Any) -> Context:
    facts: dict[str, Any] = {
        "repository": "Acme/App",
        "sha": SHA,
        "ref": "refs/heads/main",
        "event_name": "push",
        "workspace": str(workspace),
    }
    return Context(**{**facts, **changes})


def inputs(**changes: str) -> dict[str, str]:
    given = {"username": "me", "password": "t0ken", "push": "auto", **changes}
    return {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}


def argv(facts: Context, **changes: str) -> tuple[str, ...]:
    return plan(read_inputs(inputs(**changes), facts), "m.json").argv


def test_the_defaults_name_the_image_after_the_repository_in_lower_case(workspace: Path) -> None:
    command = argv(context(workspace))
    assert "--tag=ghcr.io/acme/app:sha-0123456789ab" in command
    assert "--tag=ghcr.io/acme/app:main" in command
    assert "--push" in command
    assert command[-1] == str(workspace)


@pytest.mark.parametrize(
    ("ref", "tag"),
    [
        ("refs/heads/feat/x", "feat-x"),
        ("refs/heads/-;rm -rf ~", "rm--rf"),
        ("refs/tags/v1.2.3", "v1.2.3"),
        ("refs/pull/7/merge", "pr-7"),
    ],
)
def test_the_tag_says_what_was_built(workspace: Path, ref: str, tag: str) -> None:
    assert f"--tag=ghcr.io/acme/app:{tag}" in argv(context(workspace, ref=ref))


def test_nothing_is_pushed_from_a_pull_request_by_default(workspace: Path) -> None:
    assert "--push" not in argv(context(workspace, event_name="pull_request"))


def test_a_push_from_the_pull_request_of_a_fork_is_refused(workspace: Path) -> None:
    payload = {"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}}}
    facts = context(workspace, event_name="pull_request", payload=payload)
    with pytest.raises(UserError, match="never pushed from the pull request of a fork"):
        read_inputs(inputs(push="true"), facts)


def test_no_part_of_the_command_is_ever_a_word_of_a_shell(workspace: Path) -> None:
    command = argv(
        context(workspace), **{"build-args": "A=$(id); `x` \"'", "labels": "note=a b\nx=;"}
    )
    assert "--build-arg=A=$(id); `x` \"'" in command
    assert "--label=note=a b" in command
    assert "t0ken" not in " ".join(command)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image": "ghcr.io/acme/app:1"}, "not the name of an image"),
        ({"context": "nowhere"}, "no folder 'nowhere'"),
        ({"context": "--help"}, "no folder '--help'"),
        (
            {"file": "a/Dockerfile"},
            r"no Dockerfile at 'a/Dockerfile'[\s\S]*there is Dockerfile",
        ),
        ({"target": "--x"}, "not the name of a build stage"),
        ({"build-args": "TOKEN"}, "not of the form NAME=value"),
        ({"tags": "a b"}, "not a legal tag"),
        ({"tags": "-x"}, "not a legal tag"),
        ({"push": "maybe"}, "not one of auto, true, false"),
        ({"password": ""}, "`password`: is required but empty"),
        ({"dry-run": "x"}, "neither true nor false"),
    ],
)
def test_a_wrong_input_is_named(workspace: Path, changes: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        read_inputs(inputs(**changes), context(workspace))


def test_the_token_of_the_job_goes_to_github_alone(workspace: Path) -> None:
    given = {**inputs(password=""), "JOB_TOKEN": "ghs_x"}
    assert read_inputs(given, context(workspace)).password == Secret("ghs_x")
    given["INPUT_IMAGE"] = "registry.example.com/acme/app"
    with pytest.raises(UserError, match=r"give the password for registry\.example\.com"):
        read_inputs(given, context(workspace))


def test_a_missing_dockerfile_names_those_that_are_there(workspace: Path) -> None:
    (workspace / "Dockerfile").unlink()
    (workspace / "docker").mkdir()
    (workspace / "docker" / "api.Dockerfile").touch()
    with pytest.raises(UserError, match=r"there is docker/api.Dockerfile: name it in `file`"):
        read_inputs(inputs(), context(workspace))


def test_a_dry_run_sets_what_is_known_and_starts_nothing(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    run(inputs(**{"dry-run": "true"}), context(workspace), ScriptedRunner(), log.workflow)
    assert log.outputs["tag"] == "sha-0123456789ab"
    assert "1. build the image and push it to ghcr.io/acme/app" in log.text


def test_a_build_for_a_pull_request_leaves_no_login_behind(workspace: Path, tmp_path: Path) -> None:
    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(0, "", "#1 done\n::warning::x"))
    env = {**inputs(), "RUNNER_TEMP": str(tmp_path), "HOME": str(tmp_path)}
    run(env, context(workspace, event_name="pull_request"), runner, log.workflow)
    assert "Built, not pushed" in log.summary
    assert not Path(runner.ran[0].env["DOCKER_CONFIG"]).exists()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: no space left on device", "disk of the runner is full"),
        ("ERROR: failed to push ghcr.io/a/b: 403 Forbidden", "did not take the image"),
        ("ERROR: failed to push ghcr.io/a/b: 429 Too Many Requests", "did not take the image"),
        ("ERROR: ghcr.io/a/base: 403 Forbidden", "refused access to a base image"),
        ("curl: 403 Forbidden\nERROR: x did not complete successfully", "failed with exit code 7"),
        ("Cannot connect to the Docker daemon at unix://", "engine of the runner cannot be used"),
        ("docker: 'buildx' is not a docker command.", "no buildx plugin"),
        ("Dockerfile:3\nERROR: dockerfile parse error on line 3", "syntax error"),
        ('target stage "x" could not be found', "no such stage"),
        ('process "/bin/sh -c make" did not complete', "failed with exit code 7"),
    ],
)
def test_a_failed_build_tells_cause_and_last_lines(
    workspace: Path, tmp_path: Path, said: str, told: str
) -> None:
    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(7, "", said))
    facts = context(workspace, event_name="pull_request")
    with pytest.raises(StepFailed, match=told) as raised:
        run(inputs(), facts, runner, log.workflow)
    assert raised.value.evidence
    assert said in raised.value.evidence.text
    assert log.outputs["tag"] == "sha-0123456789ab"


def test_the_digest_comes_from_what_buildx_wrote(workspace: Path, tmp_path: Path) -> None:
    def build(command: Any) -> None:
        path = command.argv[command.argv.index("--metadata-file") + 1]
        Path(path).write_text(json.dumps({"containerimage.digest": DIGEST}))

    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(0), then=build)
    with HttpRegistry(OPEN_REGISTRY) as registry:
        image = f"{registry.address}/acme/app"
        run(inputs(image=image), context(workspace), runner, log.workflow)
    assert log.outputs["image"] == f"{image}@{DIGEST}"
    assert log.outputs["digest"] == DIGEST

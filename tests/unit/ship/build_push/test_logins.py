"""Each registry gets the login that is known for it, and each refusal says which registry it is."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doubles import OPEN_REGISTRY, Answer, Answers, HttpRegistry, Log, ScriptedRunner
from ship.build_push.step import run
from ship.runner.errors import ShipError
from ship.runner.process import Finished
from ship.runner.step import Step
from unit.ship.build_push.given import DIGEST, context, inputs, values

if TYPE_CHECKING:
    from ship.runner.command import Command

BASIC: Answer = (401, {"WWW-Authenticate": 'Basic realm="x"'}, "")
CLOSED = {**OPEN_REGISTRY, "GET /v2/": [BASIC]}
DENIED: Answer = (403, {}, '{"errors": [{"code": "DENIED", "message": "no"}]}')


def basic(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()


def config(folder: Path, **keys: object) -> dict[str, str]:
    (folder / "config.json").write_text(json.dumps(keys))
    return {"DOCKER_CONFIG": str(folder)}


def test_each_registry_gets_its_own_login(workspace: Path, tmp_path: Path) -> None:
    seen: dict[str, object] = {}

    def build(command: Command) -> None:
        folder = str(command.env["DOCKER_CONFIG"])
        seen.update(json.loads((Path(folder) / "config.json").read_text()))
        [file] = [command.argv[n + 1] for n, w in enumerate(command.argv) if w == "--metadata-file"]
        Path(file).write_text(json.dumps({"containerimage.digest": DIGEST}))

    log = Log(tmp_path)
    runner = ScriptedRunner(Finished(0, "", "#1 done"), then=build)
    manifest: Answer = (200, {"Content-Type": "x"}, "{}")
    answers: Answers = {"GET /v2/acme": [manifest], "PUT /v2/": [(201, {}, "")], **CLOSED}
    with HttpRegistry(dict(answers)) as first, HttpRegistry(dict(answers)) as second:
        names = f"{first.address}/acme/app\n{second.address}/acme/app"
        stored = {second.address: {"auth": basic("step:stored")}}
        env = {**inputs(image=names, tags="1"), **config(tmp_path, auths=stored)}
        with pytest.raises(ShipError, match="another manifest"):
            run(Step(env, context(workspace), lambda: runner, log.workflow))
        given = {first.address: {"auth": basic("me:t0ken")}}
    assert set(first.authorized) == {"", f"Basic {basic('me:t0ken')}"}
    assert set(second.authorized) == {"", f"Basic {basic('step:stored')}"}
    assert seen["auths"] == {**stored, **given}
    assert len(values(runner.ran[0].argv, "tag")) == 2


def test_each_refusal_says_which_registry_and_which_login_it_is_of(
    workspace: Path, tmp_path: Path
) -> None:
    closed = {**CLOSED, "POST /v2/": [DENIED]}
    with HttpRegistry(dict(closed)) as first, HttpRegistry(dict(closed)) as second:
        names = f"{first.address}/acme/app\n{second.address}/acme/app"
        stored = {second.address: {"auth": basic("step:stored")}}
        env = {**inputs(image=names), **config(tmp_path, auths=stored)}
        with pytest.raises(ShipError) as raised:
            run(Step(env, context(workspace), ScriptedRunner, Log(tmp_path).workflow))
    one, two = raised.value.problems
    assert f"{first.address} refuses a push to acme/app (403 no)" in one.what
    assert "give the user 'me' the right to write" in one.hint
    assert f"{second.address} refuses a push to acme/app (403 no)" in two.what
    assert "the login of an earlier step is used, as 'step'" in two.hint


def test_a_store_alone_is_the_login(workspace: Path, tmp_path: Path) -> None:
    answer = Finished(0, json.dumps({"Username": "AWS", "Secret": "stored"}))
    runner = ScriptedRunner(answer)
    with HttpRegistry({**CLOSED, "POST /v2/": [DENIED]}) as registry:
        given = inputs(image=f"{registry.address}/acme/app", password="")
        env = {**given, **config(tmp_path, credsStore="ecr-login")}
        with pytest.raises(ShipError, match="refuses a push to acme/app"):
            run(Step(env, context(workspace), lambda: runner, Log(tmp_path).workflow))
    assert registry.authorized[-1] == f"Basic {basic('AWS:stored')}"


def test_a_refusal_after_the_build_has_its_next_act_too(workspace: Path, tmp_path: Path) -> None:
    """Such as by a login that may push and not pull."""

    def build(command: Command) -> None:
        path = command.argv[command.argv.index("--metadata-file") + 1]
        Path(path).write_text(json.dumps({"containerimage.digest": DIGEST}))

    runner = ScriptedRunner(Finished(0), then=build)
    with HttpRegistry({"GET /v2/acme": [DENIED], **OPEN_REGISTRY}) as registry:
        given = inputs(image=f"{registry.address}/acme/app", tags="1\nlatest")
        with pytest.raises(ShipError, match="give the user 'me' the right"):
            run(Step(given, context(workspace), lambda: runner, Log(tmp_path).workflow))


@pytest.mark.parametrize(
    ("status", "body", "reported"),
    [
        (404, {"code": "NAME_UNKNOWN", "message": "no such repository"}, "has no repository"),
        (405, {"code": "UNSUPPORTED", "message": "no"}, "it is read-only"),
        (413, {}, "too large"),
        (451, {}, "for legal reasons"),
    ],
)
def test_an_answer_before_the_build_has_its_cause(
    workspace: Path, tmp_path: Path, status: int, body: dict[str, str], reported: str
) -> None:
    answer: Answer = (status, {}, json.dumps({"errors": [body]}))
    with HttpRegistry({**OPEN_REGISTRY, "POST /v2/": [answer]}) as registry:
        given = inputs(image=f"{registry.address}/acme/app")
        with pytest.raises(ShipError, match=reported):
            run(Step(given, context(workspace), ScriptedRunner, Log(tmp_path).workflow))


def test_a_tag_that_may_not_be_overwritten_is_told_as_that(workspace: Path, tmp_path: Path) -> None:
    """BuildKit hides the words of the registry: so it is asked whether the tag is there."""
    said = (
        'ERROR: failed to solve: failed to push {0}: failed commit on ref "m": unexpected status '
        "from PUT request to http://{1}/v2/acme/app/manifests/1: 400 Bad Request"
    )
    there: Answer = (200, {"Docker-Content-Digest": DIGEST}, "")
    with HttpRegistry({**OPEN_REGISTRY, "HEAD /v2/": [there]}) as registry:
        name = f"{registry.address}/acme/app"
        runner = ScriptedRunner(Finished(1, "", said.format(f"{name}:1", registry.address)))
        given = inputs(image=name, tags="type=raw,1")
        with pytest.raises(ShipError, match="has this tag of acme/app already") as raised:
            run(Step(given, context(workspace), lambda: runner, Log(tmp_path).workflow))
    assert raised.value.exit_code == 2

"""What a dry run prints is what a run does, in one order; and what is begun is undone."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doubles import OPEN_REGISTRY, Answers, HttpRegistry, Log, ScriptedRunner
from ship.build_push.step import run
from ship.runner.errors import Interrupted, ShipError
from ship.runner.process import Finished
from ship.runner.step import Step
from unit.ship.build_push.given import context, inputs

if TYPE_CHECKING:
    from ship.runner.command import Command

MANIFEST = json.dumps({"schemaVersion": 2, "config": {}})
DIGEST = f"sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"
TYPE = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
ASKS = "see what the engine can do"  # a fact, and no part of the plan
TWO = "api: {{context: ., image: {0}/acme/api}}\nweb: {{context: ., image: {0}/acme/web}}"
MOVING = "type=raw,latest\ntype=ref,event=branch"


def answers() -> Answers:
    return {
        **{
            f"GET /v2/acme/{name}/manifests/{DIGEST}": [(200, TYPE, MANIFEST)]
            for name in ("app", "api", "web")
        },
        "GET /v2/acme": [(404, {}, "")],
        "PUT /v2/acme": [(201, {"Docker-Content-Digest": DIGEST}, "")],
        **OPEN_REGISTRY,
    }


def as_buildx(command: Command) -> None:
    """Write the digest, as buildx does after a push."""
    if "--metadata-file" in command.argv:
        path = command.argv[command.argv.index("--metadata-file") + 1]
        Path(path).write_text(json.dumps({"containerimage.digest": DIGEST}))


def planned(text: str) -> tuple[list[str], list[str]]:
    """Return the commands and the tags that a dry run prints."""
    commands = re.findall(r"^ {3}\$ (.*)$", text, re.MULTILINE)
    _, _, tags = text.partition("set these tags, when all images are in the registry\n")
    return commands, re.findall(r"^ {3}(\S+)$", tags, re.MULTILINE)


def comparable(command: str) -> str:
    """Return a command without the time of the build and the names that only a real run knows."""
    text = re.sub(r"(image\.created=)\S+", r"\1NOW", command)
    text = re.sub(r"\bship-[0-9a-f]{12}\b", "ship-NAME", text)
    text = re.sub(r"\bcontent-[0-9a-f]{16,}\b", "content-ADDRESS", text)
    return re.sub(r"--metadata-file \S*/", "--metadata-file ", text)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="one image"),
        pytest.param({"push": "false"}, id="no push"),
        pytest.param({"tags": MOVING}, id="one image whose tags move"),
        pytest.param({"images": TWO}, id="several images"),
        pytest.param({"images": TWO, "tags": MOVING}, id="several images whose tags move"),
        pytest.param({"images": TWO, "push": "false"}, id="several images and no push"),
        pytest.param({"skip_unchanged": "true"}, id="unless unchanged"),
        pytest.param({"skip_unchanged": "true", "push": "false"}, id="unless unchanged, no push"),
        pytest.param({"images": TWO, "skip_unchanged": "true"}, id="several, unless unchanged"),
        pytest.param({"builder": "own"}, id="a named builder"),
        pytest.param({"builder": "tcp://192.0.2.1:1234"}, id="a BuildKit at an address"),
        pytest.param({"cache": "auto"}, id="the registry cache"),
        pytest.param({"cache": "auto", "push": "false"}, id="the registry cache, no push"),
        pytest.param({"cache": "auto", "images": TWO, "tags": MOVING}, id="cache and rehearsals"),
        pytest.param({"platforms": "linux/amd64,linux/arm64"}, id="several platforms"),
        pytest.param({"provenance": "true", "sbom": "true"}, id="provenance and an SBOM"),
        pytest.param({"annotations": "a=b", "target": "x"}, id="annotations and a stage"),
    ],
)
def test_a_run_starts_the_commands_of_the_dry_run_in_their_order(
    given: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    with HttpRegistry(answers()) as registry:
        where = {"image": f"{registry.address}/acme/app"}
        if "images" in given:
            where = {"images": given["images"].format(registry.address)}
        real = {**given, **where}
        dry, wet = Log(tmp_path), Log(tmp_path)
        run(Step(inputs(**real, dry_run="true"), context(workspace), ScriptedRunner, dry.workflow))
        assert registry.asked == []
        runner = ScriptedRunner(*[Finished(0)] * 20, then=as_buildx)
        run(Step(inputs(**real), context(workspace), lambda: runner, wet.workflow))
        put = [each.split("/v2/")[1] for each in registry.asked if each.startswith("PUT ")]
        tags = [f"{registry.address}/{each.replace('/manifests/', ':')}" for each in put]
    started = [str(each) for each in runner.ran if each.why != ASKS]
    commands, planned_tags = planned(dry.text)
    assert [comparable(each) for each in started] == [comparable(each) for each in commands]
    assert tags == planned_tags


@pytest.mark.parametrize(
    ("given", "ending"),
    [
        pytest.param({"provenance": "true"}, Finished(1, "", "ERROR: no"), id="it cannot be made"),
        pytest.param({"provenance": "true"}, Interrupted.of("cancelled"), id="a cancelled run"),
        pytest.param({"cache": "auto"}, Interrupted.of("cancelled"), id="cancelled, and optional"),
    ],
)
def test_a_builder_that_was_only_begun_is_removed(
    given: dict[str, str], ending: Finished | ShipError, workspace: Path, tmp_path: Path
) -> None:
    """What `create` has left, such as a container, is known only to buildx."""

    def end(command: Command) -> None:
        if "create" in command.argv and isinstance(ending, ShipError):
            raise ending

    log = Log(tmp_path)
    made = ending if isinstance(ending, Finished) else Finished(0)
    runner = ScriptedRunner(Finished(0), made, Finished(0), then=end)
    with HttpRegistry(answers()) as registry:
        real = inputs(**given, image=f"{registry.address}/acme/app")
        with pytest.raises(ShipError):
            run(Step(real, context(workspace), lambda: runner, log.workflow))
    assert [each.argv[2] for each in runner.ran] == ["--format", "create", "rm"]
    assert runner.ran[2] == runner.ran[1].undo

"""What a person reads first of a run: the cause in the first two lines, and then the next act."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from doubles import OPEN_REGISTRY, Answers, HttpRegistry, Log, ScriptedRunner
from ship.build_push.step import run
from ship.runner.errors import ERRORS, ShipError
from ship.runner.main import summary_of
from ship.runner.process import Finished
from ship.runner.step import Step
from unit.ship.build_push.given import context, inputs

if TYPE_CHECKING:
    from ship.runner.command import Command

MANIFEST = json.dumps({"config": {"size": 7000}, "layers": [{"size": 12345678}]})
DIGEST = f"sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"
TYPE = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
MOVING = "type=raw,latest\ntype=ref,event=branch\ntype=sha"
STEPS = "#5 [build 1/2] FROM x\n#5 CACHED\n#6 [build 2/2] RUN y\n#6 0.1 no such file\n"
RUN = 'process "/bin/sh -c y" did not complete successfully: exit code: 1'
OK = Finished(0, "", STEPS)
BROKEN = Finished(1, "", f"{STEPS}#6 ERROR: {RUN}\nERROR: failed to solve: {RUN}")
TAKEN = "tag invalid: The image tag 'x' cannot be overwritten"
EXPORTS = "#8 exporting cache to registry\n#8 ERROR: 403 Forbidden\nERROR: failed to solve: 403"
DENIED = '{"errors":[{"code":"DENIED","message":"access is denied"}]}'


class Failure(NamedTuple):
    """The inputs, how the programs end, what the registry refuses; then what is read first."""

    given: dict[str, str]
    endings: tuple[Finished, ...]
    refused: str
    title: str
    cause: str
    act: str


class Shown(NamedTuple):
    """What a run shows: the log with its annotations, and the summary without fences."""

    log: str
    summary: list[str]


def answers(*refused: str) -> Answers:
    found = {f"GET /v2/acme/{n}/manifests/{DIGEST}": [(200, TYPE, MANIFEST)] for n in ("app", "b")}
    open_registry: Answers = {**found, "PUT /v2/acme": [(201, {}, "")], **OPEN_REGISTRY}
    return {**open_registry, **{key: [(403, {}, DENIED)] for key in refused}}


def as_buildx(command: Command) -> None:
    if "--metadata-file" in command.argv:
        path = command.argv[command.argv.index("--metadata-file") + 1]
        Path(path).write_text(json.dumps({"containerimage.digest": DIGEST}))


def show(
    workspace: Path, given: dict[str, str], *endings: Finished, registry: Answers | None = None
) -> Shown:
    """Do a step, and write its summary as the entry point does."""
    log = Log(workspace.parent)
    runner = ScriptedRunner(*endings, then=as_buildx)
    with HttpRegistry(registry or answers()) as server:
        texts = {"image": "{r}/acme/app", **given}
        env = inputs(**{k: v.replace("{r}", server.address) for k, v in texts.items()})
        env["RUNNER_ARCH"] = "X64"
        try:
            run(Step(env, context(workspace), lambda: runner, log.workflow))
            summary = log.summary
        except ShipError as error:
            assert not log.summary, "nothing stands before the cause"
            summary = summary_of(error)
    text = summary.replace(server.address, "r.io")
    return Shown(log.text, [line for line in text.splitlines() if line and line[:3] != "```"])


PROVENANCE = {"provenance": "true"}
TLS = "ERROR: could not create a builder instance with TLS data loaded from environment."
TWO = {"images": "app: .\nb: .", "image": "{r}/acme", "tags": "type=sha"}
NO_DOCKER = Finished(1, "", "ERROR: Cannot connect to the Docker daemon at unix:///x.")
BUILD, CHECK, REFUSED = "The build failed", "Check the inputs", "The registry refuses the push"
PUSHING = "POST /v2/"
TAGGING = "PUT /v2/acme"
WANTS_CACHE = {"cache_to": "type=registry,ref=r.io/a:c"}
CONTAINERD = Finished(0, "io.containerd.snapshotter.v1", "")
FAILURES = [
    Failure({"secrets": "A"}, (), "", CHECK, "line 1 is a name that", "check that the secret"),
    Failure({"tags": "type=pep440,pattern={{version}}"}, (), "", CHECK,
            "no rule gives a tag", "add a rule"),
    Failure({}, (), PUSHING, REFUSED,
            r"refuses a push to acme/app \(403 access is denied\)", "give the user 'me'"),
    Failure({}, (BROKEN,), "", BUILD,
            r"exit code 1: /bin/sh -c y \(no such file\)", "read its output"),
    Failure({}, (NO_DOCKER,), "", BUILD, "cannot be used: Cannot connect to the D", "start"),
    Failure(TWO, (OK, BROKEN), "", BUILD, "b: a command of the Dockerfile", "read its"),
    Failure({}, (Finished(1, "", f"#8 pushing x/y:z with docker\nERROR: {TAKEN}"),), "",
            REFUSED, "has this tag of acme/app already", "use a tag that is new"),
    Failure({"tags": MOVING}, (OK,), TAGGING, "Not all tags were set",
            "r.io refuses a push to acme/app", "give the user"),
    Failure(PROVENANCE, (Finished(0, "[]", ""), Finished(1, "", TLS), OK), "",
            "There is no builder", "reached over TLS .* needed for prov", "in steps before this"),
    Failure(WANTS_CACHE, (CONTAINERD, Finished(1, "", f"{STEPS}{EXPORTS}")), "",
            "The cache was not written", "the cache could not be written: 403", "correct `cache-"),
]  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES, ids=[each.cause for each in FAILURES])
def test_a_failure_says_its_cause_first_and_then_the_next_act(
    workspace: Path, failure: Failure
) -> None:
    shown = show(
        workspace, failure.given, *failure.endings, registry=answers(failure.refused or "x")
    )
    assert shown.summary[0] == f"### ❌ {failure.title}"
    assert re.search(failure.cause, shown.summary[1]), shown.summary[1]
    assert shown.summary[2].startswith(f"  hint: {failure.act}")
    assert shown.summary[3].startswith(f"  see: {ERRORS}#")


@pytest.mark.parametrize(
    ("given", "endings"), [(TWO, (OK, BROKEN)), ({"tags": MOVING}, (OK,))], ids=["build", "tags"]
)
def test_what_was_done_before_a_failure_comes_after_its_cause(
    workspace: Path, given: dict[str, str], endings: tuple[Finished, ...]
) -> None:
    shown = show(workspace, given, *endings, registry=answers(TAGGING))
    at = shown.summary.index("**What was done before**")
    assert "| r.io/acme/app | `sha256:" in shown.summary[at + 3]
    if given is TWO:
        assert shown.summary[at + 4].startswith("| r.io/acme/b |")
        assert "| not built |" in shown.summary[at + 4]


def test_a_push_says_what_the_registry_has(workspace: Path) -> None:
    shown = show(workspace, {"tags": MOVING}, OK)
    tags = "`main` `latest` `sha-0123456`"
    assert shown.summary == [
        "### ✅ Pushed",
        "| Image | Digest | Tags | Platforms | Size | Time | From cache |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        f"| r.io/acme/app | `{DIGEST}` | {tags} | linux/amd64 | 12.4 MB | 0.0 s | 1 of 2 steps |",
    ]
    assert f"@{DIGEST} as sha-0123456, main, latest" in shown.log


def test_what_is_not_pushed_has_no_empty_columns(workspace: Path) -> None:
    shown = show(workspace, {"push": "false", "tags": "type=sha"}, OK)
    assert shown.summary == [
        "### ✅ Built, not pushed",
        "| Image | Platforms | Time | From cache |",
        "| --- | --- | --- | --- |",
        "| r.io/acme/app | linux/amd64 | 0.0 s | 1 of 2 steps |",
        "Nothing was pushed. The engine of this runner has `r.io/acme/app:sha-0123456`.",
    ]


@pytest.mark.parametrize(
    ("push", "title", "log"),
    [
        ("true", "### ✅ Unchanged: not built, and tagged", "tagged "),
        ("false", "### ✅ Unchanged: not built", "app is unchanged: the registry has "),
    ],
)
def test_what_was_not_built_is_not_said_to_be(
    workspace: Path, push: str, title: str, log: str
) -> None:
    found = (200, {"Docker-Content-Digest": DIGEST}, "")
    registry = {"HEAD /v2/acme/app/manifests/content": [found], **answers()}
    shown = show(workspace, {"push": push, "skip_unchanged": "true"}, registry=registry)
    assert shown.summary[0] == title
    assert "| unchanged, not built |" in shown.summary[3]
    assert log in shown.log
    assert "pushed 127" not in shown.log

"""With `skip-unchanged: commit`, what was built for this commit is tagged and not built again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from doubles import OPEN_REGISTRY, Answers, HttpRegistry, Log, ScriptedRunner
from ship.build_push.commit_tags import commit_tags, full_tag
from ship.build_push.facts import unasked
from ship.build_push.inputs import read_inputs
from ship.build_push.plan import plan
from ship.build_push.promotion import of_commit
from ship.build_push.step import run
from ship.images.registry.client import Client
from ship.images.registry.refusal import CannotAsk
from ship.runner.commit import LABEL, Commit
from ship.runner.errors import StepFailed, UserError
from ship.runner.process import Finished
from ship.runner.step import Step
from unit.ship.build_push.given import SHA, SHORT, context, inputs, read

if TYPE_CHECKING:
    from ship.runner.command import Command

REVISION = "org.opencontainers.image.revision"
FULL = f"sha-{SHA}"
OTHER = "b" * 40
WORKFLOW = "https://github.com/Acme/App/.github/workflows/ci.yml"
RULES = "type=sha\nspring"
TWO_PLATFORMS = "linux/amd64,linux/arm64/v8"
JSON = {"Content-Type": "application/json"}
NEW = "{}"


def digest_of(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


class Image(NamedTuple):
    """An image in the registry, as it answers under any name."""

    text: str
    parts: dict[str, str]

    @property
    def digest(self) -> str:
        return digest_of(self.text)

    def at(self, *references: str) -> Answers:
        """Return the answers of a registry that has it as `acme/app:tag`."""
        found: Answers = {}
        # The first that an address begins with is the answer, so the longest tag comes first.
        for reference in sorted(references, key=len, reverse=True):
            path, tag = reference.split(":")
            base = f"GET /v2/acme/{path}"
            found.setdefault(f"{base}/manifests/{FULL}", [(404, {}, "")])
            texts = {**self.parts, f"manifests/{self.digest}": self.text}
            found |= {f"{base}/{part}": [(200, JSON, text)] for part, text in texts.items()}
            found[f"{base}/manifests/{tag}"] = [(200, JSON, self.text)]
        return found


def image(
    revision: str = SHA, *, run_of: str = "", annotated: str = "", platforms: str = ""
) -> Image:
    """Return an image with a label for its commit, or an annotation, for one or more platforms."""
    labels = {REVISION: revision} if revision else {}
    if run_of:
        labels[LABEL] = str(Commit(WORKFLOW, "refs/heads/main", run_of, 7))
    config = json.dumps({"config": {"Labels": labels}})
    plain = {"config": {"digest": digest_of(config)}, "annotations": {REVISION: annotated}}
    text = json.dumps(plain)
    parts = {f"blobs/{digest_of(config)}": config}
    if not platforms:
        return Image(text, parts)
    parts[f"manifests/{digest_of(text)}"] = text
    entries = [_entry(text, each) for each in platforms.split(",")]
    return Image(json.dumps({"manifests": [_entry("x", "unknown/unknown"), *entries]}), parts)


def _entry(text: str, platform: str) -> dict[str, Any]:
    names = zip(("os", "architecture", "variant"), platform.split("/"), strict=False)
    return {"digest": digest_of(text), "platform": dict(names)}


class Released(NamedTuple):
    """What came of the step of a release."""

    log: Log
    built: list[str]
    set: list[str]
    asked: list[str]
    digest: str


def release(workspace: Path, tmp_path: Path, answers: Answers, **given: str) -> Released:
    """Run the step of a Git tag that is no version; what it builds is known as `{}`."""

    def build(command: Command) -> None:
        if "--metadata-file" in command.argv:
            path = command.argv[command.argv.index("--metadata-file") + 1]
            Path(path).write_text(json.dumps({"containerimage.digest": digest_of(NEW)}))

    log = Log(tmp_path)
    runner = ScriptedRunner(*[Finished(0)] * 4, then=build)
    new = Image(NEW, {}).at("app:none", "app/api:none", "app/web:none", "more:none")
    rest: Answers = {"GET /v2/acme": [(404, {}, "")], "PUT /v2/acme": [(201, {}, "")]}
    with HttpRegistry({**new, **answers, **rest, **OPEN_REGISTRY}) as registry:
        names = given.pop("image", "REGISTRY/acme/app").replace("REGISTRY", registry.address)
        made = context(workspace, ref="refs/tags/spring")
        want = inputs(**{"image": names, "skip_unchanged": "commit", **given})
        run(Step(want, made, lambda: runner, log.workflow))
    builds = [each.why for each in runner.ran if "--metadata-file" in each.argv]
    tags = [each.rpartition("/")[2] for each in registry.asked if each.startswith("PUT")]
    return Released(log, builds, tags, registry.asked, log.outputs["digest"])


def test_the_image_of_the_commit_gets_the_tags_and_nothing_is_built(
    workspace: Path, tmp_path: Path
) -> None:
    there = image()
    step = release(workspace, tmp_path, there.at(f"app:{SHORT}"))
    assert (step.built, step.set) == ([], ["spring", SHORT])
    assert (step.digest, step.log.outputs["built"]) == (there.digest, "false")
    assert step.log.outputs["image"].endswith(f"/acme/app@{there.digest}")
    said = f"app is already there for this commit: the registry has {there.digest}\n"
    assert said in step.log.text
    assert "### ✅ Already there for this commit: not built, and tagged" in step.log.summary
    assert "| already there, not built |" in step.log.summary
    assert "::notice::" not in step.log.text


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(image(run_of=SHA), id="both labels"),
        pytest.param(image("", annotated=SHA), id="an annotation"),
        pytest.param(image(platforms="linux/amd64,linux/arm64"), id="an index"),
    ],
)
def test_the_commit_in_full_is_what_is_trusted(
    workspace: Path, tmp_path: Path, there: Image
) -> None:
    platforms = TWO_PLATFORMS if "manifests" in json.loads(there.text) else ""
    step = release(workspace, tmp_path, there.at(f"app:{SHORT}"), platforms=platforms)
    assert (step.built, step.digest) == ([], there.digest)


@pytest.mark.parametrize(
    ("there", "platforms", "why"),
    [
        (image(OTHER), "", f"says that it was built for {OTHER}"),
        (image(SHA[:12] + OTHER[:28]), "", "says that it was built for 0123456789abbbbb"),
        (image(""), "", "says that it was built for no commit"),
        (image(run_of=OTHER), "", f"says that it was built for {OTHER}"),
        (image(), TWO_PLATFORMS, "is not for linux/arm64/v8"),
        (image(platforms="linux/amd64"), TWO_PLATFORMS, "is not for linux/arm64/v8"),
        (image(platforms="linux/arm/v7"), "linux/arm/v6", "is not for linux/arm/v6"),
    ],
    ids=lambda each: "" if isinstance(each, Image) else str(each),
)  # fmt: skip
def test_an_image_that_may_be_another_is_not_taken(
    workspace: Path, tmp_path: Path, there: Image, platforms: str, why: str
) -> None:
    step = release(workspace, tmp_path, there.at(f"app:{SHORT}"), platforms=platforms)
    assert (len(step.built), step.digest) == (1, digest_of(NEW))
    assert f":{SHORT} {why}" in step.log.text


def test_a_first_release_is_built_and_says_so(workspace: Path, tmp_path: Path) -> None:
    step = release(workspace, tmp_path, {})
    assert (len(step.built), step.digest, step.log.outputs["built"]) == (
        1, digest_of(NEW), "true"
    )  # fmt: skip
    assert f"/acme/app has no tag {SHORT} or {FULL}\n" in step.log.text
    assert "::notice::app is built, not taken from an earlier run: 127." in step.log.text


def test_a_registry_that_refuses_to_say_has_no_image(workspace: Path, tmp_path: Path) -> None:
    refused: Answers = {f"GET /v2/acme/app/manifests/{SHORT}": [(403, {}, "")]}
    step = release(workspace, tmp_path, refused)
    assert len(step.built) == 1
    assert "not taken from an earlier run: 127." in step.log.text
    assert "refuses acme/app (403)" in step.log.text


@pytest.mark.parametrize("path", [f"manifests/{SHORT}", "blobs/"])
def test_a_registry_that_does_not_answer_fails_the_step(
    workspace: Path, tmp_path: Path, path: str
) -> None:
    """A build would be another image than the one that was tested."""
    busy: Answers = {f"GET /v2/acme/app/{path}": [(503, {}, "")]}
    step = Step({}, context(workspace), ScriptedRunner, Log(tmp_path).workflow)
    with (
        HttpRegistry({**busy, **image().at(f"app:{SHORT}"), **busy, **OPEN_REGISTRY}) as registry,
        Client(lambda _: None, {}, back_off=()) as client,
    ):
        want = read(workspace, image=f"{registry.address}/acme/app", skip_unchanged="commit")
        with pytest.raises(StepFailed, match="is busy or broken"):
            of_commit(want, client, step)


def test_a_registry_that_only_docker_can_ask_fails_the_step(
    workspace: Path, tmp_path: Path
) -> None:
    log = Log(tmp_path)
    env = {**inputs(skip_unchanged="commit"), "HTTPS_PROXY": "socks5://127.0.0.1:1"}
    step = Step(env, context(workspace), ScriptedRunner, log.workflow)
    with pytest.raises(CannotAsk, match="socks5"):
        run(step)


def test_rules_of_the_person_decide_which_tag_is_looked_at(workspace: Path, tmp_path: Path) -> None:
    there = image()
    step = release(workspace, tmp_path, there.at("app:sha-0123456"), tags=RULES)
    assert (step.built, step.set, step.digest) == ([], ["spring", "sha-0123456"], there.digest)
    # It may belong to another image that has the same name.
    step = release(workspace, tmp_path, there.at(f"app:{SHORT}"), tags=RULES)
    assert len(step.built) == 1
    assert "has no tag sha-0123456; add the rule `type=sha,format=long` to `tags`" in step.log.text
    step = release(workspace, tmp_path, there.at(f"app:{SHORT}"), tags="type=ref,event=tag")
    assert "has no tag of the commit 0123456789ab; add the rule" in step.log.text


def test_a_tag_that_has_the_commit_in_full_needs_no_label(workspace: Path, tmp_path: Path) -> None:
    """A run gives it to an image that it has found unchanged, which was built for another."""
    there = image(OTHER)
    step = release(workspace, tmp_path, there.at(f"app:{SHORT}", f"app:{FULL}"))
    assert (step.built, step.digest) == ([], there.digest)


def test_an_unchanged_image_is_tagged_with_the_commit_in_full(
    workspace: Path, tmp_path: Path
) -> None:
    there = image(OTHER)
    found = {"HEAD /v2/acme/app/manifests/content-": [
        (200, {"Docker-Content-Digest": there.digest}, "")
    ]}  # fmt: skip
    answers: Answers = {**found, **there.at("app:old")}
    step = release(workspace, tmp_path, answers, skip_unchanged="true")
    assert (step.built, step.set) == ([], ["spring", SHORT, FULL])
    assert FULL not in step.log.outputs["tags"]
    step = release(workspace, tmp_path, answers, skip_unchanged="true", tags=RULES)
    assert step.set == ["spring", "sha-0123456"]


def test_an_image_with_paths_that_has_no_tag_of_the_commit_may_be_unchanged(
    workspace: Path, tmp_path: Path
) -> None:
    there = image(OTHER)
    found = {"HEAD /v2/acme/app/manifests/content-": [
        (200, {"Docker-Content-Digest": there.digest}, "")
    ]}  # fmt: skip
    answers: Answers = {**found, **there.at("app:old")}
    step = release(workspace, tmp_path, answers, paths="Dockerfile")
    assert (step.built, step.digest) == ([], there.digest)
    assert "app was not built for this commit: 127." in step.log.text
    assert "::notice::" not in step.log.text


def test_each_of_several_images_is_looked_for_by_itself(workspace: Path, tmp_path: Path) -> None:
    there = image().at(f"app/api:{SHORT}")
    step = release(workspace, tmp_path, there, images="api: .\nweb: .")
    [built] = step.built
    assert built.startswith("build web and push it to 127.")
    results = json.loads(step.log.outputs["results"])
    assert {key: each["built"] for key, each in results.items()} == {"api": False, "web": True}
    assert results["api"]["digest"] == image().digest
    assert "Pushed" in step.log.summary


def test_all_names_of_an_image_have_the_same(workspace: Path, tmp_path: Path) -> None:
    both = "REGISTRY/acme/app\nREGISTRY/acme/more"
    same = image().at(f"app:{SHORT}", f"more:{SHORT}")
    assert release(workspace, tmp_path, same, image=both).built == []
    differing = {**image().at(f"app:{SHORT}"), **image(run_of=SHA).at(f"more:{SHORT}")}
    step = release(workspace, tmp_path, differing, image=both)
    assert len(step.built) == 1
    assert "its names do not have the same image" in step.log.text
    step = release(workspace, tmp_path, image().at(f"app:{SHORT}"), image=both)
    assert len(step.built) == 1
    assert f"/acme/more has no tag {SHORT}" in step.log.text


def test_the_flavor_is_a_part_of_the_tag(workspace: Path) -> None:
    want = read(workspace, flavor="suffix=-alpine", skip_unchanged="commit")
    [app] = want.images
    assert commit_tags(want, app) == (f"{SHORT}-alpine", f"{FULL}-alpine")
    assert full_tag(want, app) == (f"{FULL}-alpine",)


def test_an_image_that_is_not_pushed_is_found_too(workspace: Path, tmp_path: Path) -> None:
    there = image()
    step = release(workspace, tmp_path, there.at(f"app:{SHORT}"), push="false")
    assert (step.built, step.set, step.digest) == ([], [], there.digest)
    why = "it is in the registry for this commit, and was not built"
    assert f"does not have app: {why}" in step.log.text


def test_what_shall_be_built_again_is_not_looked_for(workspace: Path, tmp_path: Path) -> None:
    step = release(workspace, tmp_path, image().at(f"app:{SHORT}"), no_cache="true")
    assert (len(step.built), step.digest) == (1, digest_of(NEW))


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "merge_group"])
def test_a_check_of_what_is_not_merged_is_built(workspace: Path, event: str) -> None:
    given = inputs(skip_unchanged="commit")
    assert not read_inputs(given, context(workspace, event_name=event)).promotes
    assert read_inputs(given, context(workspace, event_name="release")).promotes


def test_an_event_that_leaves_the_commit_open_finds_nothing(workspace: Path) -> None:
    """After another workflow, the one that is checked out may be the commit of that run."""
    run_of = {"path": ".github/workflows/ci.yml", "head_branch": "main", "run_number": 7}
    facts = {"event_name": "workflow_run", "run_number": "9", "workflow_ref": "x"}
    for sha, revision in ((SHA, SHA), (OTHER, "")):
        payload = {"workflow_run": {**run_of, "head_sha": sha,
                                    "head_repository": {"full_name": "Acme/App"}}}  # fmt: skip
        made = context(workspace, payload=payload, **facts)
        assert read_inputs(inputs(skip_unchanged="commit"), made).revision == revision
    assert read_inputs(inputs(), context(workspace, sha="not a commit")).revision == ""


def test_a_dry_run_says_that_it_depends_on_the_registry(workspace: Path) -> None:
    want = read(workspace, skip_unchanged="commit")
    before = "the registry has the image of this commit"
    lines = plan(want, unasked(want)).shown().splitlines()
    assert lines[0] == f"1. build app and push it to ghcr.io/acme/app, unless {before}"
    assert lines[1].startswith("   $ docker buildx build ")
    want = read(workspace, skip_unchanged="commit", paths="Dockerfile")
    lines = plan(want, unasked(want)).shown().splitlines()
    assert f"unless {before} or an image of the same content; ADDRESS is a hash" in lines[0]


def test_another_word_is_refused(workspace: Path) -> None:
    with pytest.raises(UserError, match="'always' is neither true nor false nor commit"):
        read(workspace, skip_unchanged="always")

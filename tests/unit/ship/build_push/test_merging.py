"""Images for one platform each are pushed by digest, and become one image."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from doubles import OPEN_REGISTRY, Answers, HttpRegistry, Log, ScriptedRunner
from ship.build_push.buildx.builder import choose_unasked
from ship.build_push.facts import ANY_ADDRESS, Facts, Found, unasked
from ship.build_push.inputs import read_inputs
from ship.build_push.merging import INDEX, OF_IMAGE, entries_of, index_of, merged
from ship.build_push.plan import plan
from ship.build_push.step import run
from ship.images.registry.client import Client, Manifest
from ship.runner.errors import StepFailed, UserError
from ship.runner.step import Step
from unit.ship.build_push.given import DIGEST, SHORT, context, inputs, read

if TYPE_CHECKING:
    from pathlib import Path

NAME = "ghcr.io/acme/app"
OTHER = "sha256:" + "c" * 64
TWO = f"linux/amd64={NAME}@{DIGEST}\nlinux/arm64={NAME}@{OTHER}\n"
PLAIN = "application/vnd.oci.image.manifest.v1+json"
ASKED = Facts(sets_tags=True, folder="/ship", new_builder="ship-1")


def manifest(content: dict[str, Any], media_type: str = PLAIN) -> Manifest:
    body = json.dumps(content).encode()
    return Manifest(media_type, body, "sha256:" + hashlib.sha256(body).hexdigest())


AMD = manifest({"config": {"digest": DIGEST}, "layers": []})
ARM = manifest({"config": {"digest": OTHER}, "layers": []})


# A push by digest


def test_a_push_by_digest_gives_no_tag_and_needs_a_builder_that_can(workspace: Path) -> None:
    want = read(workspace, push_by_digest="true", platforms="linux/arm64")
    assert choose_unasked(want).reasons == ("a push without a tag",)
    shown = plan(want, ASKED).shown()
    assert "push it to ghcr.io/acme/app by its digest" in shown
    assert (
        "--output=type=image,name=ghcr.io/acme/app,push-by-digest=true,name-canonical=true,"
        "push=true" in shown
    )
    assert "--tag" not in shown
    assert "set these tags" not in shown


def test_several_names_get_the_same_push(workspace: Path) -> None:
    want = read(workspace, push_by_digest="true", image="x.io/a\ny.io/a")
    assert '--output=type=image,"name=x.io/a,y.io/a",push-by-digest' in plan(want, ASKED).shown()


def test_one_that_may_be_unchanged_is_pushed_under_its_address_alone(workspace: Path) -> None:
    want = read(workspace, push_by_digest="true", skip_unchanged="true")
    facts = ASKED._replace(found={"app": Found("content-1")})
    what = plan(want, facts)
    assert [str(each) for each in what.builds[0].references] == [f"{NAME}:content-1"]
    assert what.tags == ()


def test_a_push_by_digest_needs_no_rule_that_gives_a_tag(workspace: Path) -> None:
    assert read(workspace, push_by_digest="true", tags="type=ref,event=tag").by_digest
    with pytest.raises(UserError, match="no rule gives a tag"):
        read(workspace, tags="type=ref,event=tag")


def test_each_platform_keeps_a_cache_of_its_own(workspace: Path) -> None:
    for platform in ("linux/amd64", "linux/arm64"):
        want = read(workspace, push_by_digest="true", platforms=platform, cache="auto")
        reference = f"ref={NAME}:buildcache-{platform.replace('/', '-')}"
        assert plan(want, ASKED).shown().count(reference) == 2


def test_the_build_of_a_pull_request_is_loaded_as_ever(workspace: Path) -> None:
    given = inputs(push_by_digest="true", platforms="linux/arm64")
    want = read_inputs(given, context(workspace, event_name="pull_request"))
    shown = plan(want, ASKED).shown()
    assert "--output" not in shown
    assert f"--tag={NAME}:" in shown


# A merge


def test_a_merge_builds_nothing_and_sets_the_tags(workspace: Path) -> None:
    want = read(workspace, merge=TWO, cache="auto", provenance="max", builder="tcp://kit:1")
    assert choose_unasked(want).reasons == ()
    assert plan(want, ASKED).shown().splitlines() == [
        "1. merge the images for linux/amd64, linux/arm64 into one",
        "2. set these tags, when all images are in the registry",
        f"   {NAME}:main",
        f"   {NAME}:{SHORT}",
    ]


def test_a_dry_run_says_what_the_registry_may_have(workspace: Path) -> None:
    want = read(workspace, merge=TWO, skip_unchanged="true", dry_run="true")
    known = unasked(want)
    assert known.found["app"].address == ANY_ADDRESS
    assert "into one, unless the registry has an image of the same content" in (
        plan(want, known).shown()
    )


def test_what_is_there_is_not_merged_again(workspace: Path) -> None:
    want = read(workspace, merge=TWO, skip_unchanged="true")
    what = plan(want, ASKED._replace(found={"app": Found("content-1", DIGEST)}))
    assert what.merges == ()
    assert [each.key for each in what.kept] == ["app"]


def test_where_nothing_is_pushed_nothing_is_merged(workspace: Path) -> None:
    given = inputs(merge="linux/amd64=\nlinux/arm64=\n")
    want = read_inputs(given, context(workspace, event_name="pull_request"))
    assert plan(want, ASKED._replace(sets_tags=False)).shown() == ""


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("linux/amd64=\nlinux/arm64=\n", "there is no image for linux/amd64"),
        (f"linux/arm64={NAME}:main", "'ghcr.io/acme/app:main' is not an image of"),
        (f"linux/arm64=ghcr.io/acme/web@{DIGEST}", "is not an image of ghcr.io/acme/app by digest"),
        (f"arm64={NAME}@{DIGEST}", "'arm64' is not the name of a platform"),
        (TWO + TWO, "'linux/amd64' appears twice"),
        (f"{NAME}@{DIGEST}", "line 1 is not of the form NAME=value"),
    ],
)
def test_what_cannot_be_merged_is_told(given: str, problem: str, workspace: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(workspace, merge=given)
    assert any(
        each.where == "input `merge`" and problem in each.what for each in caught.value.problems
    )


def test_a_merge_is_no_push_by_digest_and_makes_one_image(workspace: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(
            workspace, merge=TWO, push_by_digest="true",
            images="api: {context: ., image: ghcr.io/acme/app}\nweb: {context: ., image: x.io/b}",
        )  # fmt: skip
    places = [each.where for each in caught.value.problems]
    assert places == ["input `merge`", "input `merge`"]


# The index


def test_an_image_is_named_with_its_platform_and_size() -> None:
    for text, platform in (
        ("linux/amd64", {"architecture": "amd64", "os": "linux"}),
        ("linux/arm64/v8", {"architecture": "arm64", "os": "linux"}),
        ("linux/arm/v7", {"architecture": "arm", "os": "linux", "variant": "v7"}),
    ):
        (entry,) = entries_of(text, AMD)
        assert entry == {
            "mediaType": PLAIN, "digest": AMD.digest, "size": len(AMD.body), "platform": platform
        }  # fmt: skip


def test_of_an_index_only_its_platform_is_taken_with_what_is_attached_to_it() -> None:
    amd, arm = (next(entries_of(f"linux/{name}", AMD)) for name in ("amd64", "arm64"))
    arm = {**arm, "digest": ARM.digest}
    attached = [
        {"digest": digest, "annotations": {OF_IMAGE: of}, "platform": {"os": "unknown"}}
        for digest, of in ((DIGEST, AMD.digest), (OTHER, ARM.digest))
    ]
    whole = manifest({"manifests": [amd, arm, *attached]}, INDEX)
    assert [*entries_of("linux/arm64", whole)] == [arm, attached[1]]
    assert [*entries_of("linux/s390x", whole)] == []
    variant = {**arm, "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"}}
    others: list[dict[str, Any]] = [{}, {"platform": None}, {"platform": {}}]
    for broken in others:
        theirs = manifest({"manifests": [broken, variant]}, INDEX)
        assert [*entries_of("linux/arm64", theirs)] == [variant]


def test_the_same_parts_make_the_same_index() -> None:
    entries = [*entries_of("linux/amd64", AMD), *entries_of("linux/arm64", ARM)]
    one, other = (index_of(entries, {"a": "ä"}) for _ in range(2))
    assert one == other
    assert one.read()["annotations"] == {"a": "ä"}
    assert index_of(entries, {}).read().keys() == {"schemaVersion", "mediaType", "manifests"}


# The step


def registry_with(*parts: Manifest, **more: Any) -> HttpRegistry:
    there: Answers = {
        f"GET /v2/acme/app/manifests/{each.digest}": [
            (200, {"Content-Type": each.media_type}, each.body.decode())
        ]
        for each in parts
    }
    return HttpRegistry(
        {
            **more,
            **there,
            "GET /v2/acme": [(404, {}, "")],
            **OPEN_REGISTRY,
            "PUT /v2/acme/app/manifests": [(201, {}, "")],
        }
    )


def merge(workspace: Path, log: Log, registry: HttpRegistry, **more: str) -> str:
    """Merge the two images as a step; return the name of the image."""
    name = f"{registry.address}/acme/app"
    lines = f"linux/amd64={name}@{AMD.digest}\nlinux/arm64={name}@{ARM.digest}\n"
    given = {"tags": "type=ref,event=branch\ntype=sha", **more}
    env = {**inputs(image=name, merge=lines, **given), "RUNNER_TEMP": str(workspace.parent)}
    run(Step(env, context(workspace), ScriptedRunner, log.workflow))
    return name


def test_the_index_is_pushed_by_its_digest_before_a_tag_is_set(
    workspace: Path, tmp_path: Path
) -> None:
    log = Log(tmp_path)
    with registry_with(AMD, ARM) as registry:
        name = merge(workspace, log, registry)
    puts = [each for each in registry.asked if each.startswith("PUT")]
    body = next(b for a, b in zip(registry.asked, registry.bodies, strict=True) if a in puts)
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    tags = (digest, "main", "sha-0123456")
    assert puts == [f"PUT /v2/acme/app/manifests/{tag}" for tag in tags]
    assert log.outputs["image"] == f"{name}@{digest}"
    found = json.loads(body)
    assert [each["digest"] for each in found["manifests"]] == [AMD.digest, ARM.digest]
    assert found["annotations"]["org.opencontainers.image.revision"]
    assert "Pushed" in log.summary


def test_one_that_is_unchanged_is_found_by_its_parts_and_keeps_its_digest(
    workspace: Path, tmp_path: Path
) -> None:
    index = manifest({"manifests": []}, INDEX)
    with registry_with(AMD, ARM) as registry:
        merge(workspace, Log(tmp_path), registry, skip_unchanged="true")
    (address,) = {each.rpartition("/")[2] for each in registry.asked if "content-" in each}
    assert f"PUT /v2/acme/app/manifests/{address}" in registry.asked

    log = Log(tmp_path)
    there = {
        f"HEAD /v2/acme/app/manifests/{address}": [
            (200, {"Docker-Content-Digest": index.digest}, "")
        ]
    }
    with registry_with(index, **there) as registry:
        merge(workspace, log, registry, skip_unchanged="true")
    assert log.outputs["digest"] == index.digest
    assert log.outputs["built"] == "false"
    assert not any(AMD.digest in each for each in registry.asked), "its parts are not needed"


def test_other_parts_or_annotations_have_another_address(workspace: Path) -> None:
    found = []
    with registry_with() as registry, Client(lambda _: None, {}) as client:
        name = f"{registry.address}/acme/app"
        for more in ({}, {"annotations": "a=b"}, {"merge": f"linux/amd64={name}@{OTHER}"}):
            given = {"merge": f"linux/amd64={name}@{DIGEST}", **more}
            want = read(workspace, image=name, **given)
            found.append(merged(want, want.images[0], client).address)
    assert len({*found}) == 3


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ((AMD,), "the image for linux/arm64, is not in the registry"),
        ((AMD, ARM._replace(body=b"{}")), "returned another manifest"),
    ],
)
def test_a_part_that_is_not_there_moves_no_tag(
    parts: tuple[Manifest, ...], problem: str, workspace: Path, tmp_path: Path
) -> None:
    with registry_with(*parts) as registry, pytest.raises(StepFailed, match=problem):
        merge(workspace, Log(tmp_path), registry)
    assert not [each for each in registry.asked if each.startswith("PUT")]

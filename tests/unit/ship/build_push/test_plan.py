"""The plan of build-push, as a dry run prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ship.build_push.buildx.builder import Choice
from ship.build_push.facts import Facts, Found, unasked
from ship.build_push.plan import Plan, plan, tags_to_set
from ship.images.reference import Reference
from unit.ship.build_push.given import DIGEST, read, values

if TYPE_CHECKING:
    from pathlib import Path

TWO = "api: {context: ., image: x.io/api}\nweb: {context: ., image: x.io/web}"
MOVING = "type=ref,event=branch"
CACHE = Choice(reasons=("the registry cache",))
ASKED = Facts(sets_tags=True, folder="/ship", new_builder="ship-1")
KEPT = ("--tag=", "--push", "--load", "--pull", "--builder", "ship-")


def shown(what: Plan) -> list[str]:
    """Return the lines of a plan, and of a build the words that this file is about."""
    return [_brief(line) if "buildx build" in line else line for line in what.shown().splitlines()]


def _brief(line: str) -> str:
    return "   $ build " + " ".join(word for word in line.split() if word.startswith(KEPT))


def test_buildx_pushes_the_tag_that_never_moves_and_the_others_are_set_later(
    workspace: Path,
) -> None:
    want = read(workspace, tags="type=raw,latest\ntype=ref,event=branch\ntype=sha")
    assert shown(plan(want, ASKED)) == [
        "1. build app and push it to ghcr.io/acme/app",
        "   $ build --tag=ghcr.io/acme/app:sha-0123456 --push",
        "2. set these tags, when all images are in the registry",
        "   ghcr.io/acme/app:main",
        "   ghcr.io/acme/app:latest",
    ]


def test_a_registry_that_we_cannot_ask_gets_all_tags_from_buildx(workspace: Path) -> None:
    assert shown(plan(read(workspace), ASKED._replace(sets_tags=False))) == [
        "1. build app and push it to ghcr.io/acme/app",
        "   $ build --tag=ghcr.io/acme/app:main --tag=ghcr.io/acme/app:sha-0123456789ab --push",
    ]


def test_a_builder_is_made_before_the_builds_and_removed_after_them(workspace: Path) -> None:
    want = read(workspace, provenance="true", builder_image="mirror.io/buildkit:1")
    facts = ASKED._replace(choice=Choice(reasons=("provenance",)))
    what = plan(want, facts)
    assert shown(what) == [
        "1. start a builder for provenance",
        (
            "   $ docker buildx create --name ship-1 --bootstrap --driver docker-container "
            "--driver-opt image=mirror.io/buildkit:1"
        ),
        "2. build app and push it to ghcr.io/acme/app",
        "   $ build --builder ship-1 --tag=ghcr.io/acme/app:sha-0123456789ab --push",
        "3. remove the builder, also after a failure or a cancelled run",
        "   $ docker buildx rm --force ship-1",
        "4. set these tags, when all images are in the registry",
        "   ghcr.io/acme/app:main",
    ]
    assert what.without_builder is None, "the build needs it"


def test_every_command_with_a_new_builder_keeps_its_files_in_the_folder_of_the_step(
    workspace: Path,
) -> None:
    what = plan(read(workspace, provenance="true"), ASKED._replace(choice=CACHE))
    assert what.create_builder
    assert what.create_builder.undo
    for command in (what.create_builder, what.create_builder.undo, what.builds[0].command):
        assert command.env == {"DOCKER_CONFIG": "/ship", "BUILDX_CONFIG": "/ship/own-buildx"}
    assert what.builds[0].metadata_file == "/ship/0.json"


def test_a_builder_that_only_makes_builds_faster_can_be_done_without(workspace: Path) -> None:
    what = plan(read(workspace, cache="auto"), ASKED._replace(choice=CACHE))
    assert shown(what)[2] == "   if it cannot be started: build without it and without the cache"
    assert what.without_builder
    (build,) = what.without_builder.builds
    assert "--builder" not in build.command.argv
    assert "cache" not in str(build.command)
    assert build.command.env == {"DOCKER_CONFIG": "/ship"}
    assert what.without_builder.create_builder is None
    assert what.without_builder.tags == what.tags


def test_a_builder_that_was_named_is_used_and_not_removed(workspace: Path) -> None:
    want = read(workspace, builder="own", tags="type=sha")
    assert shown(plan(want, unasked(want))) == [
        "1. build app and push it to ghcr.io/acme/app",
        "   $ build --builder --tag=ghcr.io/acme/app:sha-0123456 --push",
    ]


def test_images_whose_tags_move_are_all_built_before_the_first_is_pushed(workspace: Path) -> None:
    want = read(workspace, images=TWO, tags=MOVING)
    assert shown(plan(want, ASKED)) == [
        "1. build all images without a push, so that no tag moves before all can be built",
        "   $ build ",
        "   $ build ",
        "2. build api and push it to x.io/api",
        "   $ build --tag=x.io/api:main --push",
        "3. build web and push it to x.io/web",
        "   $ build --tag=x.io/web:main --push",
    ]


def test_images_whose_tags_stay_are_built_once(workspace: Path) -> None:
    what = plan(read(workspace, images=TWO, tags=f"type=sha\n{MOVING}"), ASKED)
    assert [build.rehearsal for build in what.builds] == [None, None]
    assert shown(what)[-3:] == [
        "3. set these tags, when all images are in the registry",
        "   x.io/api:main",
        "   x.io/web:main",
    ]


def test_an_unchanged_image_is_not_built_and_gets_its_tags(workspace: Path) -> None:
    want = read(workspace, images=TWO, tags=MOVING, skip_unchanged="true")
    found = {"api": Found("content-1", DIGEST), "web": Found("content-2")}
    assert shown(plan(want, ASKED._replace(found=found))) == [
        "1. do not build api: the registry has an image of the same content",
        "2. build web and push it to x.io/web",
        "   $ build --pull --tag=x.io/web:content-2 --push",
        "3. set these tags, when all images are in the registry",
        "   x.io/api:main",
        "   x.io/web:main",
    ]


def test_the_images_that_an_address_names_are_given_to_the_build(workspace: Path) -> None:
    given = {"build_contexts": "tools=docker-image://tools:1", "build_args": "A=1"}
    want = read(workspace, skip_unchanged="true", **given)
    tools = "docker-image://tools:1@sha256:1"
    pinned = {"base:1": "docker-image://base:1@sha256:2", "tools": tools}
    syntax = {"BUILDKIT_SYNTAX": "docker/dockerfile:1@sha256:3"}
    found = {"app": Found("content-1", contexts=pinned, build_args=syntax)}
    [build] = plan(want, ASKED._replace(found=found)).builds
    assert values(build.command.argv, "build-context") == [
        f"tools={tools}", "base:1=docker-image://base:1@sha256:2"
    ]  # fmt: skip
    assert values(build.command.argv, "build-arg") == [
        "A=1", "BUILDKIT_SYNTAX=docker/dockerfile:1@sha256:3"
    ]  # fmt: skip


def test_without_anything_to_build_no_builder_is_made(workspace: Path) -> None:
    found = {"app": Found("content-1", DIGEST)}
    what = plan(read(workspace), ASKED._replace(found=found, choice=CACHE))
    assert (what.create_builder, what.builds, what.without_builder) == (None, (), None)


def test_a_pull_request_is_built_and_nothing_more(workspace: Path) -> None:
    want = read(workspace, push="false", images=TWO)
    assert shown(plan(want, unasked(want))) == [
        "1. build api and check that it builds",
        "   $ build --tag=x.io/api:main --tag=x.io/api:sha-0123456789ab",
        "2. build web and check that it builds",
        "   $ build --tag=x.io/web:main --tag=x.io/web:sha-0123456789ab",
    ]


OWN = ASKED._replace(sets_tags=False, choice=Choice(name="mine", driver="remote"))


def test_what_a_builder_builds_without_a_push_is_loaded_into_the_engine(workspace: Path) -> None:
    what = plan(read(workspace, push="false", builder="mine", tags="type=sha"), OWN)
    assert shown(what) == [
        "1. build app and load it into the engine",
        "   $ build --builder --tag=ghcr.io/acme/app:sha-0123456 --load",
    ]
    assert what.builds[0].unloaded == ""


def test_the_builder_of_the_engine_needs_to_load_nothing(workspace: Path) -> None:
    facts = OWN._replace(choice=Choice(name="default"))
    given = {"push": "false", "builder": "default", "platforms": "linux/amd64,linux/arm64"}
    [build] = plan(read(workspace, **given), facts).builds
    assert "--load" not in build.command.argv
    assert build.unloaded == ""


@pytest.mark.parametrize(
    ("given", "facts", "reason"),
    [
        ({"platforms": "linux/amd64,linux/arm64"}, OWN, "no image for several platforms"),
        ({"provenance": "min"}, OWN, "no image with a provenance or an SBOM"),
        ({"sbom": "true"}, OWN, "without `provenance` and `sbom`"),
        ({}, OWN._replace(has_engine=False), "no Docker engine"),
        ({"tags": "type=semver,pattern={{version}}"}, OWN, "no rule gives it a tag"),
        ({"tags": "type=semver,pattern={{version}}"}, OWN._replace(choice=Choice()), "no name"),
    ],
)
def test_what_cannot_be_loaded_is_built_and_says_why(
    workspace: Path, given: dict[str, str], facts: Facts, reason: str
) -> None:
    want = read(workspace, push="false", builder="mine", **given)
    [build] = plan(want, facts).builds
    assert "--load" not in build.command.argv
    assert "check that it builds" in build.command.why
    assert reason in build.unloaded


def test_nothing_is_loaded_before_a_push(workspace: Path) -> None:
    what = plan(read(workspace, builder="mine", images=TWO, tags=MOVING), OWN)
    assert "--load" not in what.shown()


def test_a_dry_run_says_what_depends_on_the_engine(workspace: Path) -> None:
    want = read(workspace, cache="auto")
    assert shown(plan(want, unasked(want)))[0] == (
        "1. start a builder for the registry cache, unless the current builder can do it (then the "
        "commands have no `--builder`)"
    )


def test_a_dry_run_says_what_depends_on_the_registry(workspace: Path) -> None:
    want = read(workspace, skip_unchanged="true")
    assert shown(plan(want, unasked(want)))[:4] == [
        (
            "1. build app and push it to ghcr.io/acme/app, unless the registry has an image of the "
            "same content; ADDRESS is a hash of that content"
        ),
        "   each base image is given by its digest, with `--build-context`",
        "   if the content cannot be determined: push it as `sha-0123456789ab` instead",
        "   $ build --pull --tag=ghcr.io/acme/app:content-ADDRESS --push",
    ]


def test_a_tag_that_moves_and_was_pushed_is_checked_again(workspace: Path) -> None:
    """Another run on the engine may have used the name for its own image meanwhile."""
    want = read(workspace, tags=MOVING)
    name = want.images[0].metadata.names[0]
    assert [tuple(each) for each in tags_to_set(want, ASKED, {Reference(name, "main")})] == [
        ("app", name, ())
    ]
    fixed = read(workspace, tags="type=sha")
    assert tags_to_set(fixed, ASKED, {Reference(name, "sha-0123456")}) == ()

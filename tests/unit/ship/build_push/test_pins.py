"""The images that a content address names, as build contexts: read and told, without a registry."""

from __future__ import annotations

import pytest

from ship.build_push.content.pins import Pins, pins, unpinned
from ship.build_push.dockerfile import sources

D = "sha256:" + "d" * 64


def contexts(text: str, given: dict[str, str] | None = None, **build_args: str) -> dict[str, str]:
    return dict(pinned(text, given, **build_args).contexts)


def pinned(text: str, given: dict[str, str] | None = None, **build_args: str) -> Pins:
    """Return the pins of a Dockerfile, where each image has the same digest."""
    found = sources(text, build_args=build_args, contexts=tuple(given or ()))
    assert (found.unknown, unpinned(found)) == ((), [])
    images = [*found.images, *(it.removeprefix("docker-image://") for it in (given or {}).values())]
    return pins(found, given or {}, dict.fromkeys(images, D))


@pytest.mark.parametrize(
    ("text", "given"),
    [
        pytest.param("FROM a:1", "a:1=a:1", id="tag"),
        pytest.param("FROM a", "a=a", id="no tag"),
        pytest.param("FROM a:latest", "a=a:latest", id="latest"),
        pytest.param("FROM docker.io/library/a:2", "a:2=docker.io/library/a:2", id="whole name"),
        pytest.param("FROM library/a", "a=library/a", id="library"),
        pytest.param("FROM library/a/b:1", "library/a/b:1=library/a/b:1", id="deep"),
        pytest.param("FROM localhost:5000/a", "localhost:5000/a=localhost:5000/a", id="port"),
        pytest.param("FROM --platform=$BUILDPLATFORM a:1", "a:1=a:1", id="platform"),
        pytest.param("ARG V=1\nARG B=a:$V\nFROM $B", "a:1=a:1", id="variable"),
        pytest.param("FROM a\nCOPY --from=b:1 / /\nRUN --mount=from=c,target=/c x",
                     "a=a b:1=b:1 c=c", id="copy and mount"),
        pytest.param("FROM a:1 AS a\nFROM a", "a:1=a:1", id="stage of the same name, a tag"),
        pytest.param("FROM x.io/a AS a\nFROM a", "x.io/a=x.io/a", id="stage, a registry"),
        pytest.param("FROM scratch", "", id="scratch"),
        pytest.param(f"FROM a:1@{D}", "", id="a digest of its own"),
    ],
)  # fmt: skip
def test_each_image_is_given_under_the_name_that_the_builder_looks_for(
    text: str, given: str
) -> None:
    pairs = (each.partition("=")[::2] for each in given.split())
    assert contexts(text) == {name: f"docker-image://{image}@{D}" for name, image in pairs}


def test_two_spellings_of_an_image_are_one() -> None:
    assert list(contexts("FROM a\nCOPY --from=docker.io/library/a:latest / /")) == ["a"]


def test_the_build_contexts_of_the_user_come_first_and_are_pinned_too() -> None:
    given = {"a": "docker-image://b:1", "c": "folder", "d:latest": f"docker-image://e@{D}"}
    found = contexts("FROM docker.io/library/a\nCOPY --from=c / /\nCOPY --from=d / /", given)
    assert found == {"a": f"docker-image://b:1@{D}"}


def test_the_frontend_is_given_as_the_argument_that_names_it() -> None:
    found = pinned("# syntax=docker/dockerfile:1\nFROM a")
    assert found.build_args == {"BUILDKIT_SYNTAX": f"docker/dockerfile:1@{D}"}
    assert list(found.contexts) == ["a"]
    found = pinned("FROM a", BUILDKIT_SYNTAX="docker/dockerfile:1.7")
    assert found.build_args == {"BUILDKIT_SYNTAX": f"docker/dockerfile:1.7@{D}"}
    assert not pinned(f"# syntax=docker/dockerfile@{D}\nFROM a").build_args


@pytest.mark.parametrize("text", ["FROM a AS a", "FROM a:latest AS A", "FROM a\nFROM b AS a"])
def test_an_image_with_the_name_of_a_stage_cannot_be_given(text: str) -> None:
    found = sources(f"{text}\nCOPY --from=docker.io/library/a / /")
    reason = "'docker.io/library/a' is the name of an image and of a stage: rename the stage"
    assert reason in unpinned(found)


@pytest.mark.parametrize(
    ("tag", "is_old"),
    [
        ("1.2", True), ("1.3.1", True), ("1.0-experimental", True), ("experimental", True),
        ("1.3-labs", True), (f"1.2@{D}", True), ("1", False), ("1.4", False), ("1.10", False),
        ("1.30", False), ("1-labs", False), ("latest", False),
    ],
)  # fmt: skip
def test_a_frontend_that_knows_no_build_contexts_is_told(tag: str, is_old: bool) -> None:  # noqa: FBT001 - the table's column
    found = unpinned(sources(f"# syntax=docker/dockerfile:{tag}\nFROM a"))
    assert ["write `# syntax=docker/dockerfile:1`" in each for each in found] == [True] * is_old

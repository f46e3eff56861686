from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ship.build_push.images_input import Entry, read_entries

if TYPE_CHECKING:
    from ship.runner.errors import Problem

COMMON = Entry(
    context=".", build_args={"A": "1"}, platforms=("linux/amd64",), tags="type=sha",
    image="ghcr.io/acme/shop",
)  # fmt: skip


def entries(text: str) -> dict[str, Entry]:
    found: list[Problem] = []
    read = read_entries(text, COMMON, found)
    assert not found
    return read


def problems(text: str) -> list[str]:
    found: list[Problem] = []
    read_entries(text, COMMON, found)
    return [str(problem) for problem in found]


def test_a_name_and_its_folder_are_enough() -> None:
    read = entries("api: backend\nweb: frontend\n")
    assert {name: entry.context for name, entry in read.items()} == {
        "api": "backend",
        "web": "frontend",
    }
    assert read["api"].image == "ghcr.io/acme/shop/api"
    assert read["api"].tags == "type=sha", "what an image does not say is as for all"


def test_a_name_alone_is_its_own_folder() -> None:
    assert entries("api:\n")["api"].context == "api"


def test_every_key_changes_one_thing() -> None:
    text = """
api:
  context: backend
  dockerfile: docker/api.Dockerfile
  target: serve
  args: {B: "2"}
  platforms: [linux/arm64, linux/amd64]
  paths: [backend, go.mod]
  tags: |
    type=semver,pattern={{version}}
    latest
  image: registry.example.com/x/api
"""
    assert entries(text)["api"] == Entry(
        context="backend",
        file="docker/api.Dockerfile",
        target="serve",
        build_args={"A": "1", "B": "2"},
        platforms=("linux/arm64", "linux/amd64"),
        paths=("backend", "go.mod"),
        tags="type=semver,pattern={{version}}\nlatest\n",
        image="registry.example.com/x/api",
    )


def test_a_text_of_several_lines_is_a_list_of_them() -> None:
    text = "api:\n  args: |\n    A=-Xmx=1 b, c\n    B=2\n  paths: |\n    my folder\n    x\n"
    read = entries(text)["api"]
    assert read.build_args == {"A": "-Xmx=1 b, c", "B": "2"}
    assert read.paths == ("my folder", "x")
    assert entries("api: {platforms: 'linux/amd64, linux/arm64,'}")["api"].platforms == (
        "linux/amd64",
        "linux/arm64",
    )


def test_json_is_read_as_well() -> None:
    read = entries('{"api": {"context": "b", "build-args": ["X=1=2"]}}')
    assert read["api"].build_args == {"A": "1", "X": "1=2"}


def test_all_that_is_wrong_is_reported_with_its_place() -> None:
    text = "Api: x\nweb:\n  contxt: frontend\n  platforms: {a: b}\nworker: [a]\n"
    reported = problems(text)
    assert reported[0].startswith(
        "input `images`: images:1:1: 'Api' is not a valid name for an image"
    )
    assert reported[1] == (
        "input `images`: images:3:3: 'contxt' is not a key of an image\n"
        "  hint: did you mean 'context'?"
    )
    assert reported[2].startswith("input `images`: images:4:3: platforms is not a list of texts")
    assert reported[3].startswith("input `images`: images:5:1: worker is neither a folder nor")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text", "{}"])
def test_what_is_no_mapping_is_reported(text: str) -> None:
    assert problems(text)[0].startswith(
        "input `images`: is not a mapping of image names to folders"
    )


def test_the_images_of_metadata_action_are_distinguished_from_ours() -> None:
    assert "input `image`" in problems("ghcr.io/acme/shop")[0]


def test_a_mistake_in_the_yaml_is_reported_with_its_place() -> None:
    assert problems("api: &x backend\n")[0].startswith("input `images`: images:1:6: an anchor")

from __future__ import annotations

import pytest

from ship.images.reference import TAG, Name, legal_tag, parse_name, split_digest

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "registry", "path"),
    [
        ("ghcr.io/acme/app", "ghcr.io", "acme/app"),
        ("localhost:5000/app", "localhost:5000", "app"),
        ("acme/app", "docker.io", "acme/app"),
        ("nginx", "docker.io", "library/nginx"),
        ("a.b:1/c/d__e/f-g", "a.b:1", "c/d__e/f-g"),
    ],
)
def test_a_name_is_split_as_docker_does(text: str, registry: str, path: str) -> None:
    name = parse_name(text)
    assert name
    assert (name.registry, name.path) == (registry, path)
    assert str(name) == text, "it is shown as it was written"


NO_NAMES = ["", "a b", "ghcr.io/Acme/app", "ghcr.io/a/b:1", "-x", "a//b", "$(id)"]


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_name_is_refused(text: str) -> None:
    assert parse_name(text) is None


def test_a_tag_before_a_digest_is_dropped() -> None:
    assert split_digest(f"localhost:5000/app:1@{DIGEST}") == (Name("localhost:5000", "app"), DIGEST)


NO_DIGESTS = ["ghcr.io/a/b:1", "ghcr.io/a/b", f"ghcr.io/a/b@{DIGEST}0", "a@sha256:x"]


@pytest.mark.parametrize("text", ["index.docker.io/nginx", "docker.io/library/nginx"])
def test_docker_hub_has_two_names(text: str) -> None:
    name = parse_name(text)
    assert name
    assert (name.registry, name.path) == ("docker.io", "library/nginx")


@pytest.mark.parametrize("text", NO_DIGESTS)
def test_an_image_without_a_whole_digest_is_refused(text: str) -> None:
    assert split_digest(text) is None


@pytest.mark.parametrize(
    ("branch", "tag"),
    [
        ("feat/x", "feat-x"),
        ("#123-fix", "123-fix"),
        (".hidden", "hidden"),
        ("ünïcode", "n-code"),
        ("a" * 128, "a" * 128),
        ("a" * 129, "a" * 119 + "-c12cb024"),
        ("$(rm -rf)", "rm--rf-"),
        ("---", ""),
    ],
)
def test_a_branch_name_becomes_a_legal_tag(branch: str, tag: str) -> None:
    assert legal_tag(branch) == tag
    assert not tag or TAG.fullmatch(tag)

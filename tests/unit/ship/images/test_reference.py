from __future__ import annotations

import pytest

from ship.images.reference import TAG, Name, Reference, legal_tag

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "registry", "path"),
    [
        ("ghcr.io/acme/app", "ghcr.io", "acme/app"),
        ("localhost:5000/app", "localhost:5000", "app"),
        ("acme/app", "docker.io", "acme/app"),
        ("nginx", "docker.io", "library/nginx"),
        ("a.b:1/c/d__e/f-g", "a.b:1", "c/d__e/f-g"),
        ("library/nginx", "docker.io", "library/nginx"),
        ("docker.io/nginx", "docker.io", "library/nginx"),
        ("docker.io/acme/app", "docker.io", "acme/app"),
        ("localhost/app", "localhost", "app"),
        ("[::1]:5000/app", "[::1]:5000", "app"),
        ("[fe80::1]/app", "[fe80::1]", "app"),
        ("Registry.Example/app", "Registry.Example", "app"),
        ("a/b/c", "docker.io", "a/b/c"),
        ("app---x", "docker.io", "library/app---x"),
        ("x.io/" + "a" * 255, "x.io", "a" * 255),
    ],
)
def test_a_name_is_split_as_docker_does(text: str, registry: str, path: str) -> None:
    name = Name.parse(text)
    assert name
    assert (name.registry, name.path) == (registry, path)
    assert str(name) == text, "it is shown as it was written"


NO_NAMES = [
    "",
    "a b",
    "ghcr.io/Acme/app",
    "ghcr.io/a/b:1",
    "-x",
    "a//b",
    "$(id)",
    "/app",
    "app/",
    "a___b",
    "a..b",
    "a..b/app",
    "a.-b/app",
    "a-.b/app",
    "-a.b/app",
    "a.b:/app",
    "a.b:x/app",
    "[::1/app",
    "app\n",
    "x.io/" + "a" * 256,
    "a" * 256,
    "Acme/app",  # for Docker a registry; who writes this means the owner of a repository
]


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_name_is_refused(text: str) -> None:
    assert Name.parse(text) is None


@pytest.mark.parametrize("tag", [":1", "", ":", ":x y"], ids=repr)
def test_a_tag_before_a_digest_is_dropped(tag: str) -> None:
    """It may come from a variable that is not set; the digest alone selects the image."""
    pinned = Reference.parse_pinned(f"localhost:5000/app{tag}@{DIGEST}")
    assert pinned == Reference(Name("localhost:5000", "app"), digest=DIGEST)
    assert str(pinned) == f"localhost:5000/app@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("app", ("app", "", "")),
        ("localhost:5000/app", ("localhost:5000/app", "", "")),
        ("localhost:5000/app:1.2", ("localhost:5000/app", "1.2", "")),
        (f"acme/app@{DIGEST}", ("acme/app", "", DIGEST)),
        (f"acme/app:1@{DIGEST}", ("acme/app", "1", DIGEST)),
        (f"app@sha512:{'f' * 128}", ("app", "", f"sha512:{'f' * 128}")),
        (f"app@sha384:{'f' * 96}", ("app", "", f"sha384:{'f' * 96}")),
        ("[::1]:5000/app:1", ("[::1]:5000/app", "1", "")),
        ("app:1/b", ("app:1/b", "", "")),
        ("docker.io/app:1", ("docker.io/app", "1", "")),
        (f"app:{'t' * 128}", ("app", "t" * 128, "")),
    ],
)
def test_a_reference_is_split_into_name_tag_and_digest(
    text: str, parts: tuple[str, str, str]
) -> None:
    found = Reference.parse(text)
    assert found
    assert (str(found.name), found.tag, found.digest) == parts
    assert str(found) == text


NO_REFERENCES = [
    "",
    "app:",
    "app@",
    "a:b:c",
    "a:b c",
    "A",
    ":1",
    f"@{DIGEST}",
    "app@sha256:12",
    f"a@{DIGEST}@{DIGEST}",
    f"app:@{DIGEST}",
    f"app@sha256:{'A' * 64}",
    f"app@sha256:{'a' * 40}",
    f"app@sha512:{'a' * 64}",
    f"app@md5:{'a' * 32}",
    f"app:{'t' * 129}",
    "app:-1",
]


@pytest.mark.parametrize("text", NO_REFERENCES)
def test_what_is_no_reference_is_refused(text: str) -> None:
    assert Reference.parse(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("localhost:5000/app", "localhost:5000/app"),
        ("ghcr.io/a/b:", "ghcr.io/a/b"),
        ("ghcr.io/a/b:x y", "ghcr.io/a/b"),
        (f"ghcr.io/a/b:1@{DIGEST}", "ghcr.io/a/b"),
    ],
)
def test_the_name_is_known_whatever_the_tag_is(text: str, name: str) -> None:
    assert str(Name.of(text)) == name


@pytest.mark.parametrize("text", ["", ":1", "a b", "a@sha256:12", "ghcr.io/A/b:1"])
def test_without_a_name_or_with_half_a_digest_there_is_none(text: str) -> None:
    assert Name.of(text) is None


def test_two_spellings_of_a_repository_are_the_same() -> None:
    name = Name.parse("nginx")
    assert name
    assert name.is_same(Name.parse("docker.io/library/nginx"))
    assert name.is_same(Name.parse("docker.io/nginx"))
    assert name.is_same(Name.parse("index.docker.io/nginx"))
    assert not name.is_same(Name.parse("acme/nginx"))
    assert not name.is_same(None)


NO_DIGESTS = [
    "ghcr.io/a/b:1",
    "ghcr.io/a/b",
    f"ghcr.io/a/b@{DIGEST}0",
    "a@sha256:x",
    f"a@sha512:{'f' * 128}",
]


@pytest.mark.parametrize(
    "text", ["index.docker.io/nginx", "docker.io/nginx", "docker.io/library/nginx"]
)
def test_docker_hub_has_two_names(text: str) -> None:
    name = Name.parse(text)
    assert name
    assert (name.registry, name.path) == ("docker.io", "library/nginx")


@pytest.mark.parametrize("text", NO_DIGESTS)
def test_an_image_without_a_whole_digest_is_refused(text: str) -> None:
    assert Reference.parse_pinned(text) is None


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

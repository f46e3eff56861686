"""The tags of an image without any rule."""

from __future__ import annotations

import pytest

from ship.images.tags import Wanted, needs_published
from unit.ship.images.tags.runs import RUNS, SHA, Run, described, push

FIXED = f"sha-{SHA[:12]}"


def defaults(run: Run, published: tuple[str, ...] | None = (), flavor: str = "") -> tuple[str, ...]:
    return described("", run, flavor=flavor, published=published).tag_names


def version(text: str) -> Run:
    return push(f"refs/tags/{text}")


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("push to the default branch", ("main", FIXED)),
        ("push to another branch", ("dev", FIXED)),
        ("push of a version", ("1.2.3", "1.2", "1", FIXED, "latest")),
        ("push of a pre-release", ("2.0.0-rc.1", FIXED)),
        ("push of another tag", ("20260705-fix", FIXED)),
        ("pull request", ("pr-7", FIXED)),
        ("pull request with the rights of its target", ("pr-7", FIXED)),
        ("review", ("pr-7", FIXED)),
        ("schedule", ("nightly", "main", FIXED)),
        ("release", ("1.2.3", "1.2", "1", FIXED, "latest")),
        ("run by hand", ("main", FIXED)),
        ("run by hand on a tag", ("1.2.3", "1.2", "1", FIXED, "latest")),
        ("branch was made", ("dev", FIXED)),
        ("tag was made", ("1.2.3", "1.2", "1", FIXED, "latest")),
        ("merge queue", ("gh-readonly-queue-main-pr-7-abc", FIXED)),
        ("nothing but a ref", ("main", FIXED)),
    ],
)
def test_each_event_has_its_tags(run: str, expected: tuple[str, ...]) -> None:
    assert defaults(RUNS[run]) == expected
    assert described("  \n# none\n", RUNS[run], published=()).tag_names == expected


@pytest.mark.parametrize(
    ("pushed", "published", "moved"),
    [
        ("v1.2.3", (), ("1.2", "1", "latest")),
        ("v1.2.3", ("1.2.3", "1.2", "1", "latest", "main"), ("1.2", "1", "latest")),
        ("v1.2.3", ("1.2.2", "v1.2.2", "1.1.9", "0.9.0"), ("1.2", "1", "latest")),
        ("v1.2.3", ("1.2.10",), ()),
        ("v1.2.3", ("1.3.0",), ("1.2",)),
        ("v1.2.3", ("2.0.0",), ("1.2", "1")),
        ("v1.2.3", ("v2.0.0",), ("1.2", "1")),
        ("v1.2.3", ("2.0.0-rc.1", "9.9", "20260705", "sha-99", "03.0.0"), ("1.2", "1", "latest")),
        ("v0.3.1", (), ("0.3", "latest")),
        ("v0.3.1", ("0.4.0",), ("0.3",)),
        ("v0.3.1", ("0.3.2", "1.0.0"), ()),
        ("v1.2.3-rc.1", (), ()),
        ("1.2.3+build.7", (), ("1.2", "1", "latest")),
    ],
)
def test_what_moves_only_moves_forward(
    pushed: str, published: tuple[str, ...], moved: tuple[str, ...]
) -> None:
    tags = defaults(version(pushed), published)
    assert tuple(tag for tag in tags if tag in ("1.2", "1", "0.3", "0", "latest")) == moved
    assert tags[0] == pushed.removeprefix("v").partition("+")[0]


def test_when_the_registry_cannot_tell_nothing_moves_and_a_notice_says_so() -> None:
    made = described("", version("v1.2.3"), published=None)
    assert made.tag_names == ("1.2.3", FIXED)
    (notice,) = made.notices
    assert notice == (
        "1.2, 1, latest stay where they are, because it is not known whether the registry has a "
        "higher version than v1.2.3"
    )
    (notice,) = described("", version("v0.3.1"), published=None).notices
    assert notice.startswith("0.3, latest stay where they are")
    assert described("", RUNS["push to the default branch"], published=None).notices == ()
    assert described("", version("v1.2.3-rc.1"), published=None).notices == ()


@pytest.mark.parametrize(
    ("flavor", "published", "expected"),
    [
        ("prefix=a-", ("a-2.0.0",), ("a-1.2.3", "a-1.2", "a-1", FIXED)),
        ("prefix=a-", ("2.0.0", "b-2.0.0"), ("a-1.2.3", "a-1.2", "a-1", FIXED, "latest")),
        ("suffix=-s", ("1.3.0-s",), ("1.2.3-s", "1.2-s", f"{FIXED}-s")),
        ("suffix=-s,onlatest=true", ("2.0.0",),
         ("1.2.3-s", "1.2-s", "1-s", f"{FIXED}-s", "latest-s")),
        ("prefix={{date 'YYYY'}}/", ("2026-2.0.0",),
         ("2026-1.2.3", "2026-1.2", "2026-1", FIXED)),
        ("latest=false", (), ("1.2.3", "1.2", "1", FIXED)),
        ("latest=true", ("2.0.0",), ("1.2.3", "1.2", "1", FIXED, "latest")),
    ],
)  # fmt: skip
def test_versions_are_compared_only_with_those_of_the_same_flavor(
    flavor: str, published: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    # The prefix `sha-` is one of the rule, so a common prefix is not for it.
    assert defaults(version("v1.2.3"), published, flavor) == expected


def test_latest_can_be_set_without_a_version() -> None:
    assert defaults(RUNS["push to the default branch"], None, "latest=true") == (
        "main", FIXED, "latest",
    )  # fmt: skip


def test_the_registry_is_asked_only_when_tags_depend_on_it() -> None:
    stable = version("v1.2.3").facts()
    assert needs_published(Wanted(), stable)
    assert not needs_published(Wanted(tags="x"), stable)
    assert not needs_published(Wanted(), version("v1.2.3-rc.1").facts())
    assert not needs_published(Wanted(), version("nightly").facts())
    assert not needs_published(Wanted(), RUNS["push to the default branch"].facts())


def test_the_default_tags_have_at_least_twelve_digits_of_the_commit() -> None:
    run = RUNS["push to the default branch"]
    for asked, digits in (("7", 12), ("16", 16)):
        env = {"DOCKER_METADATA_SHORT_SHA_LENGTH": asked}
        assert described("", run, env=env).tag_names == ("main", f"sha-{SHA[:digits]}")


@pytest.mark.parametrize(
    ("tags", "run", "shown"),
    [
        ("", "push to the default branch", FIXED),
        ("", "push of a version", "1.2.3"),
        ("", "pull request", FIXED),
        ("type=ref,event=branch\nlatest", "push to the default branch", "main"),
        ("type=ref,event=branch\ntype=sha", "push to the default branch", f"sha-{SHA[:7]}"),
        ("type=semver,pattern={{major}}\ntype=semver,pattern={{version}}", "push of a version",
         "1.2.3"),
        ("type=semver,pattern={{major}}", "push of a version", "1"),
        ("type=semver,pattern={{major}}", "run by hand", ""),
    ],
)  # fmt: skip
def test_the_tag_to_show_is_a_fixed_one_when_there_is_one(tags: str, run: str, shown: str) -> None:
    assert described(tags, RUNS[run], published=()).shown == shown

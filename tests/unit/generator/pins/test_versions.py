"""The order of versions, and what a short one stands for."""

from __future__ import annotations

import pytest

from gen_workflow.pins.versions import Version, version


def parsed(tag: str) -> Version:
    found = version(tag)
    assert found, tag
    return found


def test_versions_are_in_the_order_of_semver() -> None:
    tags = ["v1", "1.0.1", "v1.1.0-alpha", "v1.1.0-alpha.1", "v1.1.0-beta.2", "v1.1.0-beta.11"]
    tags += ["v1.1.0-rc.1", "v1.1.0", "v1.1.0.1", "v1.9", "v1.10", "v2", "v10"]
    mixed = [*tags[5:], *tags[:5]]
    assert sorted(mixed, key=lambda tag: parsed(tag).order) == tags


@pytest.mark.parametrize(
    "tag", ["main", "stable", "2024-01-05", "v1-", "v", "", "1.2.3.4.5", "v1.x", "a1b2c3d", "v 1"]
)
def test_what_is_no_version(tag: str) -> None:
    assert version(tag) is None


@pytest.mark.parametrize(
    ("tag", "series", "numbers", "pre"),
    [
        ("v4", "", (4,), ""),
        ("4.1", "", (4, 1), ""),
        ("v4.0.0-beta.1", "", (4, 0, 0), "beta.1"),
        ("v1.0.0rc1", "", (1, 0, 0), "rc1"),
        ("v1.0.0+build.5", "", (1, 0, 0), ""),
        ("release/v1", "release/", (1,), ""),
        ("codeql-bundle-v2.20.1", "codeql-bundle-", (2, 20, 1), ""),
        ("predicate@1.1.4", "predicate@", (1, 1, 4), ""),
    ],
)
def test_what_a_tag_says(tag: str, series: str, numbers: tuple[int, ...], pre: str) -> None:
    assert parsed(tag) == Version(series, numbers, pre, tag)


@pytest.mark.parametrize(
    ("short", "long", "covers"),
    [
        ("v4", "v4.1.2", True),
        ("v4.1", "v4.1.2", True),
        ("4.1.2", "v4.1.2", True),
        ("v4.1", "v4.2.0", False),
        ("v4.1.2", "v4.1", False),
        ("v4.1.2-rc.1", "v4.1.2", False),
        ("cli/v4", "v4.1.2", False),
    ],
)
def test_a_short_version_stands_for_longer_ones(short: str, long: str, *, covers: bool) -> None:
    assert parsed(short).covers(parsed(long)) is covers

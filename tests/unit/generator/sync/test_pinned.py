"""Lines that pin an action, and which version is the newer one."""

from __future__ import annotations

import pytest

from gen_workflow.pins.versions import Version, version
from gen_workflow.sync import pinned
from gen_workflow.sync.pinned import Pinned

SHA = "1" * 40
OTHER = "2" * 40


def parsed(tag: str) -> Version:
    found = version(tag)
    assert found, tag
    return found


@pytest.mark.parametrize(
    "line",
    [
        f"        uses: actions/checkout@{SHA} # v7.0.1",
        f"      - uses: actions/checkout@{SHA} # v7.0.1",
        f"  uses: actions/checkout@{SHA}  # v7.0.1  ",
        f"  uses: actions/checkout@{SHA} #v7.0.1",
        f"  uses: actions/checkout@{SHA} # tag=v7.0.1",
    ],
)
def test_a_line_that_pins_an_action_is_known(line: str) -> None:
    meant = Pinned("actions/checkout", "actions/checkout", SHA, parsed("v7.0.1"))
    assert pinned.of(line) == meant
    moved = line.replace(SHA, OTHER).replace("v7.0.1", "v7.1.0")
    assert pinned.key(moved) == pinned.key(line)


@pytest.mark.parametrize(
    "line",
    [
        f"uses: actions/checkout@{SHA}",
        "uses: actions/checkout@v7 # v7.0.1",
        f"uses: actions/checkout@{SHA} # our own copy",
        f"# uses: actions/checkout@{SHA} # v7.0.1",
        "uses: ./actions/mine",
        f"run: echo uses: a/b@{SHA} # v1.0.0",
    ],
)
def test_any_other_line_pins_nothing(line: str) -> None:
    assert pinned.of(line) is None
    assert pinned.key(line) == line


def test_an_action_in_a_folder_belongs_to_its_repository() -> None:
    found = pinned.of(f"uses: acme/actions/a/b@{SHA} # v1.0.0-rc.1")
    assert found == Pinned("acme/actions", "acme/actions/a/b", SHA, parsed("v1.0.0-rc.1"))


@pytest.mark.parametrize(
    ("one", "other", "is_newer"),
    [
        ("v7.0.1", "v7.0.0", True),
        ("v10.0.0", "v9.9.9", True),
        ("v7.0.1", "v7.0.1", False),
        ("v7.0.0", "v7.0.1", False),
        ("v7", "v7.0.1", False),
        ("v7.0.1", "v7", False),
        ("v8", "v7.0.1", True),
        ("v7.1.0", "v7.1.0-rc.1", True),
        ("other/v8", "v7.0.1", False),
    ],
)
def test_versions_are_compared_as_far_as_both_say_them(
    one: str, other: str, *, is_newer: bool
) -> None:
    assert pinned.is_newer(parsed(one), parsed(other)) == is_newer


@pytest.mark.parametrize(
    ("before", "after", "is_bump"),
    [
        pytest.param(("v7.0.1", SHA), ("v7.1.0", OTHER), True, id="a newer version"),
        pytest.param(("v7.0.1", SHA), ("v7", OTHER), True, id="Renovate writes less of it"),
        pytest.param(("v7", SHA), ("v7", OTHER), True, id="a tag that moves"),
        pytest.param(("v7.0.1", SHA), ("v7.0.1", OTHER), False, id="another commit for a version"),
        pytest.param(("v7.0.1", SHA), ("v7.0.0", OTHER), False, id="an older version"),
        pytest.param(("v7.0.1", SHA), ("v6", OTHER), False, id="an older version, in short"),
    ],
)
def test_a_bot_moves_a_pin_forward(
    before: tuple[str, str], after: tuple[str, str], *, is_bump: bool
) -> None:
    was, there = (Pinned("a/b", "a/b", sha, parsed(tag)) for tag, sha in (before, after))
    assert pinned.is_bump(was, there) == is_bump

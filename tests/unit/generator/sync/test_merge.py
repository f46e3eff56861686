"""The merge of two versions of a text, line by line, and what it does with pins."""

from __future__ import annotations

import random

import pytest

from gen_workflow.sync.merge import Conflict, merge

OURS = frozenset({"acme/ours"})


def merged(base: str, yours: str, new: str) -> str:
    """Merge texts of which each letter is a line."""
    found = merge(list(base), list(yours), list(new))
    assert found.conflicts == []
    return "".join(found.lines)


@pytest.mark.parametrize(
    ("base", "yours", "new", "result"),
    [
        pytest.param("abc", "abc", "abc", "abc", id="nothing changed"),
        pytest.param("abc", "aXc", "abc", "aXc", id="an edit"),
        pytest.param("abc", "abc", "abX", "abX", id="a change"),
        pytest.param("abc", "Xbc", "abY", "XbY", id="both, apart"),
        pytest.param("abc", "aXc", "aXc", "aXc", id="both the same"),
        pytest.param("abcd", "aXcd", "abYd", "aXYd", id="lines beside each other"),
        pytest.param("abcd", "acd", "abY", "aY", id="a line less, beside lines that changed"),
        pytest.param("abc", "aXbc", "aYc", "aXYc", id="a line before one that changed"),
        pytest.param("abc", "abXc", "aYc", "aYXc", id="a line behind one that changed"),
        pytest.param("ab", "abX", "abY", "abYX", id="both add at one place: first the new one"),
        pytest.param("ab", "abX", "abX", "abX", id="both add the same"),
        pytest.param("abc", "ac", "ac", "ac", id="both remove the same"),
        pytest.param("", "", "ab", "ab", id="from nothing"),
        pytest.param("abc", "abcX", "", "X", id="all goes but the edit"),
    ],
)
def test_what_each_side_changed_is_in_the_result(
    base: str, yours: str, new: str, result: str
) -> None:
    assert merged(base, yours, new) == result


@pytest.mark.parametrize(
    ("base", "yours", "new", "conflict"),
    [
        pytest.param("abc", "aXc", "aYc", (1, "b", "X", "Y"), id="the same line"),
        pytest.param("abc", "aXc", "ac", (1, "b", "X", ""), id="a line that is gone"),
        pytest.param("abc", "ac", "aYc", (1, "b", "", "Y"), id="a line that was removed"),
        pytest.param("abcd", "aXd", "aYcd", (1, "bc", "X", "Yc"), id="a part of the lines"),
    ],
)
def test_one_line_that_both_changed_is_a_conflict(
    base: str, yours: str, new: str, conflict: tuple[int, str, str, str]
) -> None:
    line, *sides = conflict
    found = merge(list(base), list(yours), list(new)).conflicts
    assert found == [Conflict(line, *map(list, sides))]


def test_a_side_that_changed_nothing_changes_nothing() -> None:
    chance = random.Random(7)  # noqa: S311 - not a secret
    for _ in range(300):
        base, side = (chance.choices("abcde", k=chance.randrange(12)) for _ in range(2))
        assert merge(base, base, side).lines == side
        assert merge(base, side, base).lines == side
        assert merge(base, side, side).lines == side


def test_an_edit_comes_out_again_as_it_went_in() -> None:
    """What `base` relies on: without a conflict, the edit can be taken out of the result."""
    chance = random.Random(11)  # noqa: S311 - not a secret
    base = [f"line {number}" for number in range(30)]
    for _ in range(300):
        yours, new = list(base), list(base)
        yours[chance.randrange(0, 14)] = "edited"
        yours.insert(chance.randrange(0, 14), "added by hand")
        new[chance.randrange(16, 30)] = "changed"
        new.insert(chance.randrange(16, 30), "added")
        both = merge(base, yours, new)
        assert both.conflicts == []
        assert merge(yours, base, both.lines).lines == new


def pin(version: str, action: str = "actions/checkout") -> str:
    sha = f"{sum(map(ord, version)):040x}"
    return f"  uses: {action}@{sha} # {version}"


@pytest.mark.parametrize(
    ("base", "yours", "new", "result", "moved"),
    [
        pytest.param("v1.0.0", "v1.1.0", "v1.0.0", "v1.1.0", ["v1.1.0"], id="moved by a bot"),
        pytest.param("v1.0.0", "v1.0.0", "v1.1.0", "v1.1.0", [], id="moved by us"),
        pytest.param("v1.0.0", "v1.1.0", "v1.2.0", "v1.2.0", [], id="moved further by us"),
        pytest.param("v1.0.0", "v1.3.0", "v1.2.0", "v1.3.0", ["v1.3.0"], id="further by a bot"),
        pytest.param("v1.0.0", "v1.1.0", "v1.1.0", "v1.1.0", [], id="both the same"),
    ],
)
def test_of_two_pins_the_newer_one_stays(
    base: str, yours: str, new: str, result: str, moved: list[str]
) -> None:
    found = merge([pin(base)], [pin(yours)], [pin(new)], OURS)
    assert found.lines == [pin(result)]
    assert (found.edited, found.conflicts, found.reset) == (False, [], [])
    assert [there.version.tag for _, there in found.moved] == moved


def test_a_bot_and_an_edit_beside_each_other_are_both_kept() -> None:
    base, new = ["a", pin("v1.0.0"), "b"], ["A", pin("v1.0.0"), "b"]
    found = merge(base, ["a", pin("v1.1.0"), "  with: {}", "b"], new, OURS)
    assert found.lines == ["A", pin("v1.1.0"), "  with: {}", "b"]
    assert found.edited


def test_a_pin_of_ours_is_the_one_of_the_generator() -> None:
    ours = "acme/ours/actions/build-push"
    found = merge([pin("v1.0.0", ours)], [pin("v2.0.0", ours)], [pin("v1.0.0", ours)], OURS)
    assert found.lines == [pin("v1.0.0", ours)]
    assert [there.version.tag for _, there in found.reset] == ["v2.0.0"]
    known = merge([pin("v1.0.0", ours)], [pin("v2.0.0", ours)], [pin("v2.0.0", ours)], OURS)
    assert (known.lines, known.reset) == ([pin("v2.0.0", ours)], [])


def test_a_pin_that_went_back_is_an_edit() -> None:
    found = merge([pin("v2.0.0")], [pin("v1.0.0")], [pin("v2.0.0")], OURS)
    assert (found.lines, found.edited, found.moved) == ([pin("v1.0.0")], True, [])
    changed = merge([pin("v2.0.0")], [pin("v1.0.0")], [pin("v2.1.0")], OURS)
    assert changed.conflicts == [Conflict(0, [pin("v2.0.0")], [pin("v1.0.0")], [pin("v2.1.0")])]

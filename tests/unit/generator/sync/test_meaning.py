"""A merged workflow says what both sides mean, or it is refused."""

from __future__ import annotations

import pytest

from gen_workflow.sync import meaning

BASE = """\
jobs:
  build:
    timeout-minutes: 60
    steps:
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - name: Build
        run: make
  deploy:
    timeout-minutes: 60
    steps: [{run: deploy}]
"""


def check(yours: str, new: str, merged: str) -> None:
    meaning.check(BASE.split("\n"), yours.split("\n"), new.split("\n"), merged.split("\n"))


def edit(text: str, *pairs: tuple[str, str]) -> str:
    for old, replaced in pairs:
        assert old in text
        text = text.replace(old, replaced, 1)
    return text


MAKE = ("run: make", "run: make all")
STEP = ("      - name: Build", "      - name: Lint\n        run: lint\n      - name: Build")
NAME = ("  build:", "  build:\n    name: Build it")
PIN = ("3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", f"{'1' * 40} # v7.1.0")
JOB = ("steps: [{run: deploy}]\n", "steps: [{run: deploy}]\n  mine:\n    steps: []\n")


@pytest.mark.parametrize(
    ("yours", "new"),
    [
        pytest.param([MAKE], [NAME], id="two values"),
        pytest.param([STEP], [MAKE], id="a step, and a value of the next one"),
        pytest.param([STEP], [PIN], id="a step, and a pin of the one before"),
        pytest.param([JOB], [NAME], id="a job"),
        pytest.param([MAKE], [MAKE], id="the same"),
        pytest.param([STEP], [STEP, NAME], id="a step that both add"),
    ],
)
def test_what_both_sides_mean_is_accepted(
    yours: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    both = edit(edit(BASE, *yours), *(pair for pair in new if pair not in yours))
    check(edit(BASE, *yours), edit(BASE, *new), both)


def test_an_edit_that_ends_up_in_another_job_is_noticed() -> None:
    yours = edit(BASE, ("timeout-minutes: 60", "timeout-minutes: 90"))
    new = edit(BASE, NAME)
    at = new.rindex("60")
    merged = new[:at] + "90" + new[at + 2 :]
    with pytest.raises(meaning.Unclear, match="do not fit together at /jobs/build/timeout-min"):
        check(yours, new, merged)


def test_a_job_that_is_lost_is_noticed() -> None:
    new = edit(BASE, NAME)
    with pytest.raises(meaning.Unclear, match="do not fit together at /jobs: the keys"):
        check(edit(BASE, JOB), new, new)


def test_a_key_that_is_there_twice_is_noticed() -> None:
    yours, new = edit(BASE, JOB), edit(BASE, NAME)
    merged = edit(yours, ("  build:", "  build:\n    name: a\n    name: Build it"))
    with pytest.raises(meaning.Unclear, match=r"the merged workflow is not a workflow: .*twice"):
        check(yours, new, merged)


@pytest.mark.parametrize("edited", ["jobs: [", "", "- a\n- b\n---\n", "jobs: {a: 1, a: 2}"])
def test_an_edit_that_is_no_workflow_is_named(edited: str) -> None:
    with pytest.raises(meaning.Unclear, match="the edited workflow is"):
        check(edited, edit(BASE, NAME), BASE)


def test_two_steps_at_one_place_have_no_order() -> None:
    yours = edit(BASE, STEP)
    new = edit(BASE, ("      - name: Build", "      - name: Log in\n      - name: Build"))
    with pytest.raises(meaning.Unclear, match="both change jobs/build/steps") as refused:
        check(yours, new, edit(new, STEP))
    assert refused.value.line == yours.split("\n").index("    steps:") + 2


def test_a_value_that_both_change_is_a_conflict_wherever_it_is_written() -> None:
    yours = edit(BASE, ("steps: [{run: deploy}]", "steps: [{run: mine}]"))
    new = edit(BASE, ("steps: [{run: deploy}]", "steps:\n      - run: theirs"))
    with pytest.raises(meaning.Unclear, match="both change jobs/deploy/steps"):
        check(yours, new, new)


def test_a_step_that_was_moved_stays_moved() -> None:
    first = "      - name: Check out\n        uses: actions/checkout@"
    head, rest = BASE.split(first)
    pinned, rest = rest.split("\n", 1)
    build, deploy = rest.split("  deploy:")
    yours = f"{head}{build}{first}{pinned}\n  deploy:{deploy}"
    check(yours, edit(BASE, MAKE), edit(yours, MAKE))

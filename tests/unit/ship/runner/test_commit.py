"""Which commit a run is for, and which of two came first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ship.runner.commit import Commit, commit_of
from ship.runner.context import Context, read_context

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = "https://github.com/Acme/Shop/.github/workflows/ci.yml"
MAIN = Commit(WORKFLOW, "refs/heads/main", "a" * 40, 7)
NEWER = MAIN._replace(sha="b" * 40, number=8)
RUN = {
    "path": ".github/workflows/ci.yml", "run_number": 5, "head_branch": "dev", "head_sha": "d" * 40,
    "head_repository": {"full_name": "Acme/Shop"},
}  # fmt: skip


def context(**changes: Any) -> Context:
    known: dict[str, Any] = {
        "repository": "Acme/Shop",
        "sha": "a" * 40,
        "ref": "refs/heads/main",
        "event_name": "push",
        "run_number": "7",
        "workflow_ref": "Acme/Shop/.github/workflows/ci.yml@refs/heads/main",
    }
    return Context(**{**known, **changes})


def test_a_run_is_for_its_commit_and_a_text_names_it() -> None:
    assert commit_of(context()) == MAIN
    assert str(MAIN) == f"{WORKFLOW} refs/heads/main {'a' * 40} 7"
    assert Commit.parse(str(MAIN)) == MAIN
    assert MAIN.shown == "aaaaaaaaaaaa of main"


def test_the_environment_of_the_runner_tells_it(tmp_path: Path) -> None:
    env = {
        "GITHUB_REPOSITORY": "Acme/Shop",
        "GITHUB_SHA": "a" * 40,
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_RUN_NUMBER": "7",
        "GITHUB_WORKFLOW_REF": "Acme/Shop/.github/workflows/ci.yml@refs/heads/main",
        "GITHUB_EVENT_PATH": str(tmp_path / "none"),
    }
    assert commit_of(read_context(env)) == MAIN


def test_a_run_after_another_workflow_is_for_the_commit_of_that() -> None:
    run = context(event_name="workflow_run", run_number="99", payload={"workflow_run": RUN})
    assert commit_of(run) == Commit(WORKFLOW, "refs/heads/dev", "d" * 40, 5)


@pytest.mark.parametrize(
    "changes",
    [
        {"run_number": ""},
        {"run_number": "7a"},
        {"run_number": "\u0667"},
        {"workflow_ref": ""},
        {"sha": ""},
        {"ref": ""},
        {"repository": ""},
        {"event_name": "workflow_run"},
        {"event_name": "workflow_run", "payload": {"workflow_run": {**RUN, "head_branch": None}}},
        # A branch of a fork, which may be called `main` too.
        {
            "event_name": "workflow_run",
            "payload": {"workflow_run": {**RUN, "head_repository": {"full_name": "evil/Shop"}}},
        },
    ],
)
def test_where_the_runner_does_not_tell_all_there_is_none(changes: dict[str, Any]) -> None:
    assert commit_of(context(**changes)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b c",
        "a b c d",
        "a b c 1 2",
        "a b c -1",
        "a b c ²",
        "a  b c 1",
        "a b c 1\n",
        "a b \x1b[2J 1",
        "a b `c` 1",
        f"a b {'c' * 2000} 1",
    ],
)
def test_a_text_of_another_form_names_none(text: str) -> None:
    assert Commit.parse(text) is None


def test_a_branch_of_any_name_is_one_word_without_special_characters() -> None:
    made = commit_of(context(ref='refs/heads/feat/ü"$(id)\\\u2028 x%'))
    assert made
    assert made.ref == "refs/heads/feat/%C3%BC%22%24%28id%29%5C%E2%80%A8%20x%25"
    assert Commit.parse(str(made)) == made


# The same cases go through the shell of a host: tests/unit/ship/ssh_deploy/test_remote_commit.py.
TAG = MAIN._replace(ref="refs/tags/v1.2.3")
ORDERS = {
    "an earlier run for the branch": (MAIN, NEWER, True),
    "a later run for the branch": (NEWER, MAIN, False),
    "a number with more digits": (MAIN._replace(number=9), NEWER._replace(number=10), True),
    "the same commit once more": (MAIN, MAIN._replace(number=8), False),
    "the same run": (MAIN, NEWER._replace(number=7), False),
    "another branch": (MAIN, NEWER._replace(ref="refs/heads/dev"), False),
    "another workflow": (MAIN, NEWER._replace(workflow=f"{WORKFLOW}.yml"), False),
    "another Git tag": (TAG, NEWER._replace(ref="refs/tags/v1.2.4"), True),
    "a Git tag and a branch": (TAG, NEWER, False),
}


@pytest.mark.parametrize("case", ORDERS)
def test_two_commits_of_one_branch_have_an_order(case: str) -> None:
    ours, theirs, expected = ORDERS[case]
    assert ours.is_before(theirs) is expected

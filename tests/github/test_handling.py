"""What a pull request of `gen-workflow commit` gets: labels, reviewers, a merge, a second life."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.github import proposal
from gen_workflow.github.proposal import Branch, Snapshot, Wanted
from unit.generator.conftest import see

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

pytestmark = pytest.mark.needs("npm")

BRANCH = "gen-workflow/update"
READ = "graphql repository"
CREATE = "POST /repos/{owner}/{repo}/git/refs"
COMMIT = "graphql createCommitOnBranch"
OPEN = "POST /repos/{owner}/{repo}/pulls"
EDIT = "PATCH /repos/{owner}/{repo}/pulls/{pull_number}"
LABEL = "POST /repos/{owner}/{repo}/issues/{issue_number}/labels"
ASK = "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"
MERGE = "graphql enablePullRequestAutoMerge"
ALL = (
    "--label", "ci", "--label", "Deploy it", "--reviewer", "@ana", "--reviewer", "acme/platform",
    "--auto-merge",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _reviewers(app: Repository) -> None:
    app.access = {"ana", "ben", "platform"}


def test_labels_reviewers_and_the_merge_are_asked_for_once(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    app.merging = ("SQUASH", "REBASE")
    ran = commit(*ALL)
    assert ran.code == 0, ran.stderr
    (pull,) = app.pulls
    assert (pull.labels, pull.requested) == (["ci", "Deploy it"], ["ana", "platform"])
    assert (pull.merges, pull.draft) == ("SQUASH", False)
    assert github.operations == [READ, CREATE, COMMIT, OPEN, LABEL, ASK, MERGE]
    assert ran.stderr.endswith(
        "opened pull request 1\nadded ci, Deploy it\nasked ana, acme/platform for a review\n"
        "GitHub merges it as soon as it may\n"
    )
    pull.labels = ["DEPLOY IT", "ci"]
    pull.requested, pull.reviews = [], 1
    assert "nothing to do" in commit(*ALL).stdout
    assert github.operations[7:] == [READ]


def test_what_a_run_did_not_come_to_is_made_up_for_by_the_next(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    github.fail(LABEL, 500, "Something went wrong")
    ran = commit(*ALL)
    assert ran.code == 1
    assert "cannot add labels to pull request 1: GitHub answered 500 Something went" in ran.stderr
    assert "done before that: created the branch" in ran.stderr
    assert commit("--dry-run", *ALL).stdout == (
        "acme/app: a run without --dry-run would\n"
        "  add the labels ci, Deploy it to pull request https://github.com/acme/app/pull/1\n"
        "  ask ana, acme/platform for a review of pull request https://github.com/acme/app/pull/1\n"
        "  let GitHub merge pull request https://github.com/acme/app/pull/1 as soon as it may\n"
    )
    assert commit(*ALL).code == 0
    assert github.operations[6:] == [READ, LABEL, ASK, MERGE]
    assert len(app.pulls) == 1


def test_a_draft_is_one_from_the_beginning(app: Repository, commit: Callable[..., Any]) -> None:
    assert "opened pull request 1 as a draft" in commit("--draft").stderr
    assert app.pulls[0].draft
    app.pulls[0].draft = False
    assert "nothing to do" in commit("--draft").stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--draft", "--auto-merge"), "--auto-merge: a draft is never merged"),
        (("--closed", "reopn"), "--closed: 'reopn' is not known\n  hint: perhaps you meant `reop"),
        (("--reviewer", "a b"), "--reviewer: 'a b' is neither a user nor a team"),
        (("--label", "x" * 51), "is not a name of a label"),
        (("--label", "a\nb"), "is not a name of a label"),
        (("--again", "--closed", "leave"), "--again: opens a pull request again, and --closed"),
    ],
)
def test_options_that_say_nothing_or_contradict_are_refused_before_anything_is_asked(
    github: FakeGitHub, commit: Callable[..., Any], options: tuple[str, ...], said: str
) -> None:
    ran = commit(*options)
    assert ran.code == 2
    assert said in ran.stderr
    assert github.calls == []


def test_what_github_would_refuse_later_is_refused_before_anything_is_written(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    app.auto_merge = False
    assert commit("--auto-merge").stderr == (
        "--auto-merge: the repository does not allow GitHub to merge by itself\n"
        "  hint: turn on Settings > General > Allow auto-merge, or leave out --auto-merge\n"
        f"{see('a-label-a-reviewer-or-a-merge-that-github-refuses')}"
    )
    ran = commit("--reviewer", "other/team")
    assert "--reviewer: other/team is no team of acme, so it cannot review there" in ran.stderr
    assert github.operations == [READ, READ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--reviewer", "eve"), "a reviewer cannot be asked (Reviews may only be requested from"),
        (("--auto-merge",), "the pull request waits for nothing, so GitHub does not merge it"),
    ],
)
def test_what_only_github_knows_is_told_with_what_was_done_and_can_be_mended(
    app: Repository, commit: Callable[..., Any], options: tuple[str, ...], said: str
) -> None:
    app.waits = False
    ran = commit(*options)
    assert ran.code == 2
    assert said in ran.stderr
    assert "opened pull request 1; a new run continues there" in ran.stderr
    app.waits = True
    app.access.add("eve")
    assert commit(*options).code == 0
    assert len(app.pulls) == 1


def test_the_text_says_what_runs_and_why_a_workflow_changes(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    assert "| push to main | `ci-cd.yml` | build → deploy |" in app.pulls[0].body
    github.merge("acme/app", 1)
    spec = project / "gen-workflow.yml"
    spec.write_text(spec.read_text().replace("/health", "/up"))
    commit()
    why = "spec changed: the workflow was made from another version of gen-workflow.yml"
    assert f"| `.github/workflows/ci-cd.yml` | changed ({why}) |" in app.pulls[1].body


def test_a_text_that_would_be_too_long_is_shorter() -> None:
    wanted = Wanted("gen-workflow.yml", {}, (), (), runs="| event |\n" * 10_000)
    found = Snapshot("acme/app", Branch("main", "a" * 40, {}))
    assert "event" not in proposal.body(wanted, found)
    assert "event" in proposal.body(replace(wanted, runs="| event |\n"), found)


def test_a_pull_request_that_somebody_closed_can_be_left(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit()
    app.close(1)
    app.change(BRANCH, {".github/workflows/ci-cd.yml": b"on: push\n"}, message="By hand")
    for options in ((), ("--dry-run",)):
        ran = commit("--closed", "leave", *options)
        pull = "https://github.com/acme/app/pull/1"
        assert ran.stdout == f"acme/app: {pull} was closed without a merge, and is left so\n"
        assert ran.code == 0
    assert github.operations[4:] == [READ, READ]


def test_a_pull_request_that_somebody_closed_can_be_reopened(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    app.close(1)
    (project / "gen-workflow.yml").write_bytes(
        b"# more\n" + (project / "gen-workflow.yml").read_bytes()
    )
    plan = commit("--closed", "reopen", "--dry-run").stdout
    assert "\n  reopen pull request https://github.com/acme/app/pull/1\n" in plan
    ran = commit("--closed", "reopen")
    assert ran.code == 0, ran.stderr
    assert github.operations[4:] == [READ, READ, EDIT, READ, COMMIT]
    assert [pull.state for pull in app.pulls] == ["open"]
    assert "nothing to do" in commit("--closed", "reopen").stdout


def test_a_closed_pull_request_whose_branch_was_moved_gets_a_successor(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    """GitHub never reopens it, and says so only when it is asked."""
    commit()
    app.close(1)
    app.git.delete(f"refs/heads/{BRANCH}")
    assert commit("--closed", "reopen").code == 0
    assert github.operations[4:] == [READ, CREATE, COMMIT, OPEN]
    assert [pull.state for pull in app.pulls] == ["closed", "open"]


FAULTS: dict[str, dict[str, Any]] = {
    "502": {"status": 502, "headers": {"Retry-After": "0"}},
    "a lost answer": {"status": 502, "headers": {"Retry-After": "0"}, "lost": True},
    "a limit": {"status": 403, "message": "secondary rate limit", "headers": {"Retry-After": "0"}},
    "401": {"status": 401, "message": "Bad credentials"},
    "404": {"status": 404, "message": "Not Found"},
    "409": {"status": 409, "message": "Conflict"},
    "422": {"status": 422, "message": "Validation Failed"},
}
MENDED = ("502", "a lost answer", "a limit")


@pytest.mark.parametrize(
    "operation",
    [
        LABEL,
        pytest.param(ASK, marks=pytest.mark.test_all),
        pytest.param(MERGE, marks=pytest.mark.test_all),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        "a lost answer",
        "404",
        *(
            pytest.param(name, marks=pytest.mark.test_all)
            for name in FAULTS
            if name not in ("a lost answer", "404")
        ),
    ],
)
def test_a_fault_of_each_request_is_mended_at_once_or_by_the_next_run(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any], operation: str, fault: str
) -> None:
    github.fail(operation, **FAULTS[fault])
    ran = commit(*ALL)
    assert (ran.code == 0) is (fault in MENDED), ran.stderr
    if ran.code:
        assert "done before that: created the branch" in ran.stderr
        assert commit(*ALL).code == 0
    (pull,) = app.pulls
    assert (pull.labels, pull.requested) == (["ci", "Deploy it"], ["ana", "platform"])
    assert pull.merges == "MERGE"
    writes = len(github.calls)
    assert "nothing to do" in commit(*ALL).stdout
    assert github.operations[writes:] == [READ]

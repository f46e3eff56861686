"""`gen-workflow commit` against a GitHub over real git."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow import cli
from gen_workflow.github import proposal
from gen_workflow.sync import stamp
from gen_workflow.version import __version__
from unit.generator.conftest import see

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

pytestmark = pytest.mark.needs("npm")

BRANCH = "gen-workflow/update"
FILES = [
    "gen-workflow.yml",
    ".github/workflows/ci-cd.yml",
    ".github/workflows/rollback.yml",
]
READ = "graphql repository"
CREATE = "POST /repos/{owner}/{repo}/git/refs"
COMMIT = "graphql createCommitOnBranch"
OPEN = "POST /repos/{owner}/{repo}/pulls"
EDIT = "PATCH /repos/{owner}/{repo}/pulls/{pull_number}"
MOVE = "graphql updateRefs"
COMPARE = "GET /repos/{owner}/{repo}/compare/{basehead}"
BLOB = "GET /repos/{owner}/{repo}/git/blobs/{file_sha}"


def files_of(app: Repository, branch: str) -> dict[str, bytes]:
    oids = {path: app.git.oid(f"{branch}:{path}") for path in FILES}
    return {path: app.git.content(oid) for path, oid in oids.items() if oid}


def test_the_command_makes_a_commit_that_can_be_cloned_and_a_pull_request(
    github: FakeGitHub, app: Repository, project: Path, tmp_path: Path
) -> None:
    git = ("git", "-C", str(project))
    subprocess.run((*git, "init", "--quiet"), check=True)
    subprocess.run((*git, "remote", "add", "origin", "git@github.com:acme/app.git"), check=True)
    environment = {**os.environ, "GH_TOKEN": github.token, "GITHUB_API_URL": github.url}
    command = (sys.executable, "-m", "gen_workflow", "commit", "--json")
    ran = subprocess.run(
        command, cwd=project, env=environment, check=True, capture_output=True, text=True
    )
    assert json.loads(ran.stdout) == {
        "commit": app.git.head(BRANCH),
        "pull_request": "https://github.com/acme/app/pull/1",
        "branch": BRANCH,
        "files": FILES,
        "changed": True,
    }
    assert github.token not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    github.merge("acme/app", 1)
    clone = tmp_path / "clone"
    subprocess.run(("git", "clone", "-q", github.clone_url("acme/app"), clone), check=True)
    assert (clone / FILES[0]).read_bytes() == (project / FILES[0]).read_bytes()
    assert cli.main(["check", "-C", str(clone)]) == 0


def test_a_first_run_takes_four_requests(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert github.operations == [READ, CREATE, COMMIT, OPEN]
    assert ran.stdout == "acme/app: pull request https://github.com/acme/app/pull/1\n"
    assert all(call.user_agent.startswith("gen-workflow/") for call in github.calls)
    assert sorted(files_of(app, BRANCH)) == sorted(FILES)


def test_the_commit_is_signed_by_github_and_keeps_what_was_there(
    app: Repository, commit: Callable[..., Any]
) -> None:
    assert "(verified)" in commit("--message", "Deploy from main\n\nAt last.").stderr
    head = app.git.head(BRANCH)
    assert head in app.signed
    ours = f"Made-by: gen-workflow {__version__}"
    assert app.git.message(head) == f"Deploy from main\n\nAt last.\n\n{ours}"
    assert app.pulls[0].title == "Deploy from main"
    assert app.git.oid(f"{BRANCH}:Dockerfile") == app.git.oid("main:Dockerfile")
    assert app.git.oid(f"{BRANCH}^") == app.git.head("main")


def test_the_pull_request_says_what_changes_and_what_must_exist(
    app: Repository, commit: Callable[..., Any]
) -> None:
    app.change("main", {"gen-workflow.yml": b"image: .\n"})
    commit("--title", "Deploy")
    pull = app.pulls[0]
    assert (pull.title, pull.base, pull.head) == ("Deploy", "main", BRANCH)
    assert (
        "| `gen-workflow.yml` | changed |\n| `.github/workflows/ci-cd.yml` | added |" in pull.body
    )
    assert "- secret `VPS_SSH_KEY`: " in pull.body
    assert "- variable `VPS_HOST`: " in pull.body


def test_a_second_run_changes_nothing_and_asks_once(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit()
    head = app.git.head(BRANCH)
    ran = commit()
    assert github.operations[4:] == [READ]
    assert app.git.head(BRANCH) == head
    assert (
        ran.stdout == "acme/app: nothing to do, pull request https://github.com/acme/app/pull/1\n"
    )
    assert json.loads(commit("--json").stdout)["changed"] is False


def test_a_base_in_step_needs_no_branch(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit()
    app.change("main", files_of(app, BRANCH))
    ran = commit()
    assert ran.code == 0
    assert "main is in step with gen-workflow.yml, nothing to commit" in ran.stdout
    assert "pull/1 is still open and no longer needed" in ran.stdout
    assert github.operations[4:] == [READ]


def test_a_workflow_of_another_version_that_is_the_same_needs_no_pull_request(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit("--branch", "first")
    files = files_of(app, "first")
    spec = files[FILES[0]]
    header = "# Generated by gen-workflow 0.0.9 from gen-workflow.yml.\n"
    for name in FILES[1:]:
        body = files[name][files[name].index(b"\n\n") :].decode()
        older = stamp.sign(header + body, version="0.0.9", spec=spec, generator="other")
        files[name] = older.encode()
    app.change("main", files)
    ran = commit()
    assert "main is in step with gen-workflow.yml, nothing to commit" in ran.stdout
    assert github.operations[-1] == READ


def test_a_changed_spec_is_one_more_commit_in_the_same_pull_request(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit("--title", "First")
    app.pulls[0].title = "A title that somebody gave"
    first = app.git.head(BRANCH)
    (project / "gen-workflow.yml").write_bytes(b"# ours\n" + (project / FILES[0]).read_bytes())
    assert commit().code == 0
    assert github.operations[4:] == [READ, COMMIT]
    assert app.git.oid(f"{BRANCH}^") == first
    assert len(app.pulls) == 1
    assert app.pulls[0].title == "A title that somebody gave"


def test_the_text_of_a_pull_request_follows_the_spec(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    spec = (project / FILES[0]).read_text().replace("GREETING", "WELCOME")
    (project / FILES[0]).write_text(spec)
    commit()
    assert github.operations[4:] == [READ, EDIT, COMMIT]
    assert "`WELCOME`" in app.pulls[0].body
    assert "`GREETING`" not in app.pulls[0].body


def test_the_text_of_a_pull_request_follows_the_spec_when_a_run_was_cut_before_its_commit(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    spec = (project / FILES[0]).read_text().replace("GREETING", "WELCOME")
    (project / FILES[0]).write_text(spec)
    for operation in (EDIT, COMMIT):
        github.fail(operation, 422, "Validation Failed")
        assert commit().code == 2
    assert commit().code == 0
    assert "`WELCOME`" in app.pulls[0].body
    assert app.git.content(app.git.oid(f"{BRANCH}:{FILES[0]}") or "") == spec.encode()


@pytest.mark.parametrize("squash", [False, True], ids=["merge commit", "squash"])
def test_a_branch_left_over_by_a_merge_starts_again_at_the_base(
    github: FakeGitHub,
    app: Repository,
    project: Path,
    commit: Callable[..., Any],
    *,
    squash: bool,
) -> None:
    commit()
    github.merge("acme/app", 1, squash=squash)
    (project / FILES[0]).write_bytes((project / FILES[0]).read_bytes() + b"# more\n")
    assert commit().code == 0
    assert github.operations[4:] == [READ, MOVE, COMMIT, OPEN]
    assert app.git.oid(f"{BRANCH}^") == app.git.head("main")
    github.merge("acme/app", 2)  # no conflict


def test_a_commit_pushed_to_a_left_over_branch_meanwhile_is_not_lost(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    github.merge("acme/app", 1)
    (project / FILES[0]).write_bytes((project / FILES[0]).read_bytes() + b"# more\n")
    github.meanwhile(MOVE, lambda: app.change(BRANCH, {"README.md": b"theirs\n"}))
    assert commit().code == 0
    assert github.operations[4:] == [READ, MOVE, READ, COMPARE, READ, COMMIT, OPEN]
    assert app.git.oid(f"{BRANCH}:README.md")


def test_a_text_that_a_user_wrote_stays_while_there_is_nothing_new(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit()
    app.pulls[0].body = "Reviewed by hand."
    commit()
    assert github.operations[4:] == [READ]
    assert app.pulls[0].body == "Reviewed by hand."


def test_a_pull_request_into_another_base_is_not_taken_for_ours(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    app.change("develop", {"a": b"b\n"})
    commit("--base", "develop")
    assert commit().code == 0
    assert github.operations[4:] == [READ, OPEN]
    assert [pull.base for pull in app.pulls] == ["develop", "main"]


def test_a_branch_without_a_pull_request_gets_one(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit()
    app.pulls.clear()
    assert commit().stdout == "acme/app: pull request https://github.com/acme/app/pull/1\n"
    assert github.operations[4:] == [READ, OPEN]


def test_a_new_run_continues_after_a_run_that_only_made_the_branch(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    github.fail(COMMIT, 200, "Something went wrong", graphql_kind="INTERNAL")
    ran = commit()
    assert ran.code == 1
    assert "cannot commit on gen-workflow/update" in ran.stderr
    assert "done before that: created the branch gen-workflow/update;" in ran.stderr
    assert commit().code == 0
    assert github.operations[3:] == [READ, COMMIT, OPEN]
    assert len(app.pulls) == 1


def test_a_head_that_moved_meanwhile_is_read_again_once(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    github.meanwhile(COMMIT, lambda: app.change(BRANCH, {"README.md": b"somebody else's\n"}))
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert github.operations == [READ, CREATE, COMMIT, READ, COMMIT, OPEN]
    assert app.git.oid(f"{BRANCH}:README.md")
    assert sorted(files_of(app, BRANCH)) == sorted(FILES)


def test_a_head_that_keeps_moving_is_an_error_that_says_what_is_done(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    said = 'Expected branch to point to "0" but it did not.  Pull and try again.'
    github.fail(COMMIT, 200, said, graphql_kind="STALE_DATA", times=2)
    ran = commit()
    assert ran.code == 1
    assert "acme/app: cannot commit on gen-workflow/update: Expected branch to point" in ran.stderr
    assert "done before that: created the branch gen-workflow/update;" in ran.stderr
    assert app.pulls == []


def test_a_branch_that_another_run_made_first_is_built_upon(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    github.meanwhile(CREATE, lambda: app.change(BRANCH, {"README.md": b"theirs\n"}))
    assert commit().code == 0
    assert github.operations == [READ, CREATE, READ, COMMIT, OPEN]


@pytest.mark.parametrize("operation", [CREATE, COMMIT, OPEN])
def test_an_answer_lost_on_the_way_does_nothing_twice(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any], operation: str
) -> None:
    github.fail(operation, 502, lost=True, headers={"Retry-After": "0"})
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert len(app.pulls) == 1
    assert app.git.oid(f"{BRANCH}^") == app.git.head("main")


@pytest.mark.parametrize("status", [403, 429, 502, 503])
def test_github_may_ask_for_patience(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any], status: int
) -> None:
    limit = "You have exceeded a secondary rate limit"
    github.fail(COMMIT, status, limit, headers={"Retry-After": "0"}, times=2)
    ran = commit()
    assert ran.code == 0
    assert f"GitHub answered {status}; retry in 0 s" in ran.stderr
    assert len(app.pulls) == 1


def test_patience_ends(github: FakeGitHub, app: Repository, commit: Callable[..., Any]) -> None:
    github.fail(READ, 502, headers={"Retry-After": "0"}, times=99)
    ran = commit()
    assert ran.code == 1
    assert "GitHub answered 502" in ran.stderr
    assert "githubstatus.com" in ran.stderr
    assert len(github.calls) == 5
    assert app.pulls == []


def test_a_wait_that_is_too_long_is_reported_at_once(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    limit = "API rate limit exceeded for user ID 1."
    github.fail(READ, 403, limit, headers={"Retry-After": "1800"}, times=9)
    ran = commit()
    assert ran.code == 1
    assert "GitHub's rate limit is reached for the next 1800 s" in ran.stderr
    assert app.pulls == []


def test_the_limit_of_graphql_is_reported_as_a_limit(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800"}
    github.fail(READ, 200, "API rate limit exceeded", graphql_kind="RATE_LIMITED", headers=headers)
    assert "GitHub's rate limit is reached" in commit().stderr
    assert app.pulls == []


def test_a_dry_run_prints_the_steps_and_takes_none(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    ran = commit("--dry-run")
    assert ran.code == 0
    main = (app.git.head("main") or "")[:7]
    assert ran.stdout.splitlines() == [
        "acme/app: a run without --dry-run would",
        f"  create the branch gen-workflow/update at main ({main})",
        f"  commit {', '.join(FILES)} on gen-workflow/update",
        "  open a pull request from gen-workflow/update into main",
    ]
    assert github.operations == [READ]
    commit()
    assert "nothing to do" in commit("--dry-run").stdout


def test_a_file_that_the_spec_no_longer_gives_is_removed_in_the_same_commit(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    github.merge("acme/app", 1)
    spec = project / FILES[0]
    spec.write_bytes(spec.read_bytes() + b"rollback: false\n")
    said = commit("--dry-run").stdout
    assert f"  remove {FILES[2]} on {BRANCH}" in said
    before = len(github.operations)
    ran = commit()
    assert ran.code == 0
    assert github.operations[before:].count(COMMIT) == 1
    assert files_of(app, BRANCH).keys() == {*FILES[:2]}
    assert files_of(app, "main").keys() == {*FILES}
    assert f"| `{FILES[2]}` | removed: the spec no longer gives it |" in app.pulls[-1].body
    assert "nothing to do" in commit().stdout


def test_a_file_that_the_spec_no_longer_gives_stays_when_it_was_edited(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    github.merge("acme/app", 1)
    text = files_of(app, "main")[FILES[2]] + b"# by hand\n"
    app.change("main", {FILES[2]: text})
    spec = project / FILES[0]
    spec.write_bytes(spec.read_bytes() + b"rollback: false\n")
    ran = commit()
    assert ran.code == 0
    assert f"warning: the spec no longer gives {FILES[2]}, and main has it, edited" in ran.stderr
    assert files_of(app, BRANCH)[FILES[2]] == text
    assert f"The spec no longer gives `{FILES[2]}`. It was edited by hand" in app.pulls[-1].body


def test_the_token_of_a_workflow_run_is_taken_when_there_is_no_other(
    github: FakeGitHub,
    app: Repository,
    commit: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", github.token)
    assert commit(token="").code == 0
    assert app.pulls


def test_another_base_and_branch_can_be_named(app: Repository, commit: Callable[..., Any]) -> None:
    app.change("develop", {"a": b"b\n"})
    assert commit("--base", "develop", "--branch", "ci").code == 0
    assert (app.pulls[0].base, app.pulls[0].head) == ("develop", "ci")
    assert app.git.oid("ci^") == app.git.head("develop")


def test_a_repository_that_was_renamed_is_found(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    github.rename("acme/app", "acme/shop")
    assert commit().stdout == "acme/shop: pull request https://github.com/acme/shop/pull/1\n"
    assert app.pulls


def test_an_enterprise_server_has_its_api_in_a_folder(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    assert commit("--api-url", f"{github.url}/api/v3/").code == 0
    assert github.operations == [READ, CREATE, COMMIT, OPEN]
    assert app.pulls


def other_spec(project: Path, commit: Callable[..., Any], app: Repository) -> None:
    """Somebody brings another spec with its workflow to main."""
    mine = (project / FILES[0]).read_bytes()
    (project / FILES[0]).write_bytes(mine.replace(b"GREETING", b"THEIRS"))
    assert commit("--branch", "theirs").code == 0
    app.change("main", files_of(app, "theirs"))
    (project / FILES[0]).write_bytes(mine)
    app.pulls.pop()


def test_a_branch_of_ours_that_the_base_has_left_behind_starts_again_at_the_base(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    old = app.git.head(BRANCH)
    other_spec(project, commit, app)
    asked = len(github.calls)
    steps = commit("--dry-run").stdout.splitlines()
    assert steps[2] == f"  build {BRANCH} again on main ({(app.git.head('main') or '')[:7]})"
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert github.operations[asked + 3 :] == [READ, COMPARE, READ, EDIT, CREATE, COMMIT, MOVE]
    assert app.git.head(BRANCH) != old
    assert app.git.oid(f"{BRANCH}^") == app.git.head("main")
    assert app.pulls[0].state == "open", "GitHub closes a pull request without a commit for good"
    assert app.git.below("refs/heads/gen-workflow/") == [f"refs/heads/{BRANCH}"]
    assert f"built {BRANCH} again on main" in ran.stderr
    github.merge("acme/app", 1)  # no conflict
    assert files_of(app, "main")[FILES[0]] == (project / FILES[0]).read_bytes()


def test_a_draft_whose_creation_was_not_answered_does_not_stay(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    other_spec(project, commit, app)
    app.git.delete("refs/heads/theirs")
    github.fail(CREATE, 502, lost=True, headers={"Retry-After": "0"})
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert app.git.below("refs/heads") == [f"refs/heads/{BRANCH}", "refs/heads/main"]


def test_a_base_that_changed_other_files_does_not_start_the_branch_again(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit()
    head = app.git.head(BRANCH)
    app.change("main", {"README.md": b"news\n"})
    assert "nothing to do" in commit().stdout
    assert github.operations[4:] == [READ, COMPARE, READ]
    assert app.git.head(BRANCH) == head


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ("README.md", ()),
        ("gen-workflow.yml", ("--force",)),
        pytest.param("gen-workflow.yml", (), marks=pytest.mark.test_all),
        pytest.param("README.md", ("--force",), marks=pytest.mark.test_all),
    ],
)
def test_a_branch_with_a_commit_of_somebody_else_is_never_started_again(
    app: Repository,
    project: Path,
    commit: Callable[..., Any],
    options: tuple[str, ...],
    change: str,
) -> None:
    commit()
    content = (project / change).read_bytes() + b"# theirs\n" if change in FILES else b"theirs\n"
    theirs = app.change(BRANCH, {change: content}, message="Fix a word\n\nMade-by: hand")
    other_spec(project, commit, app)
    ran = commit(*options)
    assert ran.code == 1
    if options or change not in FILES:
        assert ran.stderr == (
            f"https://github.com/acme/app/pull/1: since {BRANCH} left main, main changed "
            f"{' and '.join(FILES)}; the branch would have to start again at main, but "
            f"gen-workflow did not make its commit {theirs[:7]} (Fix a word); nothing was committed"
            f"\n  hint: merge main into {BRANCH} by hand, or choose another branch with --branch\n"
            f"{see('the-branch-holds-a-commit-of-a-person')}"
        )
    assert app.git.head(BRANCH) == theirs


@pytest.mark.test_all
def test_a_commit_that_somebody_amended_is_theirs(
    app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    head = app.git.head(BRANCH) or ""
    tree = app.git.oid(f"{head}^{{tree}}") or ""
    parent = app.git.parents(head)
    message = app.git.message(head)
    amended = app.git.commit(parent, message, tree=tree, author="me", committer="me@example.com")
    app.git.point(f"refs/heads/{BRANCH}", amended, head)
    other_spec(project, commit, app)
    ran = commit()
    assert (ran.code, app.git.head(BRANCH)) == (1, amended)
    assert "gen-workflow did not make its commit" in ran.stderr


def test_a_commit_that_is_pushed_while_the_branch_starts_again_is_not_lost(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    other_spec(project, commit, app)
    github.meanwhile(MOVE, lambda: app.change(BRANCH, {"README.md": b"theirs\n"}))
    ran = commit()
    assert ran.code == 1
    assert "gen-workflow did not make its commit" in ran.stderr
    assert app.git.oid(f"{BRANCH}:README.md")
    assert app.git.below("refs/heads/gen-workflow/") == [f"refs/heads/{BRANCH}"]


def test_a_draft_does_not_stay_when_the_commit_is_refused(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    head = app.git.head(BRANCH)
    other_spec(project, commit, app)
    github.fail(COMMIT, 200, "Something went wrong", graphql_kind="INTERNAL")
    ran = commit()
    assert ran.code == 1
    assert "Something went wrong" in ran.stderr
    assert app.git.head(BRANCH) == head
    assert app.git.below("refs/heads/gen-workflow/") == [f"refs/heads/{BRANCH}"]
    assert commit().code == 0


@pytest.mark.test_all
def test_an_answer_lost_while_the_branch_starts_again_does_nothing_twice(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    commit()
    other_spec(project, commit, app)
    github.fail(MOVE, 502, lost=True, headers={"Retry-After": "0"})
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert app.git.oid(f"{BRANCH}^") == app.git.head("main")
    assert app.git.below("refs/heads/gen-workflow/") == [f"refs/heads/{BRANCH}"]


@pytest.mark.parametrize(
    ("message", "between"),
    [
        ("Deploy", "\n\n"),
        ("Deploy: now", "\n\n"),
        ("Deploy\n\nAt last.\n", "\n\n"),
        ("Deploy\n\nSigned-off-by: A <a@example.com>", "\n"),
    ],
)
def test_our_line_joins_those_that_a_message_ends_with(message: str, between: str) -> None:
    ours = proposal.marked(message)
    assert ours == f"{message.strip()}{between}Made-by: gen-workflow {__version__}"
    assert proposal.is_marked(ours)
    assert not proposal.is_marked(message)


@pytest.mark.parametrize(
    ("there", "options", "told", "offered"),
    [
        ("gen-workflow", (), "there is a branch gen-workflow", "gen-workflow-update"),
        ("ci/new", ("--branch", "ci"), "there are branches ci/…", "ci-update"),
        pytest.param(
            "a/b",
            ("--branch", "a/b/c/d"),
            "there is a branch a/b",
            "a-b-c-d",
            marks=pytest.mark.test_all,
        ),
    ],
)
def test_a_branch_that_blocks_ours_is_named_with_another_name(
    github: FakeGitHub,
    app: Repository,
    commit: Callable[..., Any],
    *,
    there: str,
    options: tuple[str, ...],
    told: str,
    offered: str,
) -> None:
    app.change(there, {"a": b"b\n"})
    ran = commit(*options)
    assert ran.code == 2
    wanted = options[1] if options else BRANCH
    assert ran.stderr == (
        f"acme/app: {told}, and beside it git cannot have a branch {wanted}\n"
        f"  hint: give another name: --branch {offered}\n"
        f"{see('a-branch-that-commit-cannot-use')}"
    )
    assert github.operations == [READ]
    assert commit("--branch", offered).code == 0


def test_a_dockerfile_that_the_base_does_not_have_is_told(
    github: FakeGitHub, commit: Callable[..., Any]
) -> None:
    app = github.create_repository("acme/bare", files={"README.md": b"Hello\n"})
    ran = commit(repo="acme/bare")
    assert ran.code == 0
    assert ran.stderr.startswith(
        "warning: main has no Dockerfile, so the build will fail\n"
        "  hint: push it to main before the pull request is merged\n"
    )
    assert "`main` has no `Dockerfile`: push it before you merge this" in app.pulls[0].body
    app.change("main", {"Dockerfile": b"FROM scratch\n"})
    assert "warning" not in commit(repo="acme/bare").stderr


def test_a_spec_that_is_too_long_for_graphql_is_read_as_a_whole(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    spec = project / FILES[0]
    spec.write_bytes(spec.read_bytes() + b"# a line of comment\n" * 30_000)
    assert commit().code == 0
    spec.write_bytes(spec.read_bytes() + b"# more\n")
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert github.operations[4:] == [READ, BLOB, COMMIT]
    app.change(BRANCH, {FILES[0]: spec.read_bytes() + b"# theirs\n"})
    assert f"{FILES[0]}: on {BRANCH} it was edited by hand" in commit().stderr


@pytest.mark.parametrize("branch_is_deleted", [False, True])
def test_a_pull_request_that_somebody_closed_is_opened_again_with_again_only(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any], *, branch_is_deleted: bool
) -> None:
    commit()
    app.pulls[0].state = "closed"
    if branch_is_deleted:
        app.git.delete(f"refs/heads/{BRANCH}")
    for options in ((), ("--dry-run",), ("--force",)):
        ran = commit(*options)
        assert ran.code == 1
        assert ran.stderr == (
            "pull request: https://github.com/acme/app/pull/1 was closed without a merge; "
            "nothing was committed\n"
            "  hint: reopen it on GitHub, or open a new one with `gen-workflow commit --again`\n"
            f"{see('the-pull-request-was-closed')}"
        )
    assert github.operations[4:] == [READ] * 3
    assert commit("--again").code == 0
    assert [pull.state for pull in app.pulls] == ["closed", "open"]
    assert "nothing to do" in commit().stdout


def test_a_closed_pull_request_counts_only_when_it_is_the_last_of_ours_into_this_base(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    app.change("develop", {"a": b"b\n"})
    commit("--base", "develop")
    app.pulls[0].state = "closed"
    assert commit().code == 0, "closed, but into another base"
    github.merge("acme/app", 2)
    app.git.delete(f"refs/heads/{BRANCH}")
    fork = replace(app.pulls[0], number=3, base="main", fork=True)
    app.pulls.append(fork)
    (project / FILES[0]).write_bytes((project / FILES[0]).read_bytes() + b"# more\n")
    assert commit().code == 0, "closed, but from a fork; merged after that"

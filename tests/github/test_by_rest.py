"""`gen-workflow commit` where GraphQL cannot: empty repositories, modes, older servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

pytestmark = pytest.mark.needs("npm")

BRANCH = "gen-workflow/update"
SPEC, WORKFLOW = "gen-workflow.yml", ".github/workflows/ci-cd.yml"
READ = "graphql repository"
CREATE = "POST /repos/{owner}/{repo}/git/refs"
COMMIT = "graphql createCommitOnBranch"
OPEN = "POST /repos/{owner}/{repo}/pulls"
BEGIN = "PUT /repos/{owner}/{repo}/contents/{path}"
BY_REST = [
    "GET /repos/{owner}/{repo}/git/commits/{commit_sha}",
    "POST /repos/{owner}/{repo}/git/trees",
    "POST /repos/{owner}/{repo}/git/commits",
    "PATCH /repos/{owner}/{repo}/git/refs/{ref}",
]


def test_an_empty_repository_gets_its_first_commit_and_then_the_pull_request(
    github: FakeGitHub, commit: Callable[..., Any]
) -> None:
    app = github.create_repository("acme/app")
    plan = commit("--dry-run")
    assert plan.stdout == (
        "acme/app: a run without --dry-run would\n"
        f"  make the first commit, with {SPEC}, because the repository is empty\n"
        f"  open a pull request from {BRANCH} with the other files\n"
    )
    assert app.empty
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert github.operations[1:] == [READ, BEGIN, READ, CREATE, COMMIT, OPEN]
    assert "warning: main has no Dockerfile, so the build will fail" in ran.stderr
    assert app.git.files("main") == [SPEC]
    assert app.git.oid(f"{BRANCH}:{WORKFLOW}")
    assert "nothing to do" in commit().stdout


def test_a_first_commit_whose_answer_was_lost_is_not_made_twice(
    github: FakeGitHub, commit: Callable[..., Any]
) -> None:
    app = github.create_repository("acme/app")
    github.fail(BEGIN, 502, lost=True, headers={"Retry-After": "0"})
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert len(app.git.history("main")) == 1
    assert len(app.pulls) == 1


def test_a_base_that_was_named_is_not_made_in_an_empty_repository(
    github: FakeGitHub, commit: Callable[..., Any]
) -> None:
    app = github.create_repository("acme/app")
    ran = commit("--base", "develop")
    assert ran.code == 2
    assert "there is no branch develop" in ran.stderr
    assert app.empty


@pytest.fixture
def executable(app: Repository) -> str:
    """The spec on the base, as a file that may be executed."""
    app.change("main", {SPEC: b"image: .\n"}, executable=[SPEC])
    return SPEC


def test_a_file_that_may_be_executed_stays_one(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any], executable: str
) -> None:
    strange = "a#b%2Fü'{c}"
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert app.git.mode(BRANCH, executable) == "100755"
    assert app.git.mode(BRANCH, WORKFLOW) == "100644"
    assert github.operations == [READ, CREATE, *BY_REST, OPEN]
    assert "(not signed by this GitHub)" in ran.stderr
    assert "nothing to do" in commit().stdout
    assert commit("--branch", strange).code == 0
    assert app.git.mode(strange, executable) == "100755"


@pytest.mark.parametrize("signed", [False, True], ids=["a person's token", "an App's token"])
def test_a_commit_over_rest_is_known_as_ours_later(
    github: FakeGitHub,
    app: Repository,
    project: Path,
    commit: Callable[..., Any],
    executable: str,
    *,
    signed: bool,
) -> None:
    token = github.add_token(f"{'ghs' if signed else 'ghp'}_other", classic=not signed)
    first = commit(token=token)
    assert ("(verified)" in first.stderr) is signed
    app.change("main", {executable: b"image: .  # theirs\n"}, executable=[executable])
    (project / SPEC).write_bytes((project / SPEC).read_bytes() + b"# more\n")
    ran = commit(token=token)
    assert ran.code == 0, ran.stderr
    assert f"built {BRANCH} again on main" in ran.stderr
    assert app.git.mode(BRANCH, executable) == "100755"


def test_a_branch_that_moved_is_never_forced(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any], executable: str
) -> None:
    github.meanwhile(BY_REST[-1], lambda: app.change(BRANCH, {"README.md": b"theirs\n"}))
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert app.git.oid(f"{BRANCH}:README.md")
    assert app.git.mode(BRANCH, executable) == "100755"
    assert github.operations == [READ, CREATE, *BY_REST, READ, *BY_REST, OPEN]


def test_a_server_without_the_mutation_gets_the_same_commit(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    github.forget("createCommitOnBranch")
    ran = commit("--api-url", f"{github.url}/api/v3")
    assert ran.code == 0, ran.stderr
    assert github.operations == [READ, CREATE, COMMIT, *BY_REST, OPEN]
    assert app.git.oid(f"{BRANCH}:{WORKFLOW}")
    assert "nothing to do" in commit().stdout


def test_a_server_that_cannot_move_a_branch_safely_is_not_made_to(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    github.forget("updateRefs")
    commit()
    github.merge("acme/app", 1)
    before = app.git.head(BRANCH)
    (project / SPEC).write_bytes((project / SPEC).read_bytes() + b"# more\n")
    ran = commit()
    assert ran.code == 2
    assert "this GitHub does not know what is asked for (Field 'updateRefs'" in ran.stderr
    assert f"hint: delete the branch {BRANCH} on GitHub, or give another one" in ran.stderr
    assert app.git.head(BRANCH) == before
    assert commit("--branch", "again").code == 0


@pytest.mark.parametrize("operation", [BY_REST[2], BY_REST[3]], ids=["commit", "ref"])
def test_an_answer_that_was_lost_on_the_way_makes_no_second_commit(
    github: FakeGitHub,
    app: Repository,
    commit: Callable[..., Any],
    executable: str,
    operation: str,
) -> None:
    github.fail(operation, 502, lost=True, headers={"Retry-After": "0"})
    ran = commit()
    assert ran.code == 0, ran.stderr
    assert app.git.oid(f"{BRANCH}^") == app.git.head("main")
    assert app.git.mode(BRANCH, executable) == "100755"

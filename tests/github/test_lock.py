"""`gen-workflow commit` and GitHub's lock: both files change in one commit, or none does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow import cli
from gen_workflow.uses.places import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

pytestmark = pytest.mark.needs("npm")

BRANCH = "gen-workflow/update"
CI = ".github/workflows/ci-cd.yml"
LOCK = ".github/workflows/actions.lock"


def lock_of(project: Path) -> bytes:
    """Return a lock that covers the workflow of a project, in the form of `gh actions-lock`."""
    text = (project / CI).read_text()
    names = sorted({f"{use.reference.repository}@{use.reference.ref}" for use in find(text)})
    listed = "".join(f"        - '{name}'\n" for name in names)
    return f"version: 'v0.0.2'\nworkflows:\n    '{CI}':\n{listed}dependencies: {{}}\n".encode()


def test_the_lock_of_github_is_in_the_same_commit_as_the_workflow(
    app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    assert cli.main(["generate", "-C", str(project)]) == 0
    (project / LOCK).write_bytes(lock_of(project))
    assert commit().code == 0
    assert app.git.oid(f"{BRANCH}~1") == app.git.head("main")
    lock = app.git.oid(f"{BRANCH}:{LOCK}")
    assert lock
    assert app.git.content(lock) == lock_of(project)


def test_a_lock_that_does_not_cover_the_workflow_stops_the_commit(
    github: FakeGitHub, project: Path, commit: Callable[..., Any]
) -> None:
    assert cli.main(["generate", "-C", str(project)]) == 0
    (project / LOCK).write_bytes(lock_of(project).replace(b"actions/checkout@", b"actions/cache@"))
    ran = commit()
    assert (ran.code, github.calls) == (1, [])
    assert "run `gh actions-lock`" in ran.stderr


@pytest.mark.usefixtures("app")
def test_a_lock_alone_is_no_reason_for_a_commit(
    github: FakeGitHub, project: Path, commit: Callable[..., Any]
) -> None:
    assert commit().code == 0
    github.merge("acme/app", 1)
    assert cli.main(["generate", "-C", str(project)]) == 0
    (project / LOCK).write_bytes(lock_of(project))
    assert "nothing to commit" in commit().stdout

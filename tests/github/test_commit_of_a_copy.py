"""`gen-workflow commit` with a copy of our actions, which goes with the workflows that use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.vendored import lock, ours

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.github import FakeGitHub, Repository

pytestmark = pytest.mark.needs("npm")

FOLDER = ".github/actions/gen-workflow"
MAIN = f"{FOLDER}/lib/ship/runner/main.py"
BUILD = "image: .\nactions: vendored\n"
DEPLOY = f"{BUILD}deploy: {{ssh: vps, run: {{}}}}\nrollback: false\n"


@pytest.fixture(autouse=True)
def _a_copy(project: Path) -> None:
    (project / "gen-workflow.yml").write_text(BUILD)


def held(app: Repository, branch: str = "main") -> set[str]:
    """Return the paths of a branch in the folder of the copy."""
    listed = app.git.files(branch)
    return {path.removeprefix(f"{FOLDER}/") for path in listed if path.startswith(FOLDER)}


def copied(*actions: str) -> set[str]:
    return {*ours.files(actions), lock.NAME}


def test_the_copy_is_in_the_commit_is_named_once_and_goes_when_the_spec_does_not_give_it(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    made = commit()
    count = len(copied("build-push"))
    assert made.code == 0, made.stderr
    assert held(app, "gen-workflow/update") == copied("build-push")
    assert f"{FOLDER} ({count} files)" in made.stderr
    assert f"| `{FOLDER}/` | the actions: {count} files |" in app.pulls[0].body
    github.merge("acme/app", 1)
    assert "is in step with gen-workflow.yml" in commit().stdout
    (project / "gen-workflow.yml").write_text("image: .\n")
    assert commit().code == 0
    github.merge("acme/app", 2)
    assert held(app) == set()


@pytest.mark.test_all
def test_what_is_no_longer_copied_goes(
    github: FakeGitHub, app: Repository, project: Path, commit: Callable[..., Any]
) -> None:
    (project / "gen-workflow.yml").write_text(DEPLOY)
    commit()
    github.merge("acme/app", 1)
    assert held(app) == copied("build-push", "ssh-deploy")
    (project / "gen-workflow.yml").write_text(BUILD)
    assert commit().code == 0
    github.merge("acme/app", 2)
    assert held(app) == copied("build-push")


def test_an_edit_on_github_is_not_lost(
    github: FakeGitHub, app: Repository, commit: Callable[..., Any]
) -> None:
    commit()
    github.merge("acme/app", 1)
    app.change("main", {MAIN: b"# mine\n"}, message="Edit")
    refused = commit()
    assert refused.code == 1
    assert f"{MAIN}: on main it was edited by hand; nothing was committed" in refused.stderr
    assert commit("--force").code == 0
    github.merge("acme/app", 2)
    assert "is in step with gen-workflow.yml" in commit().stdout

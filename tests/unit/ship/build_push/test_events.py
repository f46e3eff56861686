"""What each event of GitHub makes of the tags and the push, through the real shell step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from bed.step import Run, run_action

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = {
    "id": 1296269,
    "name": "Shop",
    "full_name": "Acme/Shop",
    "private": False,
    "owner": {"login": "Acme", "id": 1, "type": "Organization"},
    "html_url": "https://github.com/Acme/Shop",
    "description": "Sells things",
    "fork": False,
    "default_branch": "main",
    "license": {"key": "mit", "name": "MIT License", "spdx_id": "MIT"},
}
SENDER = {"login": "octocat", "id": 2, "type": "User"}
SHA = "0123456789abcdef0123456789abcdef01234567"
SHORT = f"sha-{SHA[:12]}"
COMMIT = {
    "id": SHA,
    "message": "Sell more",
    "timestamp": "2026-11-20T10:11:12+01:00",
    "author": {"name": "Mona", "email": "mona@example.com", "username": "octocat"},
}
BASE = {"repository": REPOSITORY, "sender": SENDER}


def pull_request(source: str) -> dict[str, Any]:
    head = {"ref": "patch-1", "sha": "f" * 40, "repo": {"full_name": source, "fork": True}}
    base = {"ref": "main", "sha": "e" * 40, "repo": REPOSITORY}
    return {
        **BASE,
        "action": "synchronize",
        "number": 7,
        "pull_request": {"number": 7, "head": head, "base": base, "merged": False},
    }


def comment(association: str) -> dict[str, Any]:
    """Return what GitHub tells of a comment on a pull request: not the repository of that."""
    issue = {"number": 7, "author_association": association, "pull_request": {"url": "https://x"}}
    return {**BASE, "action": "created", "issue": issue, "comment": {"body": "/build"}}


class Case(NamedTuple):
    event_name: str
    ref: str
    event: dict[str, Any]
    tags: tuple[str, ...]
    version: str
    tag: str
    pushes: bool
    reported: str = ""


CASES = {
    "a push to the default branch": Case(
        "push", "refs/heads/main",
        {**BASE, "ref": "refs/heads/main", "head_commit": COMMIT, "commits": [COMMIT]},
        ("main", SHORT), "main", SHORT, pushes=True,
    ),
    "a push to a branch with a slash and a hash": Case(
        "push", "refs/heads/feat/#12-ünïcode",
        {**BASE, "ref": "refs/heads/feat/#12-ünïcode", "head_commit": COMMIT},
        ("feat-12--n-code", SHORT), "feat-12--n-code", SHORT, pushes=True,
    ),
    "a version tag, of which the registry is not asked in a dry run": Case(
        "push", "refs/tags/v1.4.2", {**BASE, "ref": "refs/tags/v1.4.2", "head_commit": COMMIT},
        ("1.4.2", SHORT), "1.4.2", "1.4.2", pushes=True, reported="latest",
    ),
    "a tag of a pre-release": Case(
        "push", "refs/tags/v2.0.0-rc.1", {**BASE, "ref": "refs/tags/v2.0.0-rc.1"},
        ("2.0.0-rc.1", SHORT), "2.0.0-rc.1", "2.0.0-rc.1", pushes=True,
    ),
    "a tag that is no version": Case(
        "push", "refs/tags/nightly-build", {**BASE, "ref": "refs/tags/nightly-build"},
        ("nightly-build", SHORT), "nightly-build", "nightly-build", pushes=True,
    ),
    "a release": Case(
        "release", "refs/tags/v1.4.2",
        {**BASE, "action": "published", "release": {
            "id": 1, "tag_name": "v1.4.2", "draft": False, "prerelease": False,
            "target_commitish": "main", "name": "1.4.2"}},
        ("1.4.2", SHORT), "1.4.2", "1.4.2", pushes=True,
    ),
    "a schedule": Case(
        "schedule", "refs/heads/main", {"schedule": "0 3 * * *", "repository": REPOSITORY},
        ("nightly", "main", SHORT), "nightly", SHORT, pushes=True,
    ),
    "a run by hand": Case(
        "workflow_dispatch", "refs/heads/main",
        {**BASE, "inputs": {"reason": "try"}, "ref": "refs/heads/main",
         "workflow": ".github/workflows/ci.yml"},
        ("main", SHORT), "main", SHORT, pushes=True,
    ),
    "a pull request of a branch of the repository": Case(
        "pull_request", "refs/pull/7/merge", pull_request("Acme/Shop"),
        ("pr-7", SHORT), "pr-7", SHORT, pushes=False,
        reported="Nothing is pushed: this run is for a pull request.",
    ),
    "a pull request of a fork": Case(
        "pull_request", "refs/pull/7/merge", pull_request("mallory/Shop"),
        ("pr-7", SHORT), "pr-7", SHORT, pushes=False,
        reported="Nothing is pushed: this run is for a pull request of a fork, which never pushes.",
    ),
    "a pull request of a fork with the rights of the target": Case(
        "pull_request_target", "refs/heads/main", pull_request("mallory/Shop"),
        ("pr-7", SHORT), "pr-7", SHORT, pushes=False,
        reported="Nothing is pushed: this run is for a pull request of a fork, which never pushes.",
    ),
    "a merge queue": Case(
        "merge_group", "refs/heads/gh-readonly-queue/main/pr-7-abc",
        {**BASE, "action": "checks_requested", "merge_group": {
            "head_sha": SHA, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-abc",
            "base_sha": "e" * 40, "base_ref": "refs/heads/main"}},
        ("gh-readonly-queue-main-pr-7-abc", SHORT), "gh-readonly-queue-main-pr-7-abc", SHORT,
        pushes=False, reported="Nothing is pushed: this run is for a merge queue.",
    ),
    "a comment on a pull request of a fork": Case(
        "issue_comment", "refs/heads/main", comment("NONE"), ("pr-7",), "pr-7", "pr-7",
        pushes=False, reported="Nothing is pushed: this run is for a comment on a pull request of "
        "a fork, which never pushes.",
    ),
    "a comment on a pull request that may be of a branch": Case(
        "issue_comment", "refs/heads/main", comment("MEMBER"), ("pr-7",), "pr-7", "pr-7",
        pushes=False, reported="Nothing is pushed: this run is for a comment on a pull request.",
    ),
    "a comment on an issue": Case(
        "issue_comment", "refs/heads/main", {**BASE, "issue": {"number": 8}},
        ("main", SHORT), "main", SHORT, pushes=True,
    ),
    "a pre-release on GitHub of a stable version": Case(
        "release", "refs/tags/v1.4.2",
        {**BASE, "release": {"tag_name": "v1.4.2", "draft": False, "prerelease": True}},
        ("1.4.2", SHORT), "1.4.2", "1.4.2", pushes=True, reported="marked as a pre-release",
    ),
    "a run after another workflow for another branch": Case(
        "workflow_run", "refs/heads/main",
        {**BASE, "workflow_run": {"head_branch": "dev", "head_repository": REPOSITORY}},
        ("main", SHORT), "main", SHORT, pushes=True, reported="the tags are those of main",
    ),
    "a branch called latest": Case(
        "push", "refs/heads/latest", {**BASE, "head_commit": COMMIT},
        ("branch-latest", SHORT), "branch-latest", SHORT, pushes=True,
        reported="because latest is kept for versions",
    ),
    "an event without a payload": Case(
        "push", "refs/heads/main", {}, ("main", SHORT), "main", SHORT, pushes=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_event_decides_tags_and_push(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    run = Run(
        repository="Acme/Shop", event_name=case.event_name, ref=case.ref, sha=SHA, event=case.event
    )
    step = run_action("build-push", {"dry-run": "true"}, workspace=tmp_path, run=run)
    assert step.code == 0, step.log
    assert step.outputs["tags"].split("\n") == [f"ghcr.io/acme/shop:{tag}" for tag in case.tags]
    assert (step.outputs["version"], step.outputs["tag"]) == (case.version, case.tag)
    assert ("--push" in step.log) is case.pushes
    assert case.reported in step.log
    if case.event:
        assert "org.opencontainers.image.description=Sells things" in step.outputs["labels"]
        assert "org.opencontainers.image.licenses=MIT" in step.outputs["labels"]
    assert "::warning" not in step.log


def test_a_fork_may_not_push_even_when_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    of_fork = pull_request("mallory/Shop")
    events = {"pull_request": of_fork, "pull_request_target": of_fork}
    events["issue_comment"] = comment("CONTRIBUTOR")
    for event_name, event in events.items():
        run = Run(repository="Acme/Shop", event_name=event_name, event=event)
        step = run_action("build-push", {"push": "true"}, workspace=tmp_path, run=run)
        assert step.code == 2
        assert "never pushed from the pull request of a fork" in step.errors[0]

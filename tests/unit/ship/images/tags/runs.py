"""Runs as GitHub starts them: environment and payload of each event, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ship.images.tags import Wanted, describe, facts_of
from ship.runner.context import Context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ship.images.tags import Facts, Metadata

SHA = "0123456789abcdef0123456789abcdef01234567"
HEAD = "f" * 40
COMMITTED = "2026-03-29T01:30:15+01:00"
# 2026-07-05 01:20:45 in UTC, a Sunday.
NOW = "1783214445"
CLOCK = {"SOURCE_DATE_EPOCH": NOW}
REPOSITORY = {
    "id": 1,
    "name": "Shop",
    "full_name": "Acme/Shop",
    "html_url": "https://github.com/Acme/Shop",
    "description": 'Sells <things> & "more"',
    "default_branch": "main",
    "license": {"key": "mit", "spdx_id": "MIT"},
}
COMMIT = {"id": SHA, "message": "Sell more", "timestamp": COMMITTED}
BASE: dict[str, Any] = {"repository": REPOSITORY, "sender": {"login": "octocat"}}
PULL_REQUEST = {
    **BASE,
    "action": "synchronize",
    "number": 7,
    "pull_request": {
        "number": 7,
        "head": {"ref": "patch-1", "sha": HEAD},
        "base": {"ref": "rel/1.x", "sha": "e" * 40},
    },
}


class Run(NamedTuple):
    event_name: str
    ref: str
    payload: Mapping[str, Any]

    def context(self, sha: str = SHA) -> Context:
        return Context(
            repository="Acme/Shop",
            sha=sha,
            ref=self.ref,
            event_name=self.event_name,
            payload=self.payload,
        )

    def facts(self, env: Mapping[str, str] | None = None) -> Facts:
        return facts_of(self.context(), CLOCK if env is None else env)


def push(ref: str, **payload: object) -> Run:
    return Run("push", ref, {**BASE, "ref": ref, "head_commit": COMMIT, **payload})


MAIN = push("refs/heads/main", commits=[COMMIT])
TAG = push("refs/tags/v1.2.3", base_ref="refs/heads/main")
RUNS = {
    "push to the default branch": MAIN,
    "push to another branch": push("refs/heads/dev", commits=[]),
    "push of a version": TAG,
    "push of a pre-release": push("refs/tags/v2.0.0-rc.1", base_ref=None),
    "push of another tag": push("refs/tags/20260705-fix"),
    "pull request": Run("pull_request", "refs/pull/7/merge", PULL_REQUEST),
    "pull request with the rights of its target": Run(
        "pull_request_target", "refs/heads/main", PULL_REQUEST
    ),
    "review": Run("pull_request_review", "refs/pull/7/merge", PULL_REQUEST),
    "schedule": Run(
        "schedule", "refs/heads/main", {"schedule": "0 3 * * *", "repository": REPOSITORY}
    ),
    # Some runners leave out all but the schedule.
    "schedule without its repository": Run(
        "schedule", "refs/heads/main", {"schedule": "0 3 * * *"}
    ),
    "release": Run(
        "release",
        "refs/tags/v1.2.3",
        {**BASE, "action": "published", "release": {"tag_name": "v1.2.3", "prerelease": False}},
    ),
    "run by hand": Run("workflow_dispatch", "refs/heads/main", {**BASE, "inputs": {"a": "b"}}),
    "run by hand on another branch": Run("workflow_dispatch", "refs/heads/dev", BASE),
    "run by hand on a tag": Run("workflow_dispatch", "refs/tags/v1.2.3", BASE),
    "run by another program": Run(
        "repository_dispatch", "refs/heads/main", {**BASE, "client_payload": {}}
    ),
    "branch was made": Run(
        "create", "refs/heads/dev", {**BASE, "ref": "dev", "ref_type": "branch"}
    ),
    "tag was made": Run("create", "refs/tags/v1.2.3", {**BASE, "ref": "v1.2.3", "ref_type": "tag"}),
    "merge queue": Run(
        "merge_group",
        "refs/heads/gh-readonly-queue/main/pr-7-abc",
        {**BASE, "merge_group": {"head_sha": SHA, "head_commit": COMMIT}},
    ),
    "another workflow ended": Run(
        "workflow_run", "refs/heads/main", {**BASE, "workflow_run": {"head_branch": "dev"}}
    ),
    "issue": Run("issues", "refs/heads/main", {**BASE, "action": "opened"}),
    "nothing but a ref": Run("push", "refs/heads/main", {}),
}


def described(
    tags: str = "x",
    run: Run = MAIN,
    *,
    flavor: str = "",
    labels: str = "",
    annotations: str = "",
    image: str = "ghcr.io/acme/shop",
    env: Mapping[str, str] | None = None,
    published: Sequence[str] | None = None,
) -> Metadata:
    wanted = Wanted(image, tags, flavor, labels, annotations)
    return describe(wanted, run.facts({**CLOCK, **(env or {})}), published)


def names(tags: str, run: Run = MAIN, *, flavor: str = "") -> tuple[str, ...]:
    return described(tags, run, flavor=flavor).tag_names


def label(text: str, run: Run = MAIN, *, env: Mapping[str, str] | None = None) -> str:
    """Return what becomes of the text of a label."""
    return described(labels=f"probe={text}", run=run, env=env).labels["probe"]

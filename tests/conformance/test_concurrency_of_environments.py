"""What becomes of pushes, tags, releases, rollbacks and a merge queue where there are environments.

The second table of docs/spec.md is held against the workflows themselves, as the first one is.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from conformance.event_stories import MAIN, PULL_REQUEST, USUAL, Story, tables, workflow_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.github_parser import GithubParser
    from conformance.github_queue import Job

pytestmark = pytest.mark.needs("npm")


class Environments(Story):
    """Events in a repository with environments: each deploy is named with where it goes."""

    case = "every-event"

    def __init__(self, parser: GithubParser, *, approves: bool = False) -> None:
        super().__init__(parser, approves=approves)
        self.rollback = workflow_of(f"{self.case}: rollback.yml")

    def deploys(self, label: str) -> Iterator[tuple[str, Job]]:
        for name, job in self.runs[label].jobs.items():
            kind, _, environment = name.partition("-")
            if kind in ("deploy", "rollback"):
                yield f"{label} to {environment}" if kind == "deploy" else label, job

    def end_build(self, label: str) -> None:
        deploys = [job for _, job in self.deploys(label)]
        for job in self.runs[label].jobs.values():
            if job.state == "running" and not any(job is one for one in deploys):
                job.succeed()

    def by_hand(self, label: str, environment: str, ref: str = MAIN) -> None:
        """Let a person start a run for an environment, and its build end."""
        run = self.repository.start(
            self.workflow, "workflow_dispatch", ref, environment=environment
        )
        self.runs[label] = run
        self.end_build(label)

    def roll_back(self, label: str, environment: str) -> None:
        """Let a person put a release back."""
        run = self.repository.start(
            self.rollback, "workflow_dispatch", MAIN, environment=environment, release="previous"
        )
        self.runs[label] = run

    def job(self, label: str, environment: str) -> Job:
        return self.runs[label].jobs[f"deploy-{environment}"]


def a_push(story: Environments) -> None:
    story.build("push 1")


def a_push_and_its_deploy(story: Environments) -> None:
    story.build("push 1")
    story.job("push 1", "staging").succeed()


def a_deploy_that_fails(story: Environments) -> None:
    story.build("push 1")
    story.job("push 1", "staging").fail()


def pushes_on_their_way(story: Environments) -> None:
    a_push_and_its_deploy(story)
    story.build("push 2")
    story.build("push 3")


def a_tag(story: Environments) -> None:
    story.build("push 1")
    story.build("tag v1", ref="refs/tags/v1")


def a_release(story: Environments) -> None:
    story.build("release 1", "release", "refs/tags/v1")
    story.build("release 2", "release", "refs/tags/v2")


def as_a_push(story: Environments) -> None:
    story.build("push 1")
    story.by_hand("by hand", "as a push")


def to_production(story: Environments) -> None:
    story.build("release 1", "release", "refs/tags/v1")
    story.by_hand("by hand", "production")


def a_rollback(story: Environments) -> None:
    story.build("release 1", "release", "refs/tags/v1")
    story.roll_back("the rollback", "production")


def a_push_during_a_rollback(story: Environments) -> None:
    story.roll_back("the rollback", "staging")
    story.build("push 1")
    story.build("push 2")


def two_rollbacks(story: Environments) -> None:
    story.roll_back("rollback 1", "production")
    story.roll_back("rollback 2", "production")


def a_queue(story: Environments) -> None:
    story.build("push 1")
    for number in (1, 2):
        ref = f"refs/heads/gh-readonly-queue/main/pr-{number}-0123"
        story.begin(f"group {number}", "merge_group", ref)


def pull_requests(story: Environments) -> None:
    story.roll_back("the rollback", "production")
    story.begin("commit 1", "pull_request", PULL_REQUEST)
    story.begin("commit 2", "pull_request", PULL_REQUEST)


# Those of the second table, whose spec has four environments.
OF_ENVIRONMENTS: dict[str, tuple[Callable[[Environments], None], bool]] = {
    "push 1 to `main`": (a_push, False),
    "push 1 is on staging": (a_push_and_its_deploy, False),
    "the deploy of push 1 to staging fails": (a_deploy_that_fails, False),
    "pushes 2 and 3 while push 1 is deployed to qa": (pushes_on_their_way, False),
    "tag v1 while push 1 is deployed to staging": (a_tag, False),
    "release 2 while release 1 is deployed": (a_release, False),
    "release 2 while release 1 waits for an approval": (a_release, True),
    "a run by hand of `main`, as a push, while push 1 is deployed": (as_a_push, False),
    "a run by hand for production while release 1 waits for an approval": (to_production, True),
    "a rollback by hand while release 1 is deployed": (a_rollback, False),
    "a rollback by hand while release 1 waits for an approval": (a_rollback, True),
    "pushes 1 and 2 while staging is rolled back": (a_push_during_a_rollback, False),
    "pushes 1 and 2 while a rollback of staging waits for an approval": (
        a_push_during_a_rollback,
        True,
    ),
    "a second rollback by hand while the first goes on": (two_rollbacks, False),
    "groups 1 and 2 of a merge queue while push 1 is deployed": (a_queue, False),
    "commit 2 of a pull request while commit 1 is built, during a rollback": (
        pull_requests,
        False,
    ),
}


@pytest.mark.parametrize("happens", OF_ENVIRONMENTS)
def test_the_table_of_environments_says_what_the_workflows_do(
    happens: str, github_parser: GithubParser
) -> None:
    tell, approves = OF_ENVIRONMENTS[happens]
    story = Environments(github_parser, approves=approves)
    tell(story)
    assert story.row() == tables()[1][happens]


def test_the_table_has_no_row_that_is_not_shown() -> None:
    assert set(tables()[1]) == set(OF_ENVIRONMENTS)


@pytest.mark.parametrize("seed", range(10))
def test_no_deploy_and_no_rollback_is_ever_dropped_or_kept_waiting(
    seed: int, github_parser: GithubParser
) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    story = Environments(github_parser, approves=chance.random() < 0.5)
    for number in range(12):
        label = f"run {number}"
        match chance.choice(("push", "release", "tag", "by hand", "rollback", "pull request")):
            case "push":
                story.build(label)
            case "release":
                story.build(label, "release", f"refs/tags/v{number}")
            case "tag":
                story.build(label, ref=f"refs/tags/v{number}")
            case "by hand":
                story.by_hand(label, chance.choice(("as a push", "production")))
            case "rollback":
                story.roll_back(label, chance.choice(("staging", "qa", "demo", "production")))
            case _:
                story.build(label, "pull_request", PULL_REQUEST)
        story.repository.start(USUAL, "push", MAIN)
    for label, run in story.runs.items():
        if run.contexts["github"]["event_name"] != "pull_request":
            assert run.state != "pending"
            assert not {job.state for _, job in story.deploys(label)} & {"pending", "dropped"}

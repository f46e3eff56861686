"""What rendered workflows build, deploy, keep waiting and drop is what docs/spec.md says.

The table there is held against the workflows themselves, in a model of GitHub's rules, and with
GitHub's own evaluator of expressions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from conformance.github_queue import MOST_PENDING, Group, Repository, Run
from conformance.subjects import ROOT, Subject, rendered

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.github_parser import GithubParser

pytestmark = pytest.mark.needs("npm")

MAIN, RELEASE, OTHER = "refs/heads/main", "refs/heads/release/2026-11", "refs/heads/try"
PULL_REQUEST = "refs/pull/7/merge"
# The most that GitHub takes as the name of a group (seen in cilium/cilium#18201).
LONGEST_GROUP = 400
COLUMNS = ("is built", "is deployed", "waits", "is dropped")
# What hundreds of repositories have beside ours: the same name, and the usual groups.
USUAL = {
    "name": "Build and deploy",
    "concurrency": {
        "group": "${{ github.workflow }}-${{ github.ref }}",
        "cancel-in-progress": True,
    },
    "jobs": {
        "deploy": {"concurrency": {"group": "deploy-production", "cancel-in-progress": True}},
        "production": {"concurrency": {"group": "production", "cancel-in-progress": True}},
    },
}


class Story:
    """Events in a repository, in the order in which they happen, and what became of each run."""

    def __init__(self, parser: GithubParser, *, approves: bool = False) -> None:
        # It deploys from two of these branches.
        (subject,) = (each for each in rendered() if each.name.endswith("several-branches"))
        self.workflow: dict[str, Any] = subject.document
        self.repository = Repository(parser.evaluate, approves=approves)
        self.runs: dict[str, Run] = {}

    def begin(self, label: str, event: str = "push", ref: str = MAIN) -> Run:
        """Let an event happen; nothing has ended yet."""
        self.runs[label] = self.repository.start(self.workflow, event, ref)
        return self.runs[label]

    def build(self, label: str, event: str = "push", ref: str = MAIN) -> Run:
        """Let an event happen, and its build end, if it has begun."""
        run = self.begin(label, event, ref)
        self.end_build(label)
        return run

    def again(self, label: str, earlier: str) -> Run:
        """Start a run again that has ended, and let its build end, if it has begun."""
        self.runs[label] = self.repository.start_again(self.runs[earlier])
        self.end_build(label)
        return self.runs[label]

    def end_build(self, label: str) -> None:
        for name, job in self.runs[label].jobs.items():
            if name != "deploy" and job.state == "running":
                job.succeed()

    def deployed(self, label: str) -> None:
        """Let a deploy end that is going on."""
        self.runs[label].jobs["deploy"].succeed()

    def row(self) -> dict[str, str]:
        """Return what the table says."""
        found: dict[str, list[str]] = {column: [] for column in COLUMNS}
        for label, run in self.runs.items():
            deploy = run.jobs["deploy"].state
            build = [job.state for name, job in run.jobs.items() if name != "deploy"]
            built = "succeeded" in build or "running" in build
            if built:
                found["is built"].append(label)
            if deploy in ("running", "succeeded"):
                found["is deployed"].append(label)
            if run.state == "pending" or deploy in ("pending", "waiting for approval"):
                found["waits"].append(f"the deploy of {label}" if built else label)
            if deploy == "dropped" or "dropped" in build:
                found["is dropped"].append(f"the deploy of {label}" if built else label)
        return {column: ", ".join(labels) or "nothing" for column, labels in found.items()}


def one_push(story: Story) -> None:
    story.build("push 1")


def pushes_while_a_deploy_is_going_on(story: Story) -> None:
    for number in (1, 2, 3):
        story.build(f"push {number}")


def pushes_while_a_build_is_going_on(story: Story) -> None:
    for number in (1, 2, 3):
        story.begin(f"push {number}")


def the_later_is_built_first(story: Story) -> None:
    story.build("push 1")
    story.begin("push 2")
    story.build("push 3")
    story.end_build("push 2")


def pushes_to_two_branches(story: Story) -> None:
    story.build("push 1")
    story.build("push 2")
    story.build("the other branch", ref=RELEASE)


def nobody_approves(story: Story) -> None:
    pushes_while_a_deploy_is_going_on(story)


def by_hand_between_pushes(story: Story) -> None:
    story.build("push 1")
    story.build("by hand", "workflow_dispatch")
    story.build("push 2")
    story.build("push 3")


def by_hand_while_a_deploy_waits(story: Story) -> None:
    story.build("push 1")
    story.build("push 2")
    story.build("by hand", "workflow_dispatch")


def an_old_run_again(story: Story) -> None:
    story.build("push 1")
    story.deployed("push 1")
    story.build("push 2")
    story.build("push 3")
    story.again("push 1 again", "push 1")


def by_hand_on_another_branch(story: Story) -> None:
    story.build("push 1")
    story.build("by hand", "workflow_dispatch", OTHER)


def a_pull_request(story: Story) -> None:
    story.build("push 1")
    story.begin("commit 1", "pull_request", PULL_REQUEST)
    story.begin("commit 2", "pull_request", PULL_REQUEST)


def a_pull_request_again(story: Story) -> None:
    story.build("commit 1", "pull_request", PULL_REQUEST)
    story.begin("commit 2", "pull_request", PULL_REQUEST)
    story.again("commit 1 again", "commit 1")


def another_workflow(story: Story) -> None:
    story.build("push 1")
    story.build("push 2")
    story.repository.start(USUAL, "push", MAIN)


# What happens, as the table has it.
STORIES: dict[str, Callable[[Story], None]] = {
    "push 1 to a branch of `on`": one_push,
    "pushes 2 and 3 while push 1 is built": pushes_while_a_build_is_going_on,
    "pushes 2 and 3 while push 1 is deployed": pushes_while_a_deploy_is_going_on,
    "pushes 2 and 3 while push 1 waits for an approval": nobody_approves,
    "push 2, and a push to another branch of `on`, while push 1 is deployed": (
        pushes_to_two_branches
    ),
    "pushes 2 and 3 while push 1 is deployed, and push 3 is built first": the_later_is_built_first,
    "a run by hand, then pushes 2 and 3, while push 1 is deployed": by_hand_between_pushes,
    "push 2, then a run by hand, while push 1 is deployed": by_hand_while_a_deploy_waits,
    "push 1, which was deployed, is run again while push 2 is deployed and push 3 waits": (
        an_old_run_again
    ),
    "a run by hand on a branch that is not one of `on`": by_hand_on_another_branch,
    "commit 2 of a pull request while commit 1 is built": a_pull_request,
    "commit 1 of a pull request is run again while commit 2 is built": a_pull_request_again,
    "another workflow with the usual groups, which cancels what is going on": another_workflow,
}
WAITS_FOR_APPROVAL = (nobody_approves,)


def table() -> dict[str, dict[str, str]]:
    """Return the table of docs/spec.md by what happens."""
    text = (ROOT / "docs" / "spec.md").read_text("utf-8")
    head = f"| what happens | {' | '.join(COLUMNS)} |\n"
    assert head in text
    rows = re.match(r"(?:\|.*\n)*", text.partition(head)[2])
    assert rows
    cells = [line.strip("| ").split(" | ") for line in rows[0].splitlines()[1:]]
    return {first: dict(zip(COLUMNS, rest, strict=True)) for first, *rest in cells}


@pytest.mark.parametrize("happens", STORIES)
def test_the_table_of_events_says_what_the_workflow_does(
    happens: str, github_parser: GithubParser
) -> None:
    tell = STORIES[happens]
    story = Story(github_parser, approves=tell in WAITS_FOR_APPROVAL)
    tell(story)
    assert story.row() == table()[happens]


def test_the_table_has_no_row_that_is_not_shown() -> None:
    assert set(table()) == set(STORIES)


def test_every_push_is_built_however_fast_they_come(github_parser: GithubParser) -> None:
    story = Story(github_parser, approves=True)
    for number in range(20):
        story.begin(f"push {number}")
    assert all(run.jobs["build"].state == "running" for run in story.runs.values())


def test_the_newest_push_is_deployed_in_the_end(github_parser: GithubParser) -> None:
    story = Story(github_parser)
    for number in range(5):
        story.build(f"push {number}")
    story.deployed("push 0")
    assert story.runs["push 4"].jobs["deploy"].state == "running"


def test_a_rejected_deploy_lets_the_newest_ask(github_parser: GithubParser) -> None:
    story = Story(github_parser, approves=True)
    for number in (1, 2, 3):
        story.build(f"push {number}")
    story.runs["push 1"].jobs["deploy"].drop()
    assert story.runs["push 3"].jobs["deploy"].state == "waiting for approval"


@pytest.mark.parametrize("event", ["push", "workflow_dispatch", "pull_request"])
@pytest.mark.parametrize("subject", rendered(), ids=lambda each: str(each.name))
def test_no_deploy_is_ever_cancelled_by_a_group(
    subject: Subject, event: str, github_parser: GithubParser
) -> None:
    for job in subject.document["jobs"].values():
        if "environment" in job:
            assert job["concurrency"]["cancel-in-progress"] is False
            cancels = subject.document["concurrency"]["cancel-in-progress"]
            said = github_parser.evaluate(cancels, {"github": {"event_name": event}})
            assert said == str(event == "pull_request").lower()


def groups(subject: Subject, parser: GithubParser, event: str, ref: str) -> list[str]:
    """Return the groups of a run and of its jobs."""
    document = subject.document
    found = [document["concurrency"]["group"]]
    found += [
        each["concurrency"]["group"] for each in document["jobs"].values() if "concurrency" in each
    ]
    github = {"event_name": event, "ref": ref, "run_id": "9" * 12, "run_attempt": "1"}
    return [parser.evaluate(each, {"github": github}) for each in found]


@pytest.mark.parametrize("subject", rendered(), ids=lambda each: str(each.name))
def test_a_run_and_its_jobs_have_groups_of_their_own(
    subject: Subject, github_parser: GithubParser
) -> None:
    for event in ("push", "workflow_dispatch", "pull_request"):
        names = groups(subject, github_parser, event, MAIN)
        assert len({each.lower() for each in names}) == len(names)
        assert all(each.startswith("gen-workflow ") for each in names)


def test_the_model_drops_what_is_pending_and_keeps_what_queues() -> None:
    group = Group()
    state: dict[str, str] = {}

    class One:
        def __init__(self, name: str) -> None:
            self.name = name
            self.group: Group | None = group

        def begin(self) -> None:
            state[self.name] = "running"

        def drop(self) -> None:
            state[self.name] = "dropped"
            group.leave(self)

    for name in "abc":
        group.join(One(name), cancels=False, queues=False)
    assert state == {"a": "running", "b": "dropped"}
    group.join(One("d"), cancels=True, queues=False)
    assert state == {"a": "dropped", "b": "dropped", "c": "dropped", "d": "running"}
    for number in range(MOST_PENDING + 1):
        group.join(One(str(number)), cancels=False, queues=True)
    assert state.get("0") is None, "it waits"
    assert state[str(MOST_PENDING)] == "dropped", "there was no room"

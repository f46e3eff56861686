"""What rendered workflows build, deploy and drop, and what waits, is what docs/spec.md says.

The table there is held against the workflows themselves, in a model of GitHub's rules, and with
GitHub's own evaluator of expressions.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from conformance.event_stories import MAIN, OTHER, PULL_REQUEST, RELEASE, USUAL, Story, tables
from conformance.github_queue import MOST_PENDING, Group
from conformance.subjects import Subject, rendered

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.github_parser import GithubParser

pytestmark = pytest.mark.needs("npm")

EVENTS = (
    ("push", (MAIN, RELEASE)),
    ("workflow_dispatch", (MAIN, OTHER)),
    ("pull_request", (PULL_REQUEST,)),
)


def one_push(story: Story) -> None:
    story.build("push 1")


def pushes_while_a_build_goes_on(story: Story) -> None:
    for number in (1, 2, 3):
        story.begin(f"push {number}")


def pushes_while_a_deploy_goes_on(story: Story) -> None:
    for number in (1, 2, 3):
        story.build(f"push {number}")


def a_push_to_another_branch(story: Story) -> None:
    story.build("push 1")
    story.build("push 2")
    story.build("the other branch", ref=RELEASE)


def by_hand_between_pushes(story: Story) -> None:
    story.build("push 1")
    story.build("by hand", "workflow_dispatch")
    story.build("push 2")


def by_hand_on_another_branch(story: Story) -> None:
    story.build("by hand", "workflow_dispatch", OTHER)


def an_old_run_again(story: Story) -> None:
    story.build("push 1")
    story.deployed("push 1")
    story.build("push 2")
    story.again("push 1 again", "push 1")


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
    story.begin("push 2")
    story.repository.start(USUAL, "push", MAIN)


# By what happens, as the table says it: the events, and whether deploys need an approval.
STORIES: dict[str, tuple[Callable[[Story], None], bool]] = {
    "push 1 to a branch of `on`": (one_push, False),
    "pushes 2 and 3 while push 1 is built": (pushes_while_a_build_goes_on, False),
    "pushes 2 and 3 while push 1 is deployed": (pushes_while_a_deploy_goes_on, False),
    "pushes 2 and 3 while push 1 waits for an approval": (pushes_while_a_deploy_goes_on, True),
    "push 2 and a push to another branch of `on` while push 1 is deployed": (
        a_push_to_another_branch,
        False,
    ),
    "a run by hand, and then push 2, while push 1 is deployed": (by_hand_between_pushes, False),
    "a run by hand of a branch that is not one of `on`": (by_hand_on_another_branch, False),
    "push 1 is run again while push 2 is deployed": (an_old_run_again, False),
    "commit 2 of a pull request while commit 1 is built and push 1 is deployed": (
        a_pull_request,
        False,
    ),
    "commit 1 of a pull request is run again while commit 2 is built": (
        a_pull_request_again,
        False,
    ),
    "another workflow, of the same name and with the usual groups, cancels what goes on": (
        another_workflow,
        False,
    ),
}


@pytest.mark.parametrize("happens", STORIES)
def test_the_table_of_events_says_what_the_workflow_does(
    happens: str, github_parser: GithubParser
) -> None:
    tell, approves = STORIES[happens]
    story = Story(github_parser, approves=approves)
    tell(story)
    assert story.row() == tables()[0][happens]


def test_the_table_has_no_row_that_is_not_shown() -> None:
    assert set(tables()[0]) == set(STORIES)


@pytest.mark.parametrize("seed", range(20))
def test_no_push_and_no_run_by_hand_is_ever_dropped_or_kept_waiting(
    seed: int, github_parser: GithubParser
) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    story = Story(github_parser, approves=chance.random() < 0.5)
    begun: list[str] = []
    for number in range(12):
        earlier = [each for each in begun if story.runs[each].state == "ended"]
        label = f"run {number}"
        if earlier and chance.random() < 0.3:
            story.again(label, chance.choice(earlier))
        else:
            event, refs = chance.choice(EVENTS)
            story.begin(label, event, chance.choice(refs))
        begun.append(label)
        story.end_build(chance.choice(begun))
        story.repository.start(USUAL, "push", MAIN)
    for run in story.runs.values():
        if run.contexts["github"]["event_name"] != "pull_request":
            states = {job.state for job in run.jobs.values()}
            assert run.state != "pending"
            assert not states & {"pending", "dropped"}


@pytest.mark.parametrize("subject", rendered(), ids=lambda each: str(each.name))
def test_only_the_older_builds_of_a_pull_request_are_cancelled(
    subject: Subject, github_parser: GithubParser
) -> None:
    if "workflow_call" in subject.document["on"]:
        assert "concurrency" not in subject.document  # it is a part of the run that calls it
        return
    concurrency, events = subject.document["concurrency"], subject.document["on"]
    if subject.file.endswith("/cleanup.yml"):  # it deploys nothing, and is not safe beside itself
        assert concurrency == {"group": "gen-workflow cleanup", "cancel-in-progress": False}
        return
    cancels = concurrency["cancel-in-progress"]
    assert not [job for job in subject.document["jobs"].values() if "concurrency" in job]
    for event, refs in EVENTS:
        for attempt in ("1", "2") if event in events else ():
            github = {"event_name": event, "ref": refs[0], "run_id": "5", "run_attempt": attempt}
            group = github_parser.evaluate(concurrency["group"], {"github": github})
            shared = (event, attempt) == ("pull_request", "1")
            assert group == f"gen-workflow {refs[0] if shared else '5'}"
            expected = str(event == "pull_request").lower()
            if cancels is not False:
                assert github_parser.evaluate(cancels, {"github": github}) == expected
            else:
                assert event != "pull_request"


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

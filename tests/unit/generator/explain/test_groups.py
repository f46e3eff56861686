"""What a concurrency group means for runs that go on and that wait, in words."""

from __future__ import annotations

from typing import Any

import pytest

from gen_workflow.explain import events, groups, jobs
from gen_workflow.expressions.evaluate import Evaluator


def says(concurrency: Any, event: events.Event = events.push("main")) -> str:  # noqa: B008 - a record
    return groups.says(concurrency, Evaluator(jobs.contexts(event, {})), "the run")


def _one_at_a_time(group: str) -> str:
    return (
        f"the run waits while another one of the group '{group}' goes on; a newer one takes "
        "the place of one that waits, which GitHub cancels"
    )


@pytest.mark.parametrize(
    ("concurrency", "words"),
    [
        (None, ""),
        (
            "deploy",
            _one_at_a_time("deploy"),
        ),
        (
            {"group": "x-${{ github.ref }}", "cancel-in-progress": True},
            "the run cancels an older one of the group 'x-refs/heads/main' that goes on or waits",
        ),
        (
            {"group": "x", "cancel-in-progress": "${{ github.ref != 'refs/heads/main' }}"},
            _one_at_a_time("x"),
        ),
        (
            {"group": "x", "queue": "max"},
            "the run waits its turn in the group 'x': up to 100 wait, first in, first out",
        ),
        (
            {"group": "x ${{ github.run_id }}"},
            "the run is alone in its group: it waits for no other, and none cancels it",
        ),
        (
            {"group": "${{ vars.GROUP }}"},
            "which group the run is in depends on the variable GROUP",
        ),
        (
            {"group": "${{ nope }}"},
            "its group cannot be read: there is no context 'nope' here",
        ),
    ],
)
def test_a_group_is_said_in_words(concurrency: Any, words: str) -> None:
    assert says(concurrency) == words


def test_the_runs_of_one_pull_request_share_a_group() -> None:
    group = "${{ github.event_name == 'pull_request' && github.ref || github.run_id }}"
    cancels = "${{ github.event_name == 'pull_request' }}"
    concurrency = {"group": group, "cancel-in-progress": cancels}
    assert "alone" in says(concurrency)
    said = says(concurrency, events.pull_request("main", number="7"))
    assert "'refs/pull/7/merge'" in said
    assert said.startswith("the run cancels an older one")

"""What the central workflow does for the runs of the repositories that call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.explain import events
from gen_workflow.explain.jobs import RUNS, verdicts
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import as_data

if TYPE_CHECKING:
    from pathlib import Path

    from gen_workflow.explain.events import Event


@pytest.mark.parametrize(
    ("event", "job"),
    [
        (events.push("main"), "build"),
        (events.tag("v1"), "build"),
        (events.pull_request("main"), "check"),
        (events.merge_group("main"), "check"),
    ],
    ids=["push", "tag", "pull-request", "merge-queue"],
)
def test_only_what_is_in_a_branch_is_built_by_the_job_that_may_push(
    event: Event, job: str, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    spec = load(b"image: .\nmode: central\n", "gen-workflow.yml", str(tmp_path))
    (workflow,) = pipeline.workflows(spec, table())
    found = verdicts(as_data(workflow)["jobs"], event, {})
    assert [one.job for one in found if one.runs == RUNS] == [job]

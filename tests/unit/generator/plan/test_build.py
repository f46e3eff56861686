"""The jobs that build: which there are, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import Job

if TYPE_CHECKING:
    from unit.generator.conftest import Repository


@pytest.mark.parametrize(
    ("on", "anchors"),
    [
        ("{pull-request: false}", ("",)),
        ("{pull-request: false, merge-queue: true}", ("build", "")),
        ("main", ("build", "")),
    ],
)
def test_steps_have_an_anchor_only_where_another_job_has_them(
    on: str, anchors: tuple[str, ...], repository: Repository
) -> None:
    spec = load(f"image: .\non: {on}\n".encode(), "gen-workflow.yml", str(repository.folder))
    (workflow,) = pipeline.workflows(spec, table())
    assert tuple(job.anchor for job in workflow.jobs if isinstance(job, Job)) == anchors

"""Finds ids of a user's steps that another step of the job has: GitHub runs no such workflow.

"The identifier 'push' may not be used more than once within the same scope", in any case: the
converter of npm @actions/workflow-parser (model/converter/id-builder.js).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gen_workflow.plan.limits import Excess
from gen_workflow.plan.reads import place_of
from gen_workflow.workflow.records import RawStep, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_workflow.spec.declaration import Spec
    from gen_workflow.workflow.records import Workflow


def wrong(spec: Spec, workflows: Sequence[Workflow]) -> Iterator[Excess]:
    """Yield each id of a step of a user that is there twice in its job."""
    for job in (job for workflow in workflows for job in workflow.jobs):
        ids = Counter(_id(step).lower() for step in job.steps)
        for step in job.steps:
            name = _id(step)
            if isinstance(step, RawStep) and name and ids[name.lower()] > 1:
                what = f"two steps of the job have the id {name!r}"
                yield Excess(place_of(step, job, spec), what, "choose another id", name)


def _id(step: Step | RawStep) -> str:
    return step.id if isinstance(step, Step) else str(dict(step.content).get("id", ""))

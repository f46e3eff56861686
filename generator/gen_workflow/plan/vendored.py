"""Our actions as a copy in the repository: which of them are used, and how a job gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.pins.table import CHECKOUT
from gen_workflow.plan.frame import CONTENTS
from gen_workflow.workflow.records import RawStep, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_workflow.plan.frame import Frame
    from gen_workflow.workflow.records import Job, Workflow

_CONTENTS = CONTENTS._replace(reason="check the actions out")


def used(workflows: Iterable[Workflow], folder: str) -> tuple[str, ...]:
    """Return the names of the actions of a folder that workflows use, sorted."""
    steps = (step for workflow in workflows for job in workflow.jobs for step in job.steps)
    return tuple(sorted({name for step in steps if (name := _of(step, folder))}))


def with_actions(job: Job, frame: Frame) -> Job:
    """Return a job that checks the copy out before anything else, if it has to and does not yet.

    It is the first step, so that a checkout of the steps of a user comes later: that one brings the
    whole repository, and the copy with it.
    """
    uses = [_of(step, frame.folder) for step in job.steps]
    if not any(uses) or frame.checkout() in job.steps:
        return job
    held = {one.scope for one in job.permissions}
    contents = () if CONTENTS.scope in held else (_CONTENTS,)
    return job._replace(
        steps=(_checkout(frame), *job.steps), permissions=(*contents, *job.permissions)
    )


def _checkout(frame: Frame) -> Step:
    """Return the step that brings the copy, and no other file of the repository."""
    inputs = (
        ("persist-credentials", False),
        ("sparse-checkout", f"/{frame.folder}/"),
        ("sparse-checkout-cone-mode", False),
    )
    return Step("Check out the actions", uses=frame.uses(CHECKOUT), inputs=inputs)


def _of(step: Step | RawStep, folder: str) -> str:
    """Return the name of the action of a folder that a step uses; empty for any other step."""
    if isinstance(step, RawStep):
        reference = str(dict(step.content).get("uses", ""))
    else:
        reference = step.uses.reference if step.uses else ""
    inside, _, name = reference.rpartition("/")
    return name if inside == f"./{folder}" else ""

"""The workflow that a person starts to put a release back, without building anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.pins.table import CHECKOUT
from gen_workflow.plan import deploy, needs
from gen_workflow.workflow.records import (
    Concurrency,
    Dispatch,
    Input,
    Job,
    Step,
    Triggers,
    Workflow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment

PATH = ".github/workflows/rollback.yml"
# A group of its own for each run: a push must not take the place of a rollback that waits.
_GROUP = Concurrency(
    "gen-workflow ${{ github.run_id }}", cancel_in_progress=False, cancelled="a run is alone here"
)
_RELEASE = Input(
    id="release",
    description="Release to put back: previous, a digest (sha256:...) or a tag",
    type="string",
    default="previous",
)
# A rollback runs an image that is known, with the files that its host has; it migrates nothing.
_LEFT_OUT = ("image", "images", "files", "env-file", "before", "after")


def workflow(spec: Spec, frame: Frame) -> Workflow:
    """Return the workflow: for each environment a job, of which a run has the one chosen."""
    targets = spec.targets
    environment = Input(
        id="environment",
        description="Where to put the release back",
        type="choice",
        required=True,
        options=tuple(one.key for one in targets),
    )
    several = (environment,) if len(targets) > 1 else ()
    return Workflow(
        name="Roll back",
        on=Triggers(workflow_dispatch=Dispatch((*several, _RELEASE))),
        concurrency=_GROUP,
        jobs=tuple(_job(spec, one, frame) for one in targets),
        needs=needs.of_deploys(spec),
        path=PATH,
    )


def _job(spec: Spec, target: Environment, frame: Frame) -> Job:
    work = deploy.work_of(spec, target, frame)
    name = deploy.job_for(spec, target.key).replace("deploy", "rollback", 1)
    several = len(spec.targets) > 1
    return Job(
        id=name,
        name=f"Roll back {target.key}",
        origin=deploy.origin_of(spec, target),
        condition=f"inputs.environment == '{target.key}'" if several else "",
        runs_on=frame.runner,
        timeout_minutes=work.minutes,
        permissions=tuple(one for one in work.permissions if one.scope != "contents"),
        environment=deploy.environment_of(target),
        order=work.order,
        steps=tuple(_steps(work.steps)),
    )


def _steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield the steps of a deploy without what it brings, and with the release to put back."""
    for step in steps:
        name = step.uses.reference if step.uses else ""
        if "/actions/ssh-deploy@" in name:
            kept = tuple(pair for pair in step.inputs if pair[0] not in _LEFT_OUT)
            inputs = (*kept, ("rollback", "${{ inputs.release }}"))
            yield step._replace(name="Put the release back", inputs=inputs)
        elif not name.startswith(f"{CHECKOUT}@"):
            yield step

"""The whole workflow of a spec: its jobs, its triggers, and what its header lists as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.pins.table import CHECKOUT, OURS
from gen_workflow.plan import build, deploy, groups, needs
from gen_workflow.workflow.records import Pin, Push, Triggers, Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.spec.declaration import Spec


def workflow(spec: Spec, pins: Mapping[str, Pin]) -> Workflow:
    """Return the workflow for a spec, with actions at the commits of the pins."""
    ours = Pin(*spec.actions.remote) if spec.actions.remote else pins[OURS]
    jobs = [build.job(spec.image, pins[CHECKOUT], ours)]
    if spec.deploy:
        jobs.append(deploy.job(spec, spec.deploy, ours))
    return Workflow(
        name="Build and deploy" if spec.deploy else "Build",
        # GitHub's filter of branches would take `+` for a repetition.
        on=Triggers(Push(tuple(name.replace("+", r"\+") for name in spec.on))),
        concurrency=groups.of_run(),
        jobs=tuple(jobs),
        needs=needs.of(spec),
    )

"""The whole workflow of a spec: its jobs, its triggers, and what its header lists as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.pins.table import CHECKOUT, OURS
from gen_workflow.plan import build, deploy, needs
from gen_workflow.workflow.records import Concurrency, Pin, Push, Triggers, Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.spec.declaration import Spec

# GitHub lets one run of a group go on and one wait, and a newer one takes the place of the one that
# waits, in all workflows of the repository. So the name begins with a word of ours, and only the
# first attempts for a pull request share a group. Deploys have none: a group knows which deploy
# began to wait last, not which commit is newer, and one that nobody approves would hold it. They
# wait for each other at the lock of the host. docs/spec.md says what follows for each event.
_SHARED = "github.event_name == 'pull_request' && github.run_attempt == 1 && github.ref"
_GROUP = Concurrency(
    f"gen-workflow ${{{{ {_SHARED} || github.run_id }}}}",
    "${{ github.event_name == 'pull_request' }}",
    "the older build of a pull request; any other run is alone in its group",
)


def workflow(spec: Spec, pins: Mapping[str, Pin]) -> Workflow:
    """Return the workflow for a spec, with actions at the commits of the pins."""
    ours = Pin(*spec.actions.remote) if spec.actions.remote else pins[OURS]
    jobs = build.jobs(spec.image, pins[CHECKOUT], ours)
    if spec.deploy:
        jobs.append(deploy.job(spec, spec.deploy, pins, ours))
    return Workflow(
        name="Build and deploy" if spec.deploy else "Build",
        # GitHub's filter of branches would take `+` for a repetition.
        on=Triggers(Push(tuple(name.replace("+", r"\+") for name in spec.on))),
        concurrency=_GROUP,
        jobs=tuple(jobs),
        needs=needs.of(spec),
    )

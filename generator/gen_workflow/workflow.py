"""A GitHub workflow as data; nothing here knows YAML or templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gen_workflow.pins import Uses

Scalar = str | int | bool
Values = tuple[tuple[str, Scalar], ...]


class Permission(NamedTuple):
    """One permission of the token of a job, and why the job needs it."""

    scope: str
    level: str
    reason: str


class Step(NamedTuple):
    """A step that runs an action."""

    name: str
    uses: Uses
    id: str = ""
    inputs: Values = ()
    env: Values = ()


class Job(NamedTuple):
    """A job; the empty string and the empty tuple mean that it does not say so."""

    id: str
    name: str
    timeout_minutes: int
    permissions: tuple[Permission, ...]
    steps: tuple[Step, ...]
    runs_on: str = "ubuntu-24.04"
    needs: str = ""
    condition: str = ""
    environment: str = ""
    concurrency: str = ""
    outputs: Values = ()


class Need(NamedTuple):
    """A variable or secret that somebody must create, or may, and what it is for."""

    name: str
    purpose: str
    optional: bool = False


class Needs(NamedTuple):
    """What must exist in one place of GitHub's settings."""

    place: str
    variables: tuple[Need, ...]
    secrets: tuple[Need, ...]


class Workflow(NamedTuple):
    """The whole workflow, with what its header tells about it.

    `branches` are filters: GitHub takes `+` for a repetition there unless a backslash is before it.
    """

    name: str
    branches: tuple[str, ...]
    jobs: tuple[Job, ...]
    needs: tuple[Needs, ...] = ()
    group: str = "${{ github.workflow }}-${{ github.ref }}"
    cancel: str = "${{ github.event_name == 'pull_request' }}"

    def as_data(self) -> dict[str, Any]:
        """Return what a reader of the rendered YAML must find."""
        return {
            "name": self.name,
            "on": {
                "push": {"branches": list(self.branches)},
                "pull_request": None,
                "workflow_dispatch": None,
            },
            "permissions": {},
            "concurrency": {"group": self.group, "cancel-in-progress": self.cancel},
            "jobs": {job.id: _job(job) for job in self.jobs},
        }


def _job(job: Job) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": job.name,
        "needs": job.needs,
        "if": job.condition,
        "runs-on": job.runs_on,
        "timeout-minutes": job.timeout_minutes,
        "permissions": {one.scope: one.level for one in job.permissions},
        "environment": job.environment,
        "outputs": dict(job.outputs),
        "steps": [_step(step) for step in job.steps],
    }
    if job.concurrency:
        data["concurrency"] = {"group": job.concurrency, "cancel-in-progress": False}
    return {key: value for key, value in data.items() if value not in ("", {})}


def _step(step: Step) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": step.name,
        "id": step.id,
        "uses": step.uses.reference,
        "with": dict(step.inputs),
        "env": dict(step.env),
    }
    return {key: value for key, value in data.items() if value not in ("", {})}

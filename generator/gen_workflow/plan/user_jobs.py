"""The jobs that a user has written, beside those that are rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_workflow.plan import of_user
from gen_workflow.workflow.records import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.plan.inputs import Given
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.jobs import UserJob

# Keys that a job has as fields of its record; the others stay as they were written.
_FIELDS = {"if": "condition", "runs-on": "runs_on", "timeout-minutes": "timeout_minutes"}
_PAIRS = {"outputs": "outputs", "with": "inputs", "secrets": "secrets"}


def jobs(spec: Spec) -> list[Job]:
    """Return the jobs, as the spec has them."""
    return [_job(one) for one in spec.jobs]


def _job(one: UserJob) -> Job:
    fields: dict[str, Any] = {"runs_on": ""}  # one that calls a workflow has no runner
    fields |= {_FIELDS[key]: item for key, item in one.content.items() if key in _FIELDS}
    pairs = {_PAIRS[key]: tuple(item.items()) for key, item in one.content.items() if key in _PAIRS}
    more = {k: v for k, v in one.content.items() if k not in _FIELDS and k not in _PAIRS}
    return Job(
        id=one.id,
        name=one.name,
        origin=f"jobs/{one.id}",
        needs=one.needs,
        permissions=one.permissions,
        steps=one.steps,
        uses=one.uses,
        more=tuple(more.items()),
        **{**fields, **pairs},
    )


def values_from_github(spec: Spec) -> Iterator[Given]:
    """Yield each variable and secret that the jobs take from GitHub."""
    for one in spec.jobs:
        yield from of_user.values_in(one.content, f"for `jobs/{one.id}`")
        yield from of_user.values_of(one.steps, f"jobs/{one.id}")

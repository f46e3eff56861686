"""Puts jobs on the runners that the spec names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.runner import Runner
    from gen_workflow.workflow.records import Data, Job


def placed(jobs: Iterable[Job], kind: str, spec: Spec, frame: Frame) -> list[Job]:
    """Return jobs of a kind on their runner, and in its image.

    A job that asks for another runner than the usual one keeps it, as that of a platform does; its
    steps run in the image too. One that calls a workflow has neither.
    """
    if spec.runner is None:
        return [*jobs]
    from gen_workflow.spec.runner import of_kind  # noqa: PLC0415 - for specs that say it

    runner = of_kind(spec.runner, kind)
    return [_on(runner, job, frame.runner) if job.runs_on else job for job in jobs]


def _on(runner: Runner, job: Job, usual: str) -> Job:
    runs_on = _runs_on(runner) if job.runs_on == usual else ""
    container = (("container", runner.container),) if runner.container else ()
    return job._replace(runs_on=runs_on or job.runs_on, more=(*container, *job.more))


def _runs_on(runner: Runner) -> Data:
    """Return what `runs-on` says; empty when the spec says nothing of it."""
    labels = runner.labels[0] if len(runner.labels) == 1 else [*runner.labels]
    if runner.group:
        return {"group": runner.group, **({"labels": labels} if labels else {})}
    return labels

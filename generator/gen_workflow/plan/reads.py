"""Finds what the steps of a user read that is empty: of other jobs, or of a matrix.

GitHub gives an empty text there. `spec.jobs` looks at the jobs that a user has written: what the
others wait for is known only when they are planned.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_workflow.plan.limits import Excess
from gen_workflow.spec import raw
from gen_workflow.spec.expressions import EXPRESSION, READ_OF_A_JOB
from gen_workflow.spec.hints import listed, near
from gen_workflow.workflow.records import RawStep, as_data

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gen_workflow.spec.declaration import Spec
    from gen_workflow.workflow.records import Job, Workflow

_ELSEWHERE = "do it in a job of `jobs` that needs both"
_OF_A_MATRIX = r"(?<![\w.-])matrix\.([A-Za-z_][\w-]*)"
_NO_MATRIX = "write the value itself; only the steps of a `test` with a matrix can read it"


def wrong(spec: Spec, workflows: Sequence[Workflow]) -> Iterator[Excess]:
    """Yield each text that reads the result or an output of a job and would be empty."""
    found: dict[tuple[str, str, str], Excess] = {}
    for workflow in workflows:
        jobs = {job.id.lower(): job for job in workflow.jobs}
        for job in workflow.jobs:
            for key, text, expressions in _texts(job, spec):
                for name, why in _empty(expressions, job, jobs):
                    found.setdefault((key, text, name), Excess(key, *why, text))
    yield from found.values()


def _empty(
    expressions: str, job: Job, jobs: Mapping[str, Job]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what expressions read that is empty: its name, what is wrong, and a hint."""
    for name, output in re.findall(READ_OF_A_JOB, expressions):
        if why := _why_empty(name, output, job, jobs):
            yield name, why
    for name in [] if _has_matrix(job) else re.findall(_OF_A_MATRIX, expressions):
        yield name, (f"reads `matrix.{name}`, and the job {job.id!r} has no matrix", _NO_MATRIX)


def _has_matrix(job: Job) -> bool:
    return "matrix" in dict((*job.more, *job.inputs)).get("strategy", {})


def _texts(job: Job, spec: Spec) -> Iterator[tuple[str, str, str]]:
    """Yield the place of each text of a user in a job, the text, and the expressions in it."""
    for step in job.steps:
        if isinstance(step, RawStep):
            content = as_data(step)
            yield from _within(content, place_of(step, job, spec))
            if "if" in content:
                yield place_of(step, job, spec), str(content["if"]), str(content["if"])
    yield from _within(dict((*job.more, *job.inputs)), job.origin)


def _within(content: Any, place: str) -> Iterator[tuple[str, str, str]]:
    for text in raw.texts(content):
        if expressions := EXPRESSION.findall(text):
            yield place, text, "\n".join(expressions)


def place_of(step: RawStep, job: Job, spec: Spec) -> str:
    """Return the path of the section of the spec that a step comes from."""
    for one in spec.extend:
        if one.job in (job.id, job.alias) and step in (*one.before, *one.after):
            return f"extend/{one.key}"
    return "connect" if spec.connect and step in spec.connect.steps else job.origin


def _why_empty(name: str, output: str, job: Job, jobs: Mapping[str, Job]) -> tuple[str, str] | None:
    """Return what is wrong with what a job reads of another one, and a hint."""
    other = jobs.get(name.lower())
    if name.lower() not in {one.lower() for one in job.needs}:
        empty = f"reads `needs.{name}`, which is empty"
        what = f"{empty}: the job {job.id!r} does not wait for {name!r}"
        return what, _how_to_wait(name, job, jobs)
    names = tuple(one for one, _ in other.outputs) if other else ()
    # What a called workflow gives is not known here.
    if not output or other is None or other.uses or output.lower() in map(str.lower, names):
        return None
    what = f"reads `needs.{name}.outputs.{output}`, and the job {name!r} has no such output"
    hint = f"use one of {listed(names)}" if names else f"{name!r} has no outputs"
    return what, near(output, names) or hint


def _how_to_wait(name: str, job: Job, jobs: Mapping[str, Job]) -> str:
    known = tuple(one.id for one in jobs.values() if one.id != job.id)
    if not known:
        return "no other job runs beside it, so take the value from elsewhere"
    if name.lower() not in jobs:
        return near(name, known) or f"use one of {listed(known)}"
    if job.alias or _waits_for(name.lower(), job.id.lower(), jobs):
        return _ELSEWHERE
    return f"write extend: {{{job.id}: {{needs: {jobs[name.lower()].id}}}}}"


def _waits_for(name: str, other: str, jobs: Mapping[str, Job]) -> bool:
    """Tell whether a job waits for another one, or is it."""
    ways, seen = [name], {name}
    while ways:
        needs = {one.lower() for one in jobs[ways.pop()].needs} & {*jobs}
        ways += needs - seen
        seen |= needs
    return other in seen

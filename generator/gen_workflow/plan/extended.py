"""Adds what `extend` says to the jobs, and finds names of jobs and steps that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.pins.table import CHECKOUT
from gen_workflow.plan import of_user, times
from gen_workflow.plan.limits import Excess
from gen_workflow.spec.hints import listed, near
from gen_workflow.workflow.records import RawStep, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gen_workflow.plan.inputs import Given
    from gen_workflow.spec.extend import Addition
    from gen_workflow.workflow.records import Job, Workflow

_Steps = tuple[Step | RawStep, ...]


def extended(jobs: Iterable[Job], additions: tuple[Addition, ...]) -> tuple[Job, ...]:
    """Return the jobs with what is added to them.

    A job that has the steps of another one gets what is added to that one as well.
    """
    found = []
    for job in jobs:
        of_job = [one for one in additions if one.job in (job.id, job.alias)]
        needs = tuple(name for one in of_job if one.job == job.id for name in one.needs)
        steps = job.steps
        for one in of_job:
            steps = _around_a_step(steps, one) if one.step else _around_all(steps, one)
        needs = tuple(dict.fromkeys((*job.needs, *needs)))
        added = [step for one in of_job for step in (*one.before, *one.after)]
        minutes = job.timeout_minutes and times.with_steps(job.timeout_minutes, added)
        found.append(job._replace(steps=steps, needs=needs, timeout_minutes=minutes))
    return tuple(found)


def _around_all(steps: _Steps, added: Addition) -> _Steps:
    first = 1 if steps and _is_checkout(steps[0]) else 0
    return (*steps[:first], *added.before, *steps[first:], *added.after)


def _is_checkout(step: Step | RawStep) -> bool:
    if isinstance(step, RawStep) or step.uses is None:
        return False
    return step.uses.reference.startswith(f"{CHECKOUT}@")


def _around_a_step(steps: _Steps, added: Addition) -> _Steps:
    found: list[Step | RawStep] = []
    for step in steps:
        here = added.step in _names(step)
        found += [*added.before, step, *added.after] if here else [step]
    return tuple(found)


def _names(step: Step | RawStep) -> tuple[str, ...]:
    """Return what a step can be named by: its id and its name."""
    names = (step.id, step.name) if isinstance(step, Step) else ()
    return tuple(name for name in names if name)


def wrong(additions: tuple[Addition, ...], workflows: Sequence[Workflow]) -> Iterator[Excess]:
    """Yield what is wrong with the names in `extend`, and with what the jobs wait for."""
    jobs = {job.id: job for workflow in workflows for job in workflow.jobs}
    for one in additions:
        key, job = f"extend/{one.key}", jobs.get(one.job)
        if job is None:
            yield _unknown(key, f"there is no job {one.job!r}", one.job, tuple(jobs))
        elif job.alias:
            what = f"has the steps of {job.alias!r}"
            hint = f"extend {job.alias}; if: github.event_name == 'pull_request' is for this job"
            yield Excess(key, what, hint)
        elif one.step and not any(one.step in _names(step) for step in job.steps):
            names = tuple(name for step in job.steps for name in _names(step))
            yield _unknown(key, f"{one.job} has no step {one.step!r}", one.step, names)
    for workflow in workflows:
        yield from _names_twice(workflow.jobs)
        yield from _wrong_needs(workflow, additions)


def _names_twice(jobs: tuple[Job, ...]) -> Iterator[Excess]:
    seen: set[str] = set()
    for job in jobs:
        if job.id.lower() in seen:
            what = f"{job.id!r} is the id of another job"
            yield Excess(job.origin, what, "give this one another id")
        seen.add(job.id.lower())


def _unknown(key: str, what: str, word: str, known: tuple[str, ...]) -> Excess:
    return Excess(key, what, near(word, known) or f"use one of {listed(known)}")


def _wrong_needs(workflow: Workflow, additions: tuple[Addition, ...]) -> Iterator[Excess]:
    """Yield each job that waits for one that does not exist, and for itself in the end."""
    jobs = {job.id: job.needs for job in workflow.jobs}
    origins = {job.id: job.origin for job in workflow.jobs}
    extends = {one.job for one in additions if one.needs}
    added = {name for name, origin in origins.items() if origin.startswith("jobs/")}
    for name, needs in jobs.items():
        key = f"extend/{name}/needs" if name in extends else f"{origins[name]}/needs"
        for needed in needs:
            if needed not in jobs:
                known = tuple(one for one in jobs if one != name)
                yield _unknown(key, f"there is no job {needed!r}", needed, known)
    circles = (_circle(name, jobs) for name in jobs if name in extends or name in added)
    if circle := next(filter(None, circles), None):
        key = f"extend/{circle[0]}/needs" if circle[0] in extends else f"jobs/{circle[0]}/needs"
        what = f"goes in a circle: {' needs '.join(circle)}"
        yield Excess(key, what, "remove one of these from `needs`")


def _circle(name: str, jobs: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the way on which a job waits for itself; empty when it does not."""
    ways, seen = [[name]], set()
    while ways:
        way = ways.pop()
        for needed in jobs.get(way[-1], ()):
            if needed == name:
                return [*way, name]
            if needed not in seen:
                seen.add(needed)
                ways.append([*way, needed])
    return []


def values_from_github(additions: tuple[Addition, ...], job: str) -> Iterator[Given]:
    """Yield each variable and secret that the steps that are added to a job take from GitHub."""
    for one in additions:
        if one.job == job:
            yield from of_user.values_of((*one.before, *one.after), f"extend/{one.key}")

"""The answer to `what happens on this event`, as data: what `--json` prints and the page shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_workflow.explain import groups, jobs, starts, work
from gen_workflow.expressions.evaluate import Evaluator
from gen_workflow.workflow.records import Job, as_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_workflow.explain.events import Event
    from gen_workflow.workflow.records import Permission, RawJob, Workflow

_USED = re.compile(r"\b(secrets|vars)\.([A-Za-z_]\w*)")
_FOR_A_FORK = (
    "GitHub gives a run for a fork no secrets, and a token that can only read; it may wait until a "
    "maintainer approves it"
)


def of(workflows: Iterable[Workflow], event: Event) -> dict[str, Any]:
    """Return what an event does."""
    return {
        "event": {
            "name": event.name,
            "says": event.words,
            "ref": event.ref,
            "workflow": event.workflow,
        },
        "workflows": [_workflow(one, event) for one in workflows],
    }


def _workflow(workflow: Workflow, event: Event) -> dict[str, Any]:
    data = as_data(workflow)
    start = starts.start(data["on"], event, workflow.path.rpartition("/")[2])
    found = {
        "path": workflow.path,
        "name": workflow.name,
        "starts": start.starts,
        "why": start.why,
    }
    if start.starts is False:
        return {**found, "group": "", "note": "", "jobs": [], "needs": []}
    evaluator = Evaluator(jobs.contexts(event, start.inputs))
    verdicts = jobs.verdicts(data["jobs"], event, start.inputs)
    records = {one.id: one for one in workflow.jobs}
    answers = []
    for verdict in verdicts:
        job = data["jobs"][verdict.job]
        said = _verdict(verdict, job)
        if verdict.runs != jobs.SKIPPED:
            said |= _work(job, event, evaluator)
            said |= _comments(job, records[verdict.job])
        answers.append(said)
    running = [data["jobs"][one.job] for one in verdicts if one.runs != jobs.SKIPPED]
    return {
        **found,
        "group": groups.says(data.get("concurrency"), evaluator, "the run"),
        "note": _FOR_A_FORK if event.fork else "",
        "jobs": answers,
        "needs": [] if event.fork else list(_needs(running, workflow)),
    }


def _verdict(verdict: jobs.Verdict, job: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": verdict.job,
        "name": str(job.get("name", verdict.job)),
        "runs": verdict.runs,
        "why": verdict.why,
        "after": list(verdict.after),
        "stage": verdict.stage,
    }


def _work(job: Mapping[str, Any], event: Event, evaluator: Evaluator) -> dict[str, Any]:
    """Return what a job does, and where."""
    return {
        "environment": _environment(job),
        "url": _url(job),
        "does": [one._asdict() for one in work.deeds(job, event, evaluator)],
        "group": groups.says(job.get("concurrency"), evaluator, "the job"),
    }


def _environment(job: Mapping[str, Any]) -> str:
    environment = job.get("environment") or ""
    return environment if isinstance(environment, str) else str(environment["name"])


def _url(job: Mapping[str, Any]) -> str:
    environment = job.get("environment") or ""
    return "" if isinstance(environment, str) else str(environment.get("url", ""))


def _comments(job: Mapping[str, Any], record: Job | RawJob) -> dict[str, Any]:
    """Return what the workflow says in comments: how deploys get in order, why permissions are."""
    reasons = record.permissions if isinstance(record, Job) else ()
    order = record.order if isinstance(record, Job) else ""
    return {"order": order, "permissions": _permissions(job, reasons)}


def _permissions(job: Mapping[str, Any], reasons: Iterable[Permission]) -> list[dict[str, str]]:
    why = {one.scope: one.reason for one in reasons}
    found = job.get("permissions") or {}
    if isinstance(found, str):
        return [{"scope": "all", "level": found, "reason": ""}]
    return [
        {"scope": scope, "level": level, "reason": why.get(scope, "")}
        for scope, level in found.items()
    ]


def _used(place: str, running: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what the jobs read from a place, which is the repository or an environment."""
    _, of_an_environment, name = place.partition("Environments > ")
    for job in running:
        environment = _environment(job)
        if "${{" in environment or environment == (name if of_an_environment else ""):
            yield from ((kind, one.upper()) for kind, one in _USED.findall(str(job)))


def _needs(running: list[Mapping[str, Any]], workflow: Workflow) -> Iterator[dict[str, Any]]:
    """Yield the secrets and variables that some jobs read, each with where it is set."""
    for place in workflow.needs:
        used = set(_used(place.place, running))
        for kind, ones in (("vars", place.variables), ("secrets", place.secrets)):
            for one in ones:
                if (kind, one.name.upper()) in used:
                    word = "variable" if kind == "vars" else "secret"
                    yield {"place": place.place, "kind": word, **one._asdict()}

"""The answer to `what happens on this event`, as data: what `--json` prints and the page shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_workflow.explain import groups, jobs, starts, work
from gen_workflow.expressions.evaluate import Evaluator
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.workflow.records import Need, as_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_workflow.explain.events import Event
    from gen_workflow.workflow.records import Job, Permission, Workflow

_REPOSITORY = "Secrets and variables > Actions"
_USED = re.compile(r"\b(secrets|vars)\.([A-Za-z_]\w*)")
_FOR_A_FORK = (
    "GitHub gives a run for a fork no secrets, and a token that can only read; it may wait until a "
    "maintainer approves it"
)


class _Read(NamedTuple):
    """A secret or a variable that a job reads, and the environment of the job."""

    kind: str
    name: str
    job: str
    environment: str

    def is_for(self, kind: str, name: str) -> bool:
        return (self.kind, self.name.upper()) == (kind, name.upper())


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
    return {**found, **_run(workflow, data, event, start.inputs)}


def _run(
    workflow: Workflow, data: Mapping[str, Any], event: Event, inputs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a run does that has started."""
    evaluator = Evaluator(jobs.contexts(event, inputs))
    reader = work.Values(evaluator)
    records = {one.id: one for one in workflow.jobs}
    answers = []
    read: list[_Read] = []
    for verdict in jobs.verdicts(data["jobs"], event, inputs):
        job = data["jobs"][verdict.job]
        said = _verdict(verdict, job, reader)
        if verdict.runs != jobs.SKIPPED:
            said |= _place(job, reader)
            said |= {"does": [one._asdict() for one in work.deeds(job, event, reader)]}
            said |= {"group": groups.says(job.get("concurrency"), evaluator, "the job")}
            said |= _comments(job, records[verdict.job])
            read += _read(job, verdict.job, said["environment"])
        answers.append(said)
    return {
        "group": groups.says(data.get("concurrency"), evaluator, "the run"),
        "note": _FOR_A_FORK if event.fork else "",
        "jobs": answers,
        "needs": [] if event.fork else list(_needs(read, workflow)),
    }


def _verdict(verdict: jobs.Verdict, job: Mapping[str, Any], reader: work.Values) -> dict[str, Any]:
    return {
        "id": verdict.job,
        "name": reader.shown(str(job.get("name", verdict.job))),
        "runs": verdict.runs,
        "why": verdict.why,
        "after": list(verdict.after),
        "stage": verdict.stage,
    }


def _place(job: Mapping[str, Any], reader: work.Values) -> dict[str, str]:
    """Return the environment of a job on GitHub, and its address."""
    environment = job.get("environment") or ""
    if isinstance(environment, str):
        environment = {"name": environment}
    return {
        "environment": reader.shown(str(environment["name"])),
        "url": reader.shown(str(environment.get("url", ""))),
    }


def _comments(job: Mapping[str, Any], record: Job) -> dict[str, Any]:
    """Return what the workflow says in comments: how deploys get in order, why permissions are."""
    return {"order": record.order, "permissions": _permissions(job, record.permissions)}


def _permissions(job: Mapping[str, Any], reasons: Iterable[Permission]) -> list[dict[str, str]]:
    why = {one.scope: one.reason for one in reasons}
    found = job.get("permissions") or {}
    if isinstance(found, str):
        return [{"scope": "all", "level": found, "reason": ""}]
    return [
        {"scope": scope, "level": level, "reason": why.get(scope, "")}
        for scope, level in found.items()
    ]


def _read(job: Mapping[str, Any], name: str, environment: str) -> Iterator[_Read]:
    """Yield the secrets and variables that a job reads."""
    for kind, one in dict.fromkeys(_USED.findall(str(job))):
        if one.upper() != "GITHUB_TOKEN":
            yield _Read(kind, one, name, environment)


def _needs(read: list[_Read], workflow: Workflow) -> Iterator[dict[str, Any]]:
    """Yield what some jobs read, each with where it is set."""
    left = list(read)
    for place in workflow.needs:
        _, of_one, name = place.place.partition("Environments > ")
        # What the repository holds, each of its jobs can read.
        here = [one for one in read if not of_one or one.environment == name]
        for kind, ones in (("vars", place.variables), ("secrets", place.secrets)):
            for need in ones:
                found = [one for one in here if one.is_for(kind, need.name)]
                if found:
                    yield _need(kind, place.place, need)
                left = [one for one in left if one not in found]
    for one in left:  # of a job that the spec has in GitHub's own syntax
        place_of_it = f"Environments > {one.environment}" if one.environment else _REPOSITORY
        yield _need(one.kind, f"Settings > {place_of_it}", Need(one.name, f"read by {one.job}"))


def _need(kind: str, place: str, need: Need) -> dict[str, Any]:
    word = "variable" if kind == "vars" else "secret"
    return {"place": place, "kind": word, **need._asdict()}

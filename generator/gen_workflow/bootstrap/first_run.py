"""Starts the first run of the workflow, and follows it to its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from gen_workflow.bootstrap.steps import Step
from gen_workflow.errors import GenWorkflowError, Heading
from gen_workflow.github.snapshot import URL
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.bootstrap.api import Api
    from gen_workflow.github.answer import Part

_TRIES = 10  # seconds until a new workflow, and a new run, are known everywhere on GitHub
_FIRST, _LONGEST, _SLOWER = 1.0, 15.0, 1.5  # seconds between two looks at a run
_ENDED, _WAITS, _SUCCESS = "completed", "waiting", "success"


class Run(NamedTuple):
    """A run: its number, its page, and how it stands; `conclusion` is empty until it has ended."""

    number: int
    url: str
    status: str
    conclusion: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it has ended well."""
        return self.conclusion == _SUCCESS


def run(api: Api, workflow: str, branch: str, log: Callable[[str], None]) -> Run:
    """Return the first run when it has ended: one that goes on or has succeeded, or a new one."""
    newest = _newest(api, workflow, branch)
    if newest and newest.succeeded:
        log(f"the workflow has run already: {newest.url}")
        return newest
    if newest is None or newest.status == _ENDED:
        number = _start(api, workflow, branch, newest.number if newest else 0)
        newest = _at(api, number)
        log(f"started the first run: {newest.url}")
    return _followed(api, newest, log)


def failed_jobs(api: Api, found: Run) -> list[str]:
    """Return each job of a run that failed, with its first step that did."""
    listed = api.all(api.below("actions", "runs", f"{found.number}", "jobs"), "jobs", "jobs", "")
    return [_failure(one) for one in listed or () if _conclusion(one) == "failure"]


def _failure(job: Part) -> str:
    steps = job.parts("steps") if job.maybe("steps") else []
    step = next((one.text("name") for one in steps if _conclusion(one) == "failure"), "")
    return f"{job.text('name')}: {step}" if step else job.text("name")


def _conclusion(shown: Part) -> str:
    return shown.text("conclusion") if shown.maybe("conclusion") else ""


def _newest(api: Api, workflow: str, branch: str) -> Run | None:
    path = api.below("actions", "workflows", workflow, "runs")
    shown = api.look(f"{path}?branch={quote(branch)}&per_page=1", "the runs", "Actions")
    api.refuse_denied()
    found = shown.top.parts("workflow_runs") if shown.there else []
    return _run(found[0]) if found else None


def _run(shown: Part) -> Run:
    ended = _conclusion(shown)
    return Run(shown.number("id"), shown.text("html_url", URL), shown.text("status"), ended)


def _at(api: Api, number: int) -> Run:
    shown = api.look(api.below("actions", "runs", f"{number}"), "the run", "Actions")
    api.refuse_denied()
    return _run(shown.top)


def _start(api: Api, workflow: str, branch: str, before: int) -> int:
    """Start a run and return its number.

    A workflow that was committed a moment ago may not be known yet. An older GitHub Enterprise
    Server does not tell the number: there it is looked for.
    """
    path = api.below("actions", "workflows", workflow, "dispatches")
    body = {"ref": branch, "return_run_details": True}
    step = Step(f"start {workflow} on {branch}", "POST", path, body, once=True)
    for left in reversed(range(_TRIES)):
        try:
            answer = api.send(step)
        except GenWorkflowError as error:
            if left == 0 or Heading.NOT_FOUND not in error.anchors:
                raise
        else:
            if isinstance(answer.value, dict):
                return answer.top.number("workflow_run_id")
            break
        time.sleep(1)
    return _looked_for(api, workflow, branch, before)


def _looked_for(api: Api, workflow: str, branch: str, before: int) -> int:
    for _ in range(_TRIES):
        newest = _newest(api, workflow, branch)
        if newest and newest.number != before:
            return newest.number
        time.sleep(1)
    what = "the run was started, and GitHub does not show it"
    raise GenWorkflowError(what, where=api.slug, hint="look at Actions there", anchor=Heading.RUN)


def _followed(api: Api, found: Run, log: Callable[[str], None]) -> Run:
    wait, told = _FIRST, ""
    while found.status != _ENDED:
        if found.status != told:
            told = found.status
            log(f"it waits for an approval: {found.url}" if told == _WAITS else f"it is {told}")
        time.sleep(wait)
        wait = min(wait * _SLOWER, _LONGEST)
        found = _at(api, found.number)
    return found

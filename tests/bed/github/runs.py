"""Runs of workflows: started by a dispatch, and moved on by each look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bed.github.asked import Asked, example
from bed.github.kept import Run
from bed.github.state import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

_REPO = "/repos/{owner}/{repo}"
_WORKFLOW = f"{_REPO}/actions/workflows/{{workflow_id}}"
_RUN = f"{_REPO}/actions/runs/{{run_id}}"


def _dispatch(asked: Asked) -> Any:
    """Start a run of a workflow that a branch has, and that may be started by hand.

    The answer tells the run: github.blog/changelog/2026-02-19-workflow-dispatch-api-now-returns-
    run-ids, as the description of the operation says.
    """
    asked.demand("actions")
    repository, file, branch = asked.repository, asked.values["workflow_id"], asked.body["ref"]
    sha = repository.git.head(branch)
    blob = repository.git.oid(f"{branch}:.github/workflows/{file}") if sha else None
    if not sha or not blob:
        raise Refused(404, "Not Found", kind="NOT_FOUND")
    if b"workflow_dispatch" not in repository.git.content(blob):
        raise Refused(422, "Workflow does not have 'workflow_dispatch' trigger", kind="")
    kept = repository.kept
    number = 1000 + len(kept.runs)
    kept.runs.append(Run(number, file, branch, sha, [*kept.next_statuses], kept.next_conclusion))
    api, web = f"{asked.url}/repos/{repository.slug}", f"https://github.com/{repository.slug}"
    where = f"actions/runs/{number}"
    told = {"workflow_run_id": number, "run_url": f"{api}/{where}", "html_url": f"{web}/{where}"}
    return told if asked.body.get("return_run_details") else None


def _list(asked: Asked) -> Any:
    runs = [
        one
        for one in reversed(asked.repository.kept.runs)
        if one.workflow == asked.values["workflow_id"]
        and one.branch == asked.query.get("branch", one.branch)
    ]
    return asked.listed("workflow_runs", [_shown(asked, one) for one in runs])


def _get(asked: Asked) -> Any:
    run = _run(asked)
    run.look()
    return _shown(asked, run)


def _run(asked: Asked) -> Run:
    for one in asked.repository.kept.runs:
        if one.number == int(asked.values["run_id"]):
            return one
    raise Refused(404, "Not Found", kind="NOT_FOUND")


def _shown(asked: Asked, run: Run) -> Any:
    shown = example(asked, "get", _RUN, 200)
    page = f"https://github.com/{asked.repository.slug}/actions/runs/{run.number}"
    ended = run.conclusion if run.status == "completed" else None
    shown.update(id=run.number, status=run.status, conclusion=ended, html_url=page)
    shown.update(head_branch=run.branch, head_sha=run.sha, event="workflow_dispatch")
    return shown


def _jobs(asked: Asked) -> Any:
    run = _run(asked)
    shown = example(asked, "get", f"{_RUN}/jobs", 200)["jobs"][0]
    step = {**shown["steps"][0], "name": "Deploy", "conclusion": run.conclusion}
    shown.update(name="Deploy to production", conclusion=run.conclusion, steps=[step])
    shown["created_at"] = shown["started_at"]
    return asked.listed("jobs", [shown])


OPERATIONS: dict[tuple[str, str], tuple[int, Callable[[Asked], Any]]] = {
    ("post", f"{_WORKFLOW}/dispatches"): (200, _dispatch),
    ("get", f"{_WORKFLOW}/runs"): (200, _list),
    ("get", _RUN): (200, _get),
    ("get", f"{_RUN}/jobs"): (200, _jobs),
}

"""Rules of our own for rendered workflows: what no linter can know, because we promise it.

Each rule yields what is wrong. tests/conformance/test_gates_bite.py shows that each one bites.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.github_parser import GithubParser

    Job = Mapping[str, Any]

OURS = re.compile(r"(?:/actions|^\./.+)/(?:ssh-deploy|kubectl-set-image)(?:@|$)")
NOBODYS = "refs/heads/a-branch-that-no-spec-names"
# Events that show code which nobody has merged, and pushes and runs by hand of such a branch.
UNMERGED = {
    "pull_request": "refs/pull/7/merge",
    "merge_group": "refs/heads/gh-readonly-queue/main/pr-7-0123456",
    "push": NOBODYS,
    "workflow_dispatch": NOBODYS,
}
# What a job may do that deploys: tell a cloud who it is.
OF_A_DEPLOY = {"id-token"}
_PERMISSION = re.compile(r"^ +[a-z-]+: (?:read|write)\b(?P<reason>.*)$", re.MULTILINE)
_FROM_A_JOB = re.compile(r"\$\{\{ (?:needs|steps)\.[\w.-]+ \}\}")


def broken(document: Any, text: str, parser: GithubParser) -> Iterator[str]:
    """Yield each rule that a rendered workflow breaks."""
    yield from _nothing_is_permitted_to_all(document)
    yield from _each_permission_has_a_reason(text)
    yield from _no_secret_is_for_all(document)
    yield from _cancels_only_pull_requests(document, parser)
    for name, job in document["jobs"].items():
        if "permissions" not in job:
            yield f"{name}: a job says what it may do"
        for event in _events(document):
            if _runs(job, event, parser):
                yield from _of_what_is_not_merged(name, job, event)
        steps = _deploys(job)
        if steps:
            yield from _of_a_deploy(name, job, steps)


def _nothing_is_permitted_to_all(document: Any) -> Iterator[str]:
    # A job that forgets its own permissions would get these, or those of the repository.
    if document.get("permissions") != {}:
        yield "the workflow itself permits something"


def _each_permission_has_a_reason(text: str) -> Iterator[str]:
    for match in _PERMISSION.finditer(text):
        if not re.match(r" # \w", match["reason"]):
            yield f"{match[0].strip()}: without a reason"


def _cancels_only_pull_requests(document: Any, parser: GithubParser) -> Iterator[str]:
    # A deploy that is cancelled leaves a host between two versions.
    groups = [document, *document["jobs"].values()]
    for concurrency in (each["concurrency"] for each in groups if "concurrency" in each):
        cancels = str(concurrency.get("cancel-in-progress", False))
        github = {"event_name": "push", "ref": "refs/heads/main", "run_attempt": "1"}
        if parser.evaluate(cancels, {"github": github}).lower() != "false":
            yield "a run for a push can be cancelled"


def _no_secret_is_for_all(document: Any) -> Iterator[str]:
    # A job with an environment asks for a secret; all others have no use for it.
    others = {key: value for key, value in document.items() if key != "jobs"}
    if re.search(r"\bsecrets\b\s*[.)\[]", str(others)):
        yield "a secret is given to all jobs"


def _events(document: Any) -> list[str]:
    """Return the events that start a run, or the one that calls it, without a merge before."""
    called = "workflow_call" in document["on"]
    return [event for event in UNMERGED if called or event in document["on"]]


def _deploys(job: Job) -> list[dict[str, Any]]:
    return [step for step in job.get("steps", ()) if OURS.search(step.get("uses", ""))]


def _of_what_is_not_merged(name: str, job: Job, event: str) -> Iterator[str]:
    # Whoever opens a pull request chooses what its jobs run. What a called workflow may do is held
    # down by its own jobs.
    writes = [scope for scope, level in (job.get("permissions") or {}).items() if level == "write"]
    if writes and event in ("pull_request", "merge_group") and "uses" not in job:
        yield f"{name}: {event} may write {writes}"
    # A release is put back by hand, from wherever a person stands.
    if any("image" in step.get("with", {}) for step in _deploys(job)):
        yield f"{name}: deploys for {event} of {UNMERGED[event]}"


def _of_a_deploy(name: str, job: Job, steps: list[dict[str, Any]]) -> Iterator[str]:
    if "environment" not in job:
        # Without one nobody is asked, and GitHub shows no deployment.
        yield f"{name}: deploys to no environment"
    permitted = job.get("permissions") or {}
    writes = {scope for scope, level in permitted.items() if level == "write"}
    if not writes <= OF_A_DEPLOY:
        yield f"{name}: a deploy may write {sorted(writes)}"
    if re.search(r"\b(?:always|failure|cancelled)\(", str(job.get("if", ""))):
        yield f"{name}: deploys after a job that failed"
    for step in steps:
        yield from _step_of_a_deploy(name, step)
    for step in job["steps"]:
        if re.search(r"\|\|\s*(?:true|:)(?:\s|$)", step.get("run", "")):
            yield f"{name}: goes on after a command that failed"


def _step_of_a_deploy(name: str, step: dict[str, Any]) -> Iterator[str]:
    if "continue-on-error" in step:
        yield f"{name}: is green when the deploy has failed"
    if "if" in step and "rollback" not in step["with"]:
        yield f"{name}: is green without a deploy"
    # What is deployed is what the run has built, by its digest; a tag may be another image by then.
    for key in ("image", "images"):
        for line in str(step.get("with", {}).get(key, "")).splitlines():
            if line.strip() and not _FROM_A_JOB.search(line):
                yield f"{name}: deploys {line!r}, which no job of the run has built"


def _runs(job: Job, event: str, parser: GithubParser) -> bool:
    """Tell whether the condition of a job is true for an event, or none; without one it runs."""
    github = {"event_name": event, "ref": UNMERGED[event], "run_attempt": "1"}
    contexts = {"github": github, "inputs": {"environment": "as a push"}, "needs": {}, "vars": {}}
    condition = f"${{{{ {job.get('if', 'true')} }}}}"
    refused = parser.refuses(condition, contexts)
    return refused or parser.evaluate(condition, contexts) not in ("false", "", "0")

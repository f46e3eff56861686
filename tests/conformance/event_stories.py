"""Events in a repository and what becomes of its runs, as the tables in docs/spec.md say it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conformance.github_queue import Job, Repository, Run
from conformance.subjects import ROOT, rendered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.github_parser import GithubParser

MAIN, RELEASE, OTHER = "refs/heads/main", "refs/heads/release/2026-11", "refs/heads/try"
PULL_REQUEST = "refs/pull/7/merge"
COLUMNS = ("is built", "its deploy begins", "waits for an approval", "is dropped")
# What hundreds of repositories have beside ours: the same name, and the usual groups.
USUAL = {
    "name": "Build and deploy",
    "concurrency": {
        "group": "${{ github.workflow }}-${{ github.ref }}",
        "cancel-in-progress": True,
    },
    "jobs": {
        "deploy": {"concurrency": {"group": "deploy-production", "cancel-in-progress": True}},
        "production": {"concurrency": {"group": "production", "cancel-in-progress": True}},
    },
}


class Story:
    """Events in a repository, in the order in which they happen, and what became of each run."""

    # It deploys from two of these branches.
    case = "several-branches"

    def __init__(self, parser: GithubParser, *, approves: bool = False) -> None:
        self.workflow = workflow_of(self.case)
        self.repository = Repository(parser.evaluate, approves=approves)
        self.runs: dict[str, Run] = {}

    def begin(self, label: str, event: str = "push", ref: str = MAIN) -> Run:
        """Let an event happen; nothing has ended yet."""
        self.runs[label] = self.repository.start(self.workflow, event, ref)
        return self.runs[label]

    def build(self, label: str, event: str = "push", ref: str = MAIN) -> Run:
        """Let an event happen, and its build end, if it has begun."""
        run = self.begin(label, event, ref)
        self.end_build(label)
        return run

    def again(self, label: str, earlier: str) -> Run:
        """Start a run again that has ended, and let its build end, if it has begun."""
        self.runs[label] = self.repository.start_again(self.runs[earlier])
        self.end_build(label)
        return self.runs[label]

    def end_build(self, label: str) -> None:
        for name, job in self.runs[label].jobs.items():
            if name != "deploy" and job.state == "running":
                job.succeed()

    def deploys(self, label: str) -> Iterator[tuple[str, Job]]:
        """Yield the deploys of a run, each as the table names it."""
        yield label, self.runs[label].jobs["deploy"]

    def deployed(self, label: str) -> None:
        """Let a deploy end that is going on."""
        self.runs[label].jobs["deploy"].succeed()

    def row(self) -> dict[str, str]:
        """Return what the table says."""
        found: dict[str, list[str]] = {column: [] for column in COLUMNS}
        for label, run in self.runs.items():
            states = {job.state for job in run.jobs.values()}
            deploys = [*self.deploys(label)]
            builds = {job.state for job in run.jobs.values()
                      if not any(job is deploy for _, deploy in deploys)}  # fmt: skip
            if builds & {"running", "succeeded"}:
                found["is built"].append(label)
            for name, deploy in deploys:
                if deploy.state in ("running", "succeeded", "failed"):
                    found["its deploy begins"].append(name)
                if deploy.state == "waiting for approval":
                    found["waits for an approval"].append(name)
            if "dropped" in states:
                found["is dropped"].append(label)
            # Nothing waits for anything else.
            assert run.state != "pending"
            assert "pending" not in states
        return {column: ", ".join(labels) or "nothing" for column, labels in found.items()}


def tables() -> list[dict[str, dict[str, str]]]:
    """Return the two tables of docs/spec.md, each by what happens."""
    text = (ROOT / "docs" / "spec.md").read_text("utf-8")
    _, *found = text.split(f"| what happens | {' | '.join(COLUMNS)} |\n")
    return [rows(each) for each in found]


def rows(text: str) -> dict[str, dict[str, str]]:
    """Return the rows of a table whose head is cut off, by their first cell."""
    found = re.match(r"(?:\|.*\n)*", text)
    assert found
    cells = [line.strip("| ").split(" | ") for line in found[0].splitlines()[1:]]
    return {first: dict(zip(COLUMNS, rest, strict=True)) for first, *rest in cells}


def workflow_of(name: str) -> dict[str, Any]:
    """Return a rendered workflow of the cases."""
    (subject,) = (each for each in rendered() if each.name == f"tests/cases/{name}")
    document: dict[str, Any] = subject.document
    return document

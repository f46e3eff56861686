"""The jobs of a workflow and which of them waits for which, without what follows from the rest."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Iterable, Mapping
from typing import Any

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.workflow.records import Workflow, as_data


class Node(NamedTuple):
    """A job. `note` is where it deploys to, and `grey` whether it does not run."""

    id: str
    name: str
    note: str = ""
    grey: bool = False

    def below(self, label: str) -> str:
        """Return what stands below the label of the box, when that does not say it itself."""
        return "" if self.note.lower() in label.lower() else self.note


class Graph(NamedTuple):
    """A workflow: `edges` lead from a job to one that waits for it, by the ids of both."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


def of(workflow: Workflow, running: Iterable[str] | None = None, event: str = "") -> Graph:
    """Return the graph of a workflow; given an event and the jobs that run, others are grey."""
    jobs: Mapping[str, Mapping[str, Any]] = as_data(workflow)["jobs"]
    shown = set(jobs) if running is None else set(running)
    nodes = tuple(
        Node(name, str(job.get("name", name)), _note(job), name not in shown)
        for name, job in jobs.items()
    )
    needs = {name: [each for each in _needs(job) if each in jobs] for name, job in jobs.items()}
    title = f"{workflow.name}: {event}" if event else workflow.name
    return Graph(title, nodes, tuple(reduced(needs)))


def _needs(job: Mapping[str, Any]) -> tuple[str, ...]:
    needs = job.get("needs", ())
    return (needs,) if isinstance(needs, str) else tuple(needs)


def _note(job: Mapping[str, Any]) -> str:
    """Return what a box says below the name of the job."""
    environment = job.get("environment") or ""
    if not isinstance(environment, str):
        environment = str(environment["name"])
    if "uses" in job:
        return str(job["uses"]).partition("@")[0]
    matrix = "matrix" if job.get("strategy") else ""
    return ", ".join(filter(None, (environment, matrix)))


def reduced(needs: Mapping[str, list[str]]) -> Iterable[tuple[str, str]]:
    """Yield the edges, without those that lead where a longer way leads as well, or in a circle."""
    above = {name: _ancestors(name, needs) for name in needs}
    for name, wanted in needs.items():
        for each in dict.fromkeys(wanted):
            if name not in above[each] and not any(
                each in above[other] for other in wanted if other != each
            ):
                yield each, name


def _ancestors(name: str, needs: Mapping[str, list[str]]) -> set[str]:
    found: set[str] = set()
    todo = list(needs[name])
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += needs[one]
    return found

"""The verb `graph`: draw the jobs, and which of them waits for which."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from gen_workflow.commands import event
from gen_workflow.commands.project import Project
from gen_workflow.errors import Heading, UserError
from gen_workflow.explain import answer, jobs
from gen_workflow.graph import model
from gen_workflow.report.terminal import harmless, put

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options
    from gen_workflow.explain.events import Event
    from gen_workflow.graph.model import Graph
    from gen_workflow.workflow.records import Workflow

_FORMATS = ("terminal", "mermaid", "svg")


def run(options: Options) -> int:
    """Print the workflows of the spec as graphs."""
    on_a_terminal = sys.stdout is not None and sys.stdout.isatty()
    form = options.format or ("terminal" if on_a_terminal else "mermaid")
    if form not in _FORMATS:
        what, hint = f"{form!r} is no format", f"say one of {', '.join(_FORMATS)}"
        raise UserError(what, where="--format", hint=hint, anchor=Heading.OPTION)
    workflows = Project.of(options).planned()
    graphs = _graphs(workflows, event.named(options, workflows))
    text: str = import_module(f"gen_workflow.graph.{form}").text(graphs)
    return put(harmless(text))


def _graphs(workflows: tuple[Workflow, ...], happened: Event | None) -> list[Graph]:
    """Return a graph of each workflow; with an event, of those that it starts, if there are any."""
    if happened is None:
        return [model.of(one) for one in workflows]
    answers = answer.of(workflows, happened)["workflows"]
    running = {
        one["path"]: [job["id"] for job in one["jobs"] if job["runs"] != jobs.SKIPPED]
        for one in answers
    }
    started = [
        one for one, said in zip(workflows, answers, strict=True) if said["starts"] is not False
    ]
    return [model.of(one, running[one.path], happened.words) for one in started or workflows]

"""The job summary of the action: what was found, the difference, and the graph of the jobs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.commands.project import Project
from gen_workflow.errors import DONE, ERRORS, NOT_IN_STEP, UserError
from gen_workflow.graph import mermaid, model
from gen_workflow.report.terminal import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.commands.options import Options
    from gen_workflow.errors import GenWorkflowError

_LONGEST = 400_000  # characters of one block; GitHub takes 1 MiB for the summary of a step
_HEADINGS = {DONE: "in step", NOT_IN_STEP: "not in step"}


def text(options: Options, error: GenWorkflowError | None, output: str) -> str:
    """Return the summary of a run in Markdown; `output` is what the verb has printed."""
    return "\n\n".join(_blocks(options, error, output)) + "\n"


def _blocks(options: Options, error: GenWorkflowError | None, output: str) -> Iterator[str]:
    checks = options.verb.name == "check"
    code = error.exit_code if error else DONE
    heading = _HEADINGS.get(code, "you have to change something")
    if not checks:
        heading = "the update has failed" if error else "update"
    yield f"### gen-workflow: {heading}"
    if error:
        yield fenced(f"{error}")
        yield " · ".join(f"[{_words(anchor)}]({ERRORS}#{anchor})" for anchor in error.anchors)
    elif output:
        yield output.strip()
    if error and output and checks:
        shown = fenced(output, "diff")
        yield f"<details open><summary>The difference</summary>\n\n{shown}\n\n</details>"
    if graph := _graph(options):
        yield f"The jobs that the spec gives:\n\n{fenced(graph, 'mermaid')}"


def _words(anchor: str) -> str:
    return anchor.replace("-", " ").capitalize()


def _graph(options: Options) -> str:
    """Return the graph of the spec; empty when the spec is wrong, which the error says."""
    try:
        workflows = Project.of(options).planned()
    except UserError:
        return ""
    return mermaid.text([model.of(one) for one in workflows])


def fenced(content: str, language: str = "") -> str:
    """Return a block of Markdown that shows a text as it is, whatever is in it."""
    longest = max((len(ticks) for ticks in re.findall(r"`{3,}", content)), default=2)
    fence = "`" * (longest + 1)
    shown = harmless(content[:_LONGEST]).rstrip("\n")
    return f"{fence}{language}\n{shown}\n{fence}"

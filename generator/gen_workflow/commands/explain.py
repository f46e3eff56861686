"""The verb `explain`: what runs for an event, and why the rest does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gen_workflow.commands import event
from gen_workflow.commands.project import Project
from gen_workflow.explain import answer, overview, page
from gen_workflow.report.terminal import harmless, put

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options


def run(options: Options) -> int:
    """Print what an event does, or a table of all events that matter."""
    workflows = Project.of(options).planned()
    happened = event.named(options, workflows)
    if happened:
        answers = [answer.of(workflows, happened)]
        text = page.text(answers[0])
    else:
        answers = overview.of(workflows)
        text = overview.text(answers)
    if options.json:
        return put(f"{json.dumps({'events': answers}, ensure_ascii=False, indent=2)}\n")
    return put(harmless(text))

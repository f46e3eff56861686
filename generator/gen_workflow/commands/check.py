"""The verb `check`: compare the workflow with what the spec gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.commands import in_step
from gen_workflow.commands.project import PUT_IN_SPEC, Project
from gen_workflow.errors import NOT_IN_STEP
from gen_workflow.report.terminal import log, put
from gen_workflow.sync import drift

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options


def run(options: Options) -> int:
    """Report that the workflow is what the spec gives, or each reason why it is not."""
    project = Project.of(options)
    wanted = project.rendered().text.encode()  # a wrong spec is reported before anything else
    there = project.on_disk()
    reasons = ["missing: it was not generated yet"]
    if there is not None:
        reasons = drift.reasons(there, wanted, project.source)
    if not reasons:
        return put(in_step.sentence(options))
    lines = [f"{files.WORKFLOW}: {reason}" for reason in reasons]
    log("\n".join([*lines, f"  hint: {_next_act(project, reasons[0])}"]))
    return NOT_IN_STEP


def _next_act(project: Project, reason: str) -> str:
    """Return the one act that ends every reason."""
    force = project.command("generate --force")
    if reason == drift.NOT_OURS:
        return f"move it away, or overwrite it with {force}"
    if reason == drift.EDITED:
        return f"{PUT_IN_SPEC}, then run {force}"
    return f"run {project.command('generate')} and commit the result"

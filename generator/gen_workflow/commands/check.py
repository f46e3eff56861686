"""The verb `check`: compare the workflow with what the spec gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.commands import in_step
from gen_workflow.commands.project import PUT_IN_SPEC, Project
from gen_workflow.errors import Drift, Heading
from gen_workflow.report.terminal import put
from gen_workflow.sync import drift
from gen_workflow.uses import lock

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options


def run(options: Options) -> int:
    """Report that the workflow is what the spec gives; raises Drift with each reason if not."""
    project = Project.of(options)
    rendered = project.rendered()  # a wrong spec is reported before anything else
    found = []
    for file in rendered.files:
        there = project.on_disk(file.path)
        reasons = ["missing: it was not generated yet"]
        if there is not None:
            reasons = drift.reasons(there, file.text.encode(), project.source)
        found += [(file.path, reason) for reason in reasons]
    if not found:
        lock.check(project.folder, rendered.texts)
        return put(in_step.sentence(options))
    what = "\n".join(f"{path}: {reason}" for path, reason in found)
    act, anchor = _next_act(project, found[0][1])
    raise Drift(what, hint=act, anchor=anchor)


def _next_act(project: Project, reason: str) -> tuple[str, str]:
    """Return the one act that ends every reason, and the anchor that says more."""
    force = project.command("generate --force")
    if reason == drift.NOT_OURS:
        return f"move it away, or overwrite it with {force}", Heading.NOT_OURS
    if reason == drift.EDITED:
        return f"{PUT_IN_SPEC}, then run {force}", Heading.EDITED
    return f"run {project.command('generate')} and commit the result", Heading.NOT_IN_STEP

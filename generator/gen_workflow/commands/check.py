"""The verb `check`: compare the workflow with what the spec gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.commands import changes, compared, findings, in_step
from gen_workflow.commands.project import Project
from gen_workflow.errors import together
from gen_workflow.report.terminal import harmless, put
from gen_workflow.uses import lock

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options

_LONGEST = 200  # lines of a diff; a runner shows them, and people read them


def run(options: Options) -> int:
    """Report that the workflow is what the spec gives; raises Drift with each reason if not."""
    project = Project.of(options)
    rendered = project.rendered()
    outcomes, copies = compared.of(project, rendered), compared.copies(project, rendered)
    of_copies = (one.of_check(project.command) for one in copies)
    if refusal := together(findings.of_check(outcomes, project.command), *of_copies):
        lines = [line for one in outcomes for line in changes.shown_by_check(one)]
        if len(lines) > _LONGEST:
            more = f"... {len(lines) - _LONGEST} more lines, which {project.command('diff')} shows"
            lines = [*lines[:_LONGEST], more]
        put(harmless("".join(f"{line}\n" for line in lines)))
        raise refusal
    lock.check(project.folder, compared.texts(outcomes))
    return put(in_step.sentence(options, findings.kept(outcomes), outcomes[0].path))

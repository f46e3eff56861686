"""The verb `diff`: show what `generate` would write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.commands import changes, compared, findings
from gen_workflow.commands.project import Project
from gen_workflow.errors import together

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options


def run(options: Options) -> int:
    """Print the diff; return 1 when there is one. Raises Drift for what cannot be written."""
    project = Project.of(options)
    rendered = project.rendered()
    outcomes = compared.of(project, rendered, force=options.force)
    copies = compared.copies(project, rendered, force=options.force)
    of_copies = (one.of_generate(project.command) for one in copies)
    if refusal := together(findings.of_generate(outcomes, project.command), *of_copies):
        raise refusal
    return changes.show(outcomes, [line for one in copies for line in one.diff])

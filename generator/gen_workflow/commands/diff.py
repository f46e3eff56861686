"""The verb `diff`: show what `generate` would write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.commands import changes, compared, findings
from gen_workflow.commands.project import Project

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options


def run(options: Options) -> int:
    """Print the diff; return 1 when there is one. Raises Drift for what cannot be written."""
    project = Project.of(options)
    outcomes = compared.outcomes(project, force=options.force)
    if refusal := findings.of_generate(outcomes, project.command):
        raise refusal
    return changes.show(outcomes)

"""The files of a project that `commit` and `bootstrap` bring to GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.commands import compared, findings
from gen_workflow.errors import together
from gen_workflow.explain import overview
from gen_workflow.github import proposal
from gen_workflow.github.proposal import Wanted
from gen_workflow.plan import pipeline
from gen_workflow.uses import lock

if TYPE_CHECKING:
    from gen_workflow.commands.project import Project
    from gen_workflow.commands.rendering import Rendered


def wanted(project: Project, rendered: Rendered) -> Wanted:
    """Return the files that the repository should hold.

    Raises Drift when an edit would be lost, or when GitHub's lock has to be written first.
    """
    outcomes, copies = compared.of(project, rendered), compared.copies(project, rendered)
    of_copies = (one.of_generate(project.command) for one in copies)
    if refusal := together(findings.of_generate(outcomes, project.command), *of_copies):
        raise refusal
    given = [one for one in outcomes if one.rendered]
    files: dict[str, bytes | None] = {project.source: rendered.spec}
    files |= {one.path: one.text or b"" for one in given}
    for copy in copies:
        files |= copy.given
    if held := lock.check(project.folder, compared.texts(outcomes)):
        files[proposal.LOCK] = held
    merged = {one.path: one.there for one in given if one.there and one.text != one.rendered}
    return Wanted(
        project.source,
        files,
        rendered.needs,
        rendered.dockerfiles,
        rendered.ours,
        merged,
        folder=rendered.folder if rendered.copied else "",
        former=tuple(path for path in pipeline.OTHERS if path not in files),
        runs=overview.markdown(overview.of(rendered.workflows)),
    )

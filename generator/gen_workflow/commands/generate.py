"""The verb `generate`: write the workflow that the spec gives."""

# ruff: noqa: PTH118, PTH120 - pathlib is slow to load

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.commands import in_step
from gen_workflow.commands.project import Project
from gen_workflow.errors import shown
from gen_workflow.report.terminal import log, put

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options


def run(options: Options) -> int:
    """Write the workflow, or print it; an edit by hand is overwritten with --force only."""
    project = Project.of(options)
    text = project.rendered().text
    if options.stdout:
        return put(text)
    before = project.on_disk()
    if before == text.encode():
        return put(in_step.sentence(options))
    if before is not None and not options.force:
        project.refuse_to_lose(before)
    files.write(project.workflow, text)
    _warn_below(project.folder)
    return put(f"wrote {shown(project.workflow)}\n")


def _warn_below(folder: str) -> None:
    """Warn of a workflow that GitHub will not see, because it is below the top."""
    here = top = os.path.realpath(folder)
    while not os.path.lexists(os.path.join(top, ".git")):
        if top == os.path.dirname(top):
            return
        top = os.path.dirname(top)
    if top != here:
        log(f"warning: GitHub reads workflows at the top of a repository only, which is {top!r}")

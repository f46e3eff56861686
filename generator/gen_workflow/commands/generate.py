"""The verb `generate`: write the workflow that the spec gives."""

# ruff: noqa: PTH118, PTH120 - pathlib is slow to load

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.commands import in_step
from gen_workflow.commands.project import Project
from gen_workflow.errors import DONE, shown
from gen_workflow.report.terminal import log, put
from gen_workflow.uses import lock

if TYPE_CHECKING:
    from gen_workflow.commands.bot import Configuration
    from gen_workflow.commands.options import Options
    from gen_workflow.commands.project import File, Rendered


def run(options: Options) -> int:
    """Write the workflow, or print it; an edit by hand is overwritten with --force only."""
    project = Project.of(options)
    rendered = project.rendered()
    for note in rendered.notes:
        log(f"note: {note}")
    if options.stdout:
        return put("\n".join(file.text for file in rendered.files))
    changed = _changed(project, rendered)
    for file, there in changed:
        if there is not None and not options.force:
            project.refuse_to_lose(there, file.path)
    extra = _dependabot(project, rendered) if options.dependabot else None
    for file, _ in changed:
        files.write(project.place(file.path), file.text)
    if changed:
        _warn_below(project.folder)
    written = (f"wrote {shown(project.place(file.path))}\n" for file, _ in changed)
    put("".join(written) or in_step.sentence(options))
    if extra:
        put(f"{'wrote' if extra.write() else 'nothing to add to'} {shown(extra.path)}\n")
    lock.check(project.folder, rendered.texts)
    return DONE


def _dependabot(project: Project, rendered: Rendered) -> Configuration:
    from gen_workflow.commands.bot import configuration  # noqa: PLC0415 - rarely asked for

    return configuration(project.folder, rendered.texts.values())


def _changed(project: Project, rendered: Rendered) -> list[tuple[File, bytes | None]]:
    """Return the files that are not there as they should be, each with what is there."""
    there = [(file, project.on_disk(file.path)) for file in rendered.files]
    return [(file, found) for file, found in there if found != file.text.encode()]


def _warn_below(folder: str) -> None:
    """Warn of a workflow that GitHub will not see, because it is below the top."""
    here = top = os.path.realpath(folder)
    while not os.path.lexists(os.path.join(top, ".git")):
        if top == os.path.dirname(top):
            return
        top = os.path.dirname(top)
    if top != here:
        log(f"warning: GitHub reads workflows at the top of a repository only, which is {top!r}")

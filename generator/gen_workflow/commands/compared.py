"""Compares every file of a project with what the spec gives."""

# ruff: noqa: PTH120 - pathlib is slow to load

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.spec.actions import is_folder
from gen_workflow.sync import compare, history, stamp
from gen_workflow.sync.history import Sources

if TYPE_CHECKING:
    from gen_workflow.commands.copied import Copied
    from gen_workflow.commands.project import Project
    from gen_workflow.commands.rendering import Rendered
    from gen_workflow.sync.history import History
    from gen_workflow.sync.outcome import Outcome


def of(project: Project, rendered: Rendered, *, force: bool = False) -> tuple[Outcome, ...]:
    """Return what each file is against what the spec gives; with `force`, edits are to be lost.

    The last ones are those that an earlier spec gave, and this one does not. Raises UserError.
    """
    found = []
    for file in rendered.files:
        there, wanted = project.on_disk(file.path), file.text.encode()
        if force:
            found.append(compare.overwrite(file.path, there, wanted))
        else:
            sources = _sources(project, rendered, file.path)
            found.append(compare.compare(there, wanted, sources, rendered.ours))
    return (*found, *_left(project, rendered))


def copies(project: Project, rendered: Rendered, *, force: bool = False) -> tuple[Copied, ...]:
    """Return the copy of our actions that the spec gives, and one that an earlier spec gave.

    Raises UserError.
    """
    about = stamp.of(project.on_disk(rendered.files[0].path) or b"")
    before = about.actions if about else ""
    if not rendered.copied and not is_folder(before):
        return ()
    from gen_workflow.commands.copied import Copied  # noqa: PLC0415 - for these alone

    found = []
    if rendered.copied:
        found.append(Copied.of(project, rendered.folder, rendered.copied, force=force))
    if is_folder(before) and not (rendered.copied and before == rendered.folder):
        found.append(Copied.of(project, before, ()))
    return tuple(found)


def texts(found: tuple[Outcome, ...]) -> dict[str, str]:
    """Return the texts of the files that the spec gives, by their paths, as they should be."""
    return {one.path: (one.text or b"").decode("utf-8", "replace") for one in found if one.rendered}


def _sources(project: Project, rendered: Rendered, path: str) -> Sources:
    source = project.source.replace(os.sep, "/")

    def past(blob: str) -> History:
        return history.read(project.folder, (path, source), blob)

    return Sources(path, source, rendered.spec, past, partial(project.as_of, path=path))


def _left(project: Project, rendered: Rendered) -> list[Outcome]:
    """Return the files that the workflow which is there says that we wrote, and that go."""
    about = stamp.of(project.on_disk(rendered.files[0].path) or b"")
    today = {file.path for file in rendered.files}
    gone = [path for path in (about.files if about else ()) if path not in today]
    folder = os.path.dirname(files.WORKFLOW)
    texts = {
        path: project.on_disk(path)
        for path in gone
        if os.path.dirname(os.path.normpath(path)) == folder
    }
    return [compare.left(path, text) for path, text in texts.items() if text is not None]

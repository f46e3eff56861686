"""The verb `generate`: write the workflow that the spec gives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.commands import compared, findings, in_step
from gen_workflow.commands.project import Project
from gen_workflow.errors import DONE, shown, together
from gen_workflow.report.terminal import log, put
from gen_workflow.sync import history, stamp
from gen_workflow.sync.writing import like, write
from gen_workflow.uses import lock

if TYPE_CHECKING:
    from gen_workflow.commands.bot import Configuration
    from gen_workflow.commands.copied import Copied
    from gen_workflow.commands.options import Options
    from gen_workflow.commands.rendering import File
    from gen_workflow.sync.outcome import Outcome


def run(options: Options) -> int:
    """Write the workflow, or print it; an edit by hand is kept, and with --force it is lost."""
    if options.check:
        from gen_workflow.commands import check  # noqa: PLC0415 - for this option alone

        return check.run(options)
    if options.diff:
        from gen_workflow.commands import diff  # noqa: PLC0415 - for this option alone

        return diff.run(options)
    project = Project.of(options)
    rendered = project.rendered()
    for note in rendered.notes:
        log(f"note: {note}")
    if options.stdout:
        return put(_stream(rendered.files))
    outcomes = compared.of(project, rendered, force=options.force)
    copies = compared.copies(project, rendered, force=options.force)
    of_copies = (one.of_generate(project.command) for one in copies)
    if refusal := together(findings.of_generate(outcomes, project.command), *of_copies):
        raise refusal
    texts = compared.texts(outcomes)
    extra = _dependabot(project, texts) if options.dependabot else None
    put(_written(project, outcomes, copies, options))
    if extra:
        put(extra.write(would=options.dry_run))
    lock.check(project.folder, texts)
    return DONE


def _stream(rendered: tuple[File, ...]) -> str:
    """Return one file as it is, and several as the documents of one YAML stream, each named."""
    if len(rendered) == 1:
        return rendered[0].text
    return "".join(f"--- # {file.path}\n{file.text}" for file in rendered)


def _written(
    project: Project, outcomes: tuple[Outcome, ...], copies: tuple[Copied, ...], options: Options
) -> str:
    """Write what has to be written, unless it is only to be named; return what to say."""
    todo = [one for one in outcomes if one.writes]
    kept = (*findings.kept(outcomes), *(words for one in copies for words in one.kept))
    if not todo and not any(one.todo for one in copies):
        return in_step.sentence(options, kept, outcomes[0].path)
    if not options.dry_run:
        _write(project, todo, copies)
    done = ("would write", "would remove") if options.dry_run else ("wrote", "removed")
    lines = [f"{done[one.text is None]} {shown(project.place(one.path))}\n" for one in todo]
    lines += [one.written(would=options.dry_run) for one in copies]
    return "".join(lines) + (f"kept {' and '.join(kept)}\n" if kept else "")


def _write(project: Project, todo: list[Outcome], copies: tuple[Copied, ...]) -> None:
    """Write all files, or none."""
    contents = {project.place(one.path): one.text and like(one.there, one.text) for one in todo}
    for copy in copies:
        contents |= copy.todo
    write(contents)
    for one in todo:
        if one.rendered:
            history.store(project.folder, stamp.without_line(one.rendered))
    for copy in copies:
        copy.remove_empty()
    _warn_below(project.folder)


def _dependabot(project: Project, texts: dict[str, str]) -> Configuration:
    from gen_workflow.commands.bot import configuration  # noqa: PLC0415 - rarely asked for

    return configuration(project.folder, texts.values())


def _warn_below(folder: str) -> None:
    """Warn of a workflow that GitHub will not see, because it is below the top."""
    top = files.top(folder)
    if top not in ("", os.path.realpath(folder)):
        log(f"warning: GitHub reads workflows at the top of a repository only, which is {top!r}")

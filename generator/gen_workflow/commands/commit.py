"""The verb `commit`: spec and workflow, as one verified commit and a pull request."""

from __future__ import annotations

import json
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gen_workflow.commands import committed, handled
from gen_workflow.commands.project import Project
from gen_workflow.errors import Heading, UserError
from gen_workflow.github import handling, remote
from gen_workflow.github.client import Repository, check_token
from gen_workflow.github.update import Names, Update
from gen_workflow.report.terminal import log, put

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options


def run(options: Options) -> int:
    """Bring the repository on GitHub in step with the spec; return the exit code."""
    names, wishes = _names(options), handled.of(options)
    if options.again and options.closed != handling.STOP:
        what = "opens a pull request again, and --closed says something else"
        hint = "leave out one of the two"
        raise UserError(what, where="--again", hint=hint, anchor=Heading.OPTION)
    project = Project.of(options)
    wanted = committed.wanted(project, project.rendered())
    api = options.api_url or os.environ.get("GITHUB_API_URL", "")
    where = remote.find(options.folder, slug=options.repo, api=api)
    token = check_token(os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN") or "")
    repository = Repository(where.slug, token, where.api, log)
    try:
        update = Update(repository, wanted, names, log, options.force, options.again, wishes)
        found = update.read()
        result = update.dry_run(found) if options.dry_run else update.apply(found)
    finally:
        repository.close()
    return put(f"{json.dumps(result.as_data()) if options.json else result.line}\n")


def _names(options: Options) -> Names:
    """Return the names; raises UserError when git would refuse them."""
    branch = remote.check_branch(options.branch, "--branch")
    base = remote.check_branch(options.base, "--base") if options.base else ""
    default = f"Bring the workflow in step with {PurePosixPath(options.spec).name}"
    message = options.message.strip() or default
    title = options.title.strip() or message.splitlines()[0]
    if not title.isprintable():
        raise UserError(
            f"{title!r} is not one line of text", where="--title", anchor=Heading.OPTION
        )
    return Names(branch, base, message, title)

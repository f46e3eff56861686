"""The verb `bootstrap`: a repository on GitHub that is ready for its first deploy."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import ExitStack, closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.bootstrap import first_run, settings, values, wanted
from gen_workflow.bootstrap.api import Api
from gen_workflow.bootstrap.bringing import Bootstrap
from gen_workflow.bootstrap.wanted import Wanted
from gen_workflow.commands import committed
from gen_workflow.commands.project import Project
from gen_workflow.errors import DONE, NOT_IN_STEP, Heading, UserError, shown
from gen_workflow.github import remote
from gen_workflow.github.answer import Foreign
from gen_workflow.github.client import Repository, check_token
from gen_workflow.github.connection import Connection
from gen_workflow.github.unreached import not_github
from gen_workflow.github.update import Names
from gen_workflow.report.terminal import log, put
from gen_workflow.spec.hints import listed, near

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_workflow.bootstrap.bringing import Applied, Look
    from gen_workflow.bootstrap.first_run import Run
    from gen_workflow.bootstrap.settings import Settings
    from gen_workflow.bootstrap.values import Values
    from gen_workflow.commands.options import Options
    from gen_workflow.workflow.records import Needs

_STDIN = "-"


def run(options: Options) -> int:
    """Say what a repository lacks, or set it up; return the exit code."""
    slug = _slug(options.names)
    branch = remote.check_branch(options.branch, "--branch")
    meant = _wanted(options)
    if options.run and meant.central:
        what = "a central workflow has no run of its own: other workflows call it"
        raise UserError(what, where="--run", hint="leave it out", anchor=Heading.OPTION)
    api = options.api_url or os.environ.get("GITHUB_API_URL", "")
    where = remote.find(options.folder, slug=slug, api=api)
    token = check_token(os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN") or "")
    title = f"Bring the workflow in step with {PurePosixPath(options.spec).name}"
    with ExitStack() as stack:

        def client(slug: str) -> Repository:
            return stack.enter_context(closing(Repository(slug, token, where.api, log)))

        api_of = Api(stack.enter_context(closing(Connection(slug, token, where.api, log))))
        work = Bootstrap(api_of, client, meant, Names(branch, "", title, title), log)
        try:
            return _done(api_of, work, options)
        except Foreign as came:
            raise not_github(where.api, "set the repository up", f"{came}") from None


def _done(api: Api, work: Bootstrap, options: Options) -> int:
    look = work.look()
    return _applied(api, work.apply(look), options) if options.yes else _told(api, look, options)


def _slug(names: Sequence[str]) -> str:
    if len(names) != 1 or not re.fullmatch(remote.SLUG, names[0]):
        what = f"{' '.join(names)!r} is not one OWNER/NAME" if names else "no repository is named"
        hint = "name it as in `gen-workflow bootstrap acme/shop`"
        raise UserError(what, where="bootstrap", hint=hint, anchor=Heading.REPOSITORY)
    return names[0]


def _wanted(options: Options) -> Wanted:
    """Return what the repository should have; raises UserError with what is wrong in a file."""
    project = Project.of(options)
    rendered = project.rendered()
    names = wanted.names(project.planned())
    given = _values(options.values, rendered.needs)
    return Wanted(
        project.spec(),
        _settings(options, names),
        names,
        rendered.needs,
        given,
        committed.wanted(project, rendered),
        _replaced(options.replace, rendered.needs, given),
        remote.has_commits(options.folder),
    )


def _settings(options: Options, environments: tuple[str, ...]) -> Settings:
    path = options.settings or os.path.normpath(Path(options.folder, settings.FILE))
    raw = files.read(path)
    if raw is None and options.settings:
        hint = "write it, or leave --settings out; docs/bootstrap.md says what it holds"
        raise UserError(f"there is no file {shown(path)}", hint=hint, anchor=Heading.FILE)
    return settings.read(raw or b"", path, environments)


def _values(file: str, needs: Sequence[Needs]) -> Values:
    if file == _STDIN:
        return values.read(sys.stdin.buffer.read(), "stdin", needs, os.environ)
    raw = files.read(file) if file else b""
    if raw is None:
        hint = "write NAME: value in it, a line each; `-` reads them from stdin"
        raise UserError(f"there is no file {shown(file)}", hint=hint, anchor=Heading.FILE)
    return values.read(raw, shown(file), needs, os.environ)


def _replaced(named: Sequence[str], needs: Sequence[Needs], given: Values) -> frozenset[str]:
    """Return the names in capitals; each is needed, and has a value that replaces the old one."""
    places = {
        (place.environment, one.name)
        for place in needs
        for one in (*place.variables, *place.secrets)
    }
    known = tuple(dict.fromkeys(name for _, name in sorted(places)))
    for name in named:
        meant = [(place, one) for place, one in places if one.upper() == name.upper()]
        what = "" if meant else f"{name!r} is nothing that the spec needs"
        hint = near(name, known) or f"the spec needs {listed(known) if known else 'nothing'}"
        if meant and not any(given.of(*each) for each in meant):
            what, hint = (
                f"{name} has no value",
                f"export {name}, or put it into a file for --values",
            )
        if what:
            raise UserError(what, where="--replace", hint=hint, anchor=Heading.OPTION)
    return frozenset(name.upper() for name in named)


def _told(api: Api, look: Look, options: Options) -> int:
    """Print the plan; return whether something is to be done."""
    steps = [*look.steps, *(["start the first run, and follow it"] if options.run else ())]
    if options.json:
        put(_as_json(api.slug, steps, look.already, look.left, applied=False))
    else:
        put(f"{api.slug}\n")
        _list("would", steps)
        _list("already so", look.already)
        _list_left(look.left, look.plan.lacking)
        if steps:
            put("`--yes` does what is listed under `would`; nothing was changed yet\n")
    return NOT_IN_STEP if steps or look.left else DONE


def _list(title: str, lines: Sequence[str]) -> None:
    if lines:
        put("\n".join([f"{title}:", *(f"  {line}" for line in lines), ""]))


def _list_left(left: Sequence[str], missing: Sequence[str]) -> None:
    """Print what a person has to do; `missing` are the values in it."""
    _list("left for you", left)
    if missing:
        put("  (export values under their names, or name a file that holds them with --values)\n")


def _applied(api: Api, applied: Applied, options: Options) -> int:
    """Start the first run when it is asked for; print what was done, and what is left."""
    ran = _run(api, applied) if options.run else None
    if options.json:
        text = _as_json(
            api.slug, applied.done, (), applied.left, applied=True, ran=ran, pull=applied.pull
        )
        put(text)
    else:
        _list_left(applied.left, applied.values)
        many = f"{len(applied.done)} steps" if len(applied.done) != 1 else "1 step"
        put(f"{api.slug}: {f'{many} done' if applied.done else 'nothing to do'}\n")
        if ran:
            put(f"{ran.url}: {ran.conclusion}\n")
    failed = options.run and not (ran and ran.succeeded)
    return NOT_IN_STEP if failed or applied.left else DONE


def _run(api: Api, applied: Applied) -> Run | None:
    if applied.lacking:
        log("no run was started: something is left for you that it needs")
        return None
    ran = first_run.run(api, PurePosixPath(files.WORKFLOW).name, applied.branch, log)
    for job in first_run.failed_jobs(api, ran) if not ran.succeeded else ():
        log(f"failed: {job}")
    return ran


def _as_json(
    slug: str,
    steps: Sequence[str],
    already: Sequence[str],
    left: Sequence[str],
    *,
    applied: bool,
    ran: Run | None = None,
    pull: str = "",
) -> str:
    told = {
        "version": 1,
        "repository": slug,
        "applied": applied,
        "steps": [*steps],
        "already": [*already],
        "left": [*left],
        "pull_request": pull or None,
        "run": {"url": ran.url, "conclusion": ran.conclusion} if ran else None,
    }
    return f"{json.dumps(told, indent=2)}\n"

"""The verb `bootstrap`: a repository on GitHub that is ready for its first deploy."""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.bootstrap import first_run, settings, values, wanted
from gen_workflow.bootstrap.api import Api
from gen_workflow.bootstrap.bringing import Bootstrap
from gen_workflow.bootstrap.wanted import Wanted
from gen_workflow.commands import committed
from gen_workflow.commands.project import Project
from gen_workflow.errors import DONE, NOT_IN_STEP, Heading, UserError, gathered, raise_all, shown
from gen_workflow.github import remote, tokens
from gen_workflow.github.answer import Foreign
from gen_workflow.github.client import Repository
from gen_workflow.github.connection import Connection
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
_READ_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


def run(options: Options) -> int:
    """Say what a repository lacks, or set it up; return the exit code."""
    api = options.api_url or os.environ.get("GITHUB_API_URL", "")
    slug, branch, meant, token = gathered(
        partial(_slug, options.names),
        partial(remote.check_branch, options.branch, "--branch"),
        partial(_wanted, options),
        partial(tokens.given, os.environ),
    )
    where = remote.find(options.folder, slug=slug, api=api)
    title = f"Bring the workflow in step with {PurePosixPath(options.spec).name}"
    with ExitStack() as stack:

        def client(slug: str) -> Repository:
            return stack.enter_context(closing(Repository(slug, token, where.api, log)))

        connection = Connection(slug, token, where.api, log, needs=tokens.OF_BOOTSTRAP)
        api_of = Api(stack.enter_context(closing(connection)))
        work = Bootstrap(api_of, client, meant, Names(branch, "", title, title), log)
        try:
            return _done(api_of, work, options)
        except Foreign as came:
            raise connection.foreign(came, "set the repository up") from None


def _done(api: Api, work: Bootstrap, options: Options) -> int:
    look = work.look()
    return _applied(api, work.apply(look), options) if options.yes else _told(api, look, options)


def _slug(names: Sequence[str]) -> str:
    if len(names) != 1 or not remote.is_slug(names[0]):
        what = f"{' '.join(names)!r} is not one OWNER/NAME" if names else "no repository is named"
        hint = "name it as in `gen-workflow bootstrap acme/shop`"
        raise UserError(what, where="bootstrap", hint=hint, anchor=Heading.REPOSITORY)
    return names[0]


def _wanted(options: Options) -> Wanted:
    """Return what the repository should have; raises UserError with what is wrong in a file."""
    project = Project.of(options)
    rendered = project.rendered()
    names = wanted.names(project.planned())
    needs = rendered.needs
    given, decided, replaced, _ = gathered(
        partial(_values, options.values, needs),
        partial(_settings, options, names),
        partial(_replaced, options.replace, needs),
        partial(_check_run, options, project),
    )
    _check_replacing(options.replace, needs, given)
    return Wanted(
        project.spec(),
        decided,
        names,
        needs,
        given,
        committed.wanted(project, rendered),
        replaced,
        remote.has_commits(options.folder),
    )


def _check_run(options: Options, project: Project) -> None:
    if options.run and project.spec().mode.central:
        what = "a central workflow has no run of its own: other workflows call it"
        raise UserError(what, where="--run", hint="leave it out", anchor=Heading.OPTION)


def _settings(options: Options, environments: tuple[str, ...]) -> Settings:
    path = options.settings or os.path.normpath(Path(options.folder, settings.FILE))
    raw = files.read(path)
    if raw is None and options.settings:
        hint = "write it, or leave --settings out; docs/bootstrap.md says what it holds"
        raise UserError(f"there is no file {shown(path)}", hint=hint, anchor=Heading.FILE)
    return settings.read(raw or b"", path, environments)


def _values(file: str, needs: Sequence[Needs]) -> Values:
    if file == _STDIN:
        raw = sys.stdin.buffer.read() if sys.stdin else b""  # None when it was closed
        return values.read(raw, "stdin", needs, os.environ)
    found = files.read(file) if file else b""
    if found is None:
        hint = "write NAME: value in it, a line each; `-` reads them from stdin"
        raise UserError(f"there is no file {shown(file)}", hint=hint, anchor=Heading.FILE)
    if file and Path(file).stat().st_mode & _READ_BY_OTHERS:
        what = f"warning: other users of this machine may read {shown(file)}"
        log(f"{what}\n  hint: chmod 600 {shlex.quote(file)}")
    return values.read(found, shown(file), needs, os.environ)


def _replaced(named: Sequence[str], needs: Sequence[Needs]) -> frozenset[str]:
    """Return the names in capitals; raises UserError with each that the spec does not need."""
    known = tuple(dict.fromkeys(name for _, name in sorted(_places(needs))))
    in_capitals = {name.upper() for name in known}
    some = f"the spec needs {listed(known) if known else 'nothing'}"
    unknown = [name for name in named if name.upper() not in in_capitals]
    what = "{!r} is nothing that the spec needs"
    raise_all([_no_replacing(what.format(name), near(name, known) or some) for name in unknown])
    return frozenset(name.upper() for name in named)


def _check_replacing(named: Sequence[str], needs: Sequence[Needs], given: Values) -> None:
    """Raise UserError with each name that is to be replaced and has no value."""
    there = {name.upper() for place, name in _places(needs) if given.of(place, name)}
    missing = [name for name in named if name.upper() not in there]
    hint = "export {}, or put it into a file for --values"
    raise_all([_no_replacing(f"{name} has no value", hint.format(name)) for name in missing])


def _no_replacing(what: str, hint: str) -> UserError:
    return UserError(what, where="--replace", hint=hint, anchor=Heading.OPTION)


def _places(needs: Sequence[Needs]) -> set[tuple[str, str]]:
    return {(at.environment, one.name) for at in needs for one in (*at.variables, *at.secrets)}


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

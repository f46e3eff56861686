"""The verb `fleet`: many repositories, which `plan` looks at and `apply` brings in step."""

from __future__ import annotations

import gc
import json
import os
import time
from collections import Counter
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.commands.of_a_fleet import Renderer
from gen_workflow.errors import DONE, NOT_IN_STEP, USER_MUST_ACT, Heading, UserError, shown
from gen_workflow.fleet import applying, journal, proposing, report, roster
from gen_workflow.fleet.applying import Apply
from gen_workflow.fleet.journal import Journal
from gen_workflow.fleet.pace import PER_HOUR, Pace
from gen_workflow.fleet.standing import LEFT_ALONE, NOT_POSSIBLE, TO_WRITE, Stands
from gen_workflow.fleet.survey import Survey
from gen_workflow.github import remote
from gen_workflow.github.client import Repository, check_token
from gen_workflow.github.connection import Connection
from gen_workflow.github.update import Names
from gen_workflow.report.terminal import log, put
from gen_workflow.spec.hints import listed, near

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_workflow.commands.options import Options
    from gen_workflow.fleet.applying import Applied
    from gen_workflow.fleet.roster import Member
    from gen_workflow.fleet.survey import Surveyed

_ACTS = ("plan", "apply")
# A run over a fleet takes hours, so it waits out a limit of GitHub, which ends after an hour.
_PATIENCE = 3700.0


def run(options: Options) -> int:
    """Look at the repositories of a fleet, or bring them in step; return the exit code."""
    gc.enable()  # `__main__` has switched it off, for runs that are over soon
    act, *named = options.names or ("plan",)
    _check_act(act)
    limit = _number(options.limit, "--limit")
    per_hour = _number(options.per_hour, "--per-hour") or PER_HOUR
    report.check_path(options.report_file)
    members = _chosen(_members(options.file), named, options.file)
    branch = remote.check_branch(options.branch, "--branch")
    api = remote.check_api(options.api_url or os.environ.get("GITHUB_API_URL", ""))
    token = check_token(os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN") or "")
    connection = Connection("", token, api, log, _PATIENCE)
    try:
        render = Renderer(options.file, options.templates).content
        survey = Survey(connection, branch, render)
        found = survey.look(members)
        todo = applying.to_write(found)[: limit or None]
        kept = Journal(journal.place(options.file))
        pace = Pace(kept.lately(time.time()), per_hour=per_hour)
        if act == "plan":
            return _told(found, todo, pace, options)
        apply = Apply(
            connection,
            survey.look,
            lambda slug: Repository(slug, token, api, log, _PATIENCE),
            _names(options, branch),
            pace,
            kept,
            log,
        )
        return _applied(found, todo, apply, options)
    finally:
        connection.close()


def _check_act(act: str) -> None:
    if act not in _ACTS:
        hint = near(act, _ACTS) or f"use one of {listed(_ACTS)}"
        raise UserError(f"{act!r} is not known", where="fleet", hint=hint, anchor=Heading.OPTION)


def _members(file: str) -> tuple[Member, ...]:
    raw = files.read(file)
    if raw is None:
        hint = "write one, or name it with --file; `gen-workflow fleet --help` says more"
        what = f"there is no file of a fleet {shown(file)}"
        raise UserError(what, hint=hint, anchor=Heading.NO_SPEC)
    return roster.read(raw, file)


def _chosen(members: tuple[Member, ...], named: list[str], file: str) -> tuple[Member, ...]:
    """Return the repositories that were named, all without a name."""
    known = {name.lower(): one for one in members for name in (one.slug, one.slug.split("/")[1])}
    for name in named:
        if name.lower() not in known:
            hint = near(name, tuple(one.slug for one in members)) or f"see `repos` in {file}"
            what = f"{name!r} is not a repository of the fleet"
            raise UserError(what, where=shown(file), hint=hint, anchor=Heading.OPTION)
    wanted = {known[name.lower()].slug for name in named}
    return tuple(one for one in members if not named or one.slug in wanted)


def _number(text: str, option: str) -> int:
    """Return a whole number from 1 on; 0 when none was given."""
    if text and not (text.isascii() and text.isdigit() and 0 < int(text) < 10**6):
        what = f"{text!r} is not a whole number from 1 on"
        raise UserError(what, where=option, hint="give for example 20", anchor=Heading.OPTION)
    return int(text or 0)


def _names(options: Options, branch: str) -> Names:
    message = options.message.strip() or f"Bring the workflow in step with {options.file}"
    return Names(branch, "", message, options.title.strip() or message.splitlines()[0])


def _told(found: Sequence[Surveyed], todo: list[Surveyed], pace: Pace, options: Options) -> int:
    _report(options, "plan", found, {})
    if options.json:
        put(_as_json(found, {}))
        return _code(found)
    put("".join(f"{line}\n" for line in _table(found)))
    if todo:
        seconds = pace.lasts(time.time(), [proposing.CHANGES] * len(todo))
        many = f"{len(todo)} pull request{'s' if len(todo) > 1 else ''}"
        lasts = f", in about {seconds / 60:.0f} minutes" if seconds > 60 else ""  # noqa: PLR2004
        put(f"`fleet apply` opens or updates {many}{lasts}\n")
    return _code(found)


def _applied(
    found: Sequence[Surveyed], todo: list[Surveyed], apply: Apply, options: Options
) -> int:
    done: dict[str, Applied] = {}
    try:
        for one in apply.run(todo):
            done[one.slug] = one
            if not options.json:
                put(f"{one.slug}: {one.pull or one.error or 'in step meanwhile'}\n")
    finally:  # also when the run is stopped: the report says what was done until then
        _report(options, "apply", found, done)
    failed = [one for one in done.values() if one.error]
    if options.json:
        put(_as_json(found, done))
    else:
        put(f"{len(done) - len(failed)} brought in step by pull requests, {len(failed)} failed\n")
    left = [one for one in found if one.standing.slug not in done]
    return NOT_IN_STEP if failed else _code(left)


def _code(found: Sequence[Surveyed]) -> int:
    stands = {one.standing.stands for one in found}
    if stands & {*NOT_POSSIBLE}:
        return USER_MUST_ACT
    return NOT_IN_STEP if stands & {*TO_WRITE, *LEFT_ALONE} else DONE


def _table(found: Sequence[Surveyed]) -> list[str]:
    """Return a line for each repository that is not in step, and one with the sums."""
    standings = [one.standing for one in found if one.standing.stands != Stands.IN_STEP]
    width = max((len(one.slug) for one in standings), default=0)
    lines = []
    for one in standings:
        told = [one.pull, ", ".join(one.files), one.said]
        lines.append(f"{one.slug:{width}}  {one.stands:10}  {': '.join(filter(None, told))}")
    counts = Counter(one.standing.stands for one in found)
    sums = ", ".join(f"{count} {stands}" for stands, count in sorted(counts.items()))
    many = "repository" if len(found) == 1 else "repositories"
    return [*(line.rstrip() for line in lines), f"{len(found)} {many}: {sums}"]


def _as_json(found: Sequence[Surveyed], done: dict[str, Applied]) -> str:
    rows = report.rows((one.standing for one in found), done)
    return f"{json.dumps({'version': 1, 'repositories': rows}, indent=2)}\n"


def _report(
    options: Options, act: str, found: Sequence[Surveyed], done: dict[str, Applied]
) -> None:
    """Write the report, if one is wanted."""
    if options.report_file:
        rows = report.rows((one.standing for one in found), done)
        report.write(options.report_file, report.as_data(act, options.file, rows))

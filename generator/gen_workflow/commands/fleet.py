"""The verb `fleet`: many repositories, which `plan` looks at and `apply` brings in step."""

from __future__ import annotations

import gc
import os
from importlib import import_module
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.commands import fleet_spec, fleet_workflow, handled
from gen_workflow.commands.of_a_fleet import PATIENCE, Asked, Run
from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.fleet import choice, journal, organisation, proposing, report, roster
from gen_workflow.fleet.choice import Choice
from gen_workflow.fleet.journal import Journal
from gen_workflow.fleet.pace import PER_HOUR, PER_MINUTE
from gen_workflow.github import handling, remote, tokens
from gen_workflow.github.connection import Connection
from gen_workflow.report.terminal import log
from gen_workflow.spec.hints import listed, near

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options
    from gen_workflow.fleet.roster import Roster

_ACTS = ("plan", "apply", "status", "spec", "workflow")
_HOUR = 3600
_MOST_SHARDS = PER_MINUTE // proposing.CHANGES  # of which each may still make a change in a minute


def run(options: Options) -> int:
    """Do what the first name says, with the repositories that the others name; plan without one."""
    gc.enable()  # `__main__` has switched it off, for runs that are over soon
    act, *named = options.names or ("plan",)
    if act not in _ACTS:
        hint = near(act, _ACTS) or f"use one of {listed(_ACTS)}"
        raise UserError(f"{act!r} is not known", where="fleet", hint=hint, anchor=Heading.OPTION)
    fleet = _roster(options.file)
    if act == "workflow":
        shards = _number(options.shards, "--shards", most=_MOST_SHARDS) or 1
        return fleet_workflow.act(options, fleet, shards)
    if act == "spec":
        return fleet_spec.act(options.file, fleet, tuple(named))
    asked = _asked(options, tuple(named))
    for ring in (options.ring, options.after):
        choice.check_ring(fleet, ring, options.file)
    branch = remote.check_branch(options.branch, "--branch")
    api = remote.check_api(options.api_url or os.environ.get("GITHUB_API_URL", ""))
    token = tokens.given(os.environ)
    connection = Connection("", token, api, log, min(PATIENCE, asked.stop_after or PATIENCE))
    try:
        whole = organisation.complete(fleet, connection, options.file, log)
        choice.check_names(whole, options.file, log)
        members = choice.chosen(whole, asked.choice, options.file)
        this = Run(options, asked, connection, token, api, branch, whole, members)
        code: int = import_module(f"gen_workflow.commands.fleet_{act}").act(this)
        return code
    finally:
        connection.close()


def _asked(options: Options, named: tuple[str, ...]) -> Asked:
    failed = Journal(journal.place(options.file)).failed() if options.only_failed else None
    shard = choice.shard(options.shard, _MOST_SHARDS)
    return Asked(
        Choice(named, options.ring, shard, failed),
        _number(options.limit, "--limit"),
        _number(options.per_hour, "--per-hour") or PER_HOUR,
        _number(options.spread, "--spread", most=_HOUR),
        _number(options.canary, "--canary"),
        60 * (_number(options.within, "--within") or 60),
        60 * _number(options.stop_after, "--stop-after"),
        options.after,
        report.check_path(options.report_file),
        handled.of(options),
        again=options.again or options.closed == handling.REOPEN,
    )


def _roster(file: str) -> Roster:
    raw = files.read(file)
    if raw is None:
        hint = "write one, or name it with --file; `gen-workflow fleet --help` says more"
        what = f"there is no file of a fleet {shown(file)}"
        raise UserError(what, hint=hint, anchor=Heading.NO_SPEC)
    return roster.read(raw, file)


def _number(text: str, option: str, most: int = 10**6 - 1) -> int:
    """Return a whole number from 1 on; 0 when none was given."""
    if text and not (text.isascii() and text.isdigit() and 0 < int(text) <= most):
        what = f"{text!r} is not a whole number from 1 to {most}"
        raise UserError(what, where=option, hint="give for example 20", anchor=Heading.OPTION)
    return int(text or 0)

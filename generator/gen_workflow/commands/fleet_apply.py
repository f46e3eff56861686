"""The act `fleet apply`: opens the pull requests of a fleet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gen_workflow.commands.fleet_plan import as_json, code, rows
from gen_workflow.commands.of_a_fleet import PATIENCE
from gen_workflow.errors import DONE, NOT_IN_STEP
from gen_workflow.fleet import applying, journal, report, through
from gen_workflow.fleet.alone import alone
from gen_workflow.fleet.applying import Apply
from gen_workflow.fleet.canary import Canary
from gen_workflow.fleet.journal import Journal
from gen_workflow.fleet.standing import LEFT_ALONE, NOT_POSSIBLE, TO_WRITE
from gen_workflow.github.client import Repository
from gen_workflow.github.update import Names
from gen_workflow.report.terminal import log, put

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_workflow.commands.of_a_fleet import Run
    from gen_workflow.fleet.applying import Applied
    from gen_workflow.fleet.survey import Surveyed


def act(run: Run) -> int:
    """Open or update the pull requests, one after the other; return the exit code."""
    if run.asked.after and not _is_through(run, run.asked.after):
        return DONE
    with alone(journal.lock(run.options.file)):
        kept = Journal(journal.place(run.options.file))
        kept.compact(time.time())
        found = run.look(run.members)
        todo = applying.to_write(found, again=run.asked.again)[: run.asked.limit or None]
        done: dict[str, Applied] = {}
        try:
            for one in _steps(run, _apply(run, kept), todo, found):
                done[one.slug] = one
                if not run.options.json:
                    put(f"{one.slug}: {one.pull or one.error or 'in step meanwhile'}\n")
        finally:  # also when the run was stopped: what was done until then is what counts
            run.report("apply", report.rows((one.standing for one in found), done))
    left = [one for one in found if one.standing.slug not in done]
    failed = sum(bool(one.error) for one in done.values())
    if run.options.json:
        put(as_json(found, done))
    else:
        put("".join(f"{line}\n" for line in _ended(left, len(done), failed)))
    return NOT_IN_STEP if failed else code(left)


def _ended(left: Sequence[Surveyed], done: int, failed: int) -> list[str]:
    """Return a line for each repository that was left alone, and what was done in the others."""
    standings = [one.standing for one in left]
    lines = rows([one for one in standings if one.stands in (*LEFT_ALONE, *NOT_POSSIBLE)])
    more = sum(one.stands in TO_WRITE for one in standings)
    lines += [f"{more} still to do"] if more else []
    return [*lines, f"{done - failed} brought in step by pull requests, {failed} failed"]


def _is_through(run: Run, ring: str) -> bool:
    """Tell whether a ring is through, and say how far it is when it is not."""
    found = through.follow(run.connection, run.look(run.ring(ring)), run.branch)
    done = sum(one.is_through for one in found)
    if done == len(found):
        return True
    far = f"through in {done} of its {len(found)} repositories"
    log(f"nothing was done, because the ring {ring} is {far}: see `fleet status --ring {ring}`")
    if run.options.json:
        put(as_json([], {}))
    return False


def _steps(
    run: Run, apply: Apply, todo: list[Surveyed], found: Sequence[Surveyed]
) -> Iterator[Applied]:
    """Yield what was done with each repository: at once, or after the first ones are green."""
    if not run.asked.canary:
        return apply.run(todo)
    first = Canary(run.connection, run.branch, run.asked.canary, run.asked.within, log)
    return first.run(apply, todo, found)


def _apply(run: Run, kept: Journal) -> Apply:
    options = run.options
    message = options.message.strip() or f"Bring the workflow in step with {options.file}"
    names = Names(run.branch, "", message, options.title.strip() or message.splitlines()[0])
    return Apply(
        run.connection,
        run.look,
        lambda slug: Repository(slug, run.token, run.api, log, PATIENCE),
        names,
        run.asked.pace(kept),
        kept,
        log,
        again=options.again,
        handling=run.asked.handling,
    )

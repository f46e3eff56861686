"""The act `fleet apply`: opens the pull requests of a fleet."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from gen_workflow.commands.fleet_plan import as_json, code, rows
from gen_workflow.errors import DONE, NOT_IN_STEP, GenWorkflowError
from gen_workflow.fleet import applying, journal, report
from gen_workflow.fleet.alone import alone
from gen_workflow.fleet.applying import Apply
from gen_workflow.fleet.canary import Canary
from gen_workflow.fleet.journal import Journal
from gen_workflow.fleet.standing import LEFT_ALONE, NOT_POSSIBLE, TO_WRITE
from gen_workflow.github.client import Repository
from gen_workflow.github.update import Names
from gen_workflow.report.progress import Progress
from gen_workflow.report.terminal import log, put

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_workflow.commands.of_a_fleet import Run
    from gen_workflow.fleet.applying import Applied
    from gen_workflow.fleet.survey import Surveyed


def act(run: Run) -> int:
    """Open or update the pull requests, one after the other; return the exit code."""
    asked = run.asked
    end = time.monotonic() + asked.stop_after if asked.stop_after else math.inf
    if asked.after and not _is_through(run, asked.after):
        return DONE
    with alone(journal.lock(run.options.file)):
        kept = Journal(journal.place(run.options.file))
        kept.compact(time.time())
        found = run.look(run.members)
        todo = applying.to_write(found, again=asked.again)[: asked.limit or None]
        done, stopped = _opened(run, _apply(run, kept, end), todo, found)
    return _told(run, found, done, stopped)


def _opened(
    run: Run, apply: Apply, todo: list[Surveyed], found: Sequence[Surveyed]
) -> tuple[dict[str, Applied], GenWorkflowError | None]:
    """Return what was done with each repository, and the error that stopped the others."""

    def least(left: int) -> float:
        return apply.pace.lasts(time.time(), [run.asked.changes] * left)

    done: dict[str, Applied] = {}
    try:
        with Progress("opening", [one.standing.slug for one in todo], least) as progress:
            for one in _steps(run, apply, todo, found):
                done[one.slug] = one
                if not run.options.json:
                    put(f"{one.slug}: {one.pull or one.error or 'in step meanwhile'}\n")
                progress.forward(1)
    except GenWorkflowError as error:
        return done, error
    finally:  # also when the run was stopped: what was done until then is what counts
        run.report("apply", report.rows((one.standing for one in found), done))
    return done, None


def _told(
    run: Run,
    found: Sequence[Surveyed],
    done: dict[str, Applied],
    stopped: GenWorkflowError | None,
) -> int:
    """Print what was done, also when an error stopped the run; return the exit code.

    Raises that error, unless it is a part of the document that was asked for.
    """
    left = [one for one in found if one.standing.slug not in done]
    failed = sum(bool(one.error) for one in done.values())
    if not run.options.json:
        pulls = sum(bool(one.pull) for one in done.values())
        put("".join(f"{line}\n" for line in _ended(left, pulls, failed)))
        if stopped:
            raise stopped
    else:
        put(as_json(found, done, stopped))
        if stopped:
            log(stopped.report)
            return stopped.exit_code
    return NOT_IN_STEP if failed else code(left)


def _ended(left: Sequence[Surveyed], pulls: int, failed: int) -> list[str]:
    """Return a line for each repository that was left alone, and what was done in the others."""
    standings = [one.standing for one in left]
    lines = rows([one for one in standings if one.stands in (*LEFT_ALONE, *NOT_POSSIBLE)])
    more = sum(one.stands in TO_WRITE for one in standings)
    lines += [f"{more} still to do"] if more else []
    many = f"{pulls} pull request{'' if pulls == 1 else 's'}"
    return [*lines, f"{many} opened or updated, {failed} failed"]


def _is_through(run: Run, ring: str) -> bool:
    """Tell whether a ring is through, and say how far it is when it is not."""
    found = run.follow(run.look(run.ring(ring)))
    done = sum(one.is_through for one in found)
    if done == len(found):
        return True
    far = f"is not through yet ({done} of {len(found)})"
    log(f"nothing was done, because the ring {ring} {far}: see `fleet status --ring {ring}`")
    if run.options.json:
        put(as_json([], {}))
    return False


def _steps(
    run: Run, apply: Apply, todo: list[Surveyed], found: Sequence[Surveyed]
) -> Iterator[Applied]:
    """Yield what was done with each repository: at once, or after the first ones are green."""
    if not run.asked.canary:
        return apply.run(todo)
    within = min(run.asked.within, run.asked.stop_after or run.asked.within)
    first = Canary(run.connection, run.branch, run.asked.canary, within, log)
    return first.run(apply, todo, found)


def _apply(run: Run, kept: Journal, end: float) -> Apply:
    options = run.options
    message = options.message.strip() or f"Bring the workflow in step with {options.file}"
    names = Names(run.branch, "", message, options.title.strip() or message.splitlines()[0])
    return Apply(
        run.connection,
        run.look,
        lambda slug: Repository(slug, run.token, run.api, log, run.connection.patience),
        names,
        run.asked.pace(kept),
        kept,
        log,
        again=options.again,
        handling=run.asked.handling,
        end=end,
    )

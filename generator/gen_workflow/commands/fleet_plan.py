"""The act `fleet plan`: says where each repository of a fleet stands, and changes nothing."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from gen_workflow.errors import DONE, NOT_IN_STEP, USER_MUST_ACT
from gen_workflow.fleet import applying, journal, report
from gen_workflow.fleet.journal import Journal
from gen_workflow.fleet.standing import LEFT_ALONE, NOT_POSSIBLE, TO_WRITE, Stands
from gen_workflow.report.as_json import problems, text
from gen_workflow.report.terminal import put

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen_workflow.commands.of_a_fleet import Run
    from gen_workflow.errors import GenWorkflowError
    from gen_workflow.fleet.applying import Applied
    from gen_workflow.fleet.standing import Standing
    from gen_workflow.fleet.survey import Surveyed


def act(run: Run) -> int:
    """Print where each repository stands, and how long the pull requests will take."""
    found = run.look(run.members)
    run.report("plan", report.rows(one.standing for one in found))
    if run.options.json:
        put(as_json(found, {}))
        return code(found)
    put("".join(f"{line}\n" for line in table(found)))
    if todo := applying.to_write(found, again=run.asked.again)[: run.asked.limit or None]:
        pace = run.asked.pace(Journal(journal.place(run.options.file)))
        seconds = pace.lasts(time.time(), [run.asked.changes] * len(todo))
        many = f"{len(todo)} pull request{'s' if len(todo) > 1 else ''}"
        lasts = f", in about {seconds / 60:.0f} minutes" if seconds > 60 else ""  # noqa: PLR2004
        put(f"`fleet apply` opens or updates {many}{lasts}\n")
    return code(found)


def code(found: Sequence[Surveyed]) -> int:
    """Return the exit code for what was found."""
    stands = {one.standing.stands for one in found}
    if stands & {*NOT_POSSIBLE}:
        return USER_MUST_ACT
    return NOT_IN_STEP if stands & {*TO_WRITE, *LEFT_ALONE} else DONE


def table(found: Sequence[Surveyed]) -> list[str]:
    """Return a line for each repository that is not in step, and one with the sums."""
    lines = rows([one.standing for one in found if one.standing.stands != Stands.IN_STEP])
    counts = Counter(one.standing.stands for one in found)
    sums = ", ".join(f"{count} {stands}" for stands, count in sorted(counts.items()))
    many = "repository" if len(found) == 1 else "repositories"
    return [*lines, f"{len(found)} {many}: {sums}"]


def rows(standings: Sequence[Standing]) -> list[str]:
    """Return a line for each repository: its name, where it stands, and what is to be said."""
    width = max((len(one.slug) for one in standings), default=0)
    lines = []
    for one in standings:
        told = [one.pull, ", ".join(one.files), one.said]
        lines.append(f"{one.slug:{width}}  {one.stands:10}  {': '.join(filter(None, told))}")
    return [line.rstrip() for line in lines]


def as_json(
    found: Sequence[Surveyed],
    done: Mapping[str, Applied],
    stopped: GenWorkflowError | None = None,
) -> str:
    """Return the same as data, with what was done, and the error that stopped the run."""
    listed = report.rows((one.standing for one in found), done)
    document = {"version": 1, "repositories": listed, "problems": problems(stopped)}
    return text(document, indent=2)

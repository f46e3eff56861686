"""The act `fleet status`: where the pull requests of a fleet stand, and how its workflows do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import DONE, NOT_IN_STEP, USER_MUST_ACT
from gen_workflow.fleet import pulls
from gen_workflow.fleet.pulls import Light, Progress
from gen_workflow.fleet.standing import NOT_POSSIBLE, Stands
from gen_workflow.report.terminal import put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_workflow.commands.of_a_fleet import Run
    from gen_workflow.fleet.standing import Standing

_HEAD = ("repository", "stands", "pull request", "checks", "last run")
_THROUGH = (Stands.IN_STEP, Stands.ARCHIVED)


def act(run: Run) -> int:
    """Print how each repository does; return 0 when all are through.

    One is through when it is in step, no pull request of ours is open, and its last run was good.
    """
    found = run.look()
    standings = [one.standing for one in found]
    shown = [one.slug for one in standings if one.stands != Stands.UNSEEN]
    progress = dict(zip(shown, pulls.read(run.connection, shown, run.branch), strict=True))
    rows = [(one, progress.get(one.slug, Progress())) for one in standings]
    if run.options.json:
        version = {"version": 1, "repositories": [_as_data(*row) for row in rows]}
        put(f"{json.dumps(version, indent=2)}\n")
    else:
        put("".join(f"{line}\n" for line in _table(rows)))
    if {one.stands for one in standings} & {*NOT_POSSIBLE}:
        return USER_MUST_ACT
    return DONE if all(_is_through(*row) for row in rows) else NOT_IN_STEP


def _is_through(standing: Standing, at: Progress) -> bool:
    is_open = at.pull is not None and at.pull.state == "open"
    return (
        standing.stands in _THROUGH
        and not is_open
        and (at.run is None or at.run.light == Light.GREEN)
    )


def _table(rows: Sequence[tuple[Standing, Progress]]) -> list[str]:
    """Return a line for each repository, below the names of the columns, and one with the sums."""
    cells = [_HEAD, *(_cells(*row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    through = sum(_is_through(*row) for row in rows)
    many = "repository is" if len(rows) == 1 else "repositories are"
    return [*lines, f"{through} of {len(rows)} {many} through"]


def _cells(standing: Standing, at: Progress) -> tuple[str, ...]:
    pull, run = at.pull, at.run
    return (
        standing.slug,
        standing.stands,
        f"{pull.state} {pull.url}" if pull else "none",
        pull.checks if pull and pull.state == "open" else "",
        f"{run.light} ({run.said}) {run.url}"
        if run and run.light != Light.GREEN
        else run.light
        if run
        else "none",
    )


def _as_data(standing: Standing, at: Progress) -> dict[str, Any]:
    pull, run = at.pull, at.run
    return {
        "repository": standing.slug,
        "stands": standing.stands,
        "files": list(standing.files),
        "said": standing.said,
        "pull_request": pull and {"url": pull.url, "state": pull.state, "checks": pull.checks},
        "run": run and {"url": run.url, "result": run.light, "conclusion": run.said},
        "through": _is_through(standing, at),
    }

"""The act `fleet status`: where the pull requests of a fleet stand, and how its workflows do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import DONE, NOT_IN_STEP, USER_MUST_ACT
from gen_workflow.fleet import report
from gen_workflow.fleet.pulls import Light
from gen_workflow.fleet.standing import NOT_POSSIBLE
from gen_workflow.report.terminal import put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_workflow.commands.of_a_fleet import Run
    from gen_workflow.fleet.pulls import Run as LastRun
    from gen_workflow.fleet.through import Followed

_HEAD = ("repository", "stands", "pull request", "checks", "last run")


def act(run: Run) -> int:
    """Print how each repository does; return 0 when the change is through in all of them."""
    found = run.follow(run.look(run.members))
    run.report("status", [_row(one) for one in found])
    if run.options.json:
        data = {"version": 1, "repositories": [_as_data(one) for one in found]}
        put(f"{json.dumps(data, indent=2)}\n")
    else:
        put("".join(f"{line}\n" for line in _table(found)))
    if {one.standing.stands for one in found} & {*NOT_POSSIBLE}:
        return USER_MUST_ACT
    return DONE if all(one.is_through for one in found) else NOT_IN_STEP


def _table(found: Sequence[Followed]) -> list[str]:
    """Return a line for each repository, below the names of the columns, and one with the sums."""
    rows = [_HEAD, *map(_cells, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ([cell.ljust(n) for cell, n in zip(row, widths, strict=True)] for row in rows)
    lines = ["  ".join(row).rstrip() for row in padded]
    done = sum(one.is_through for one in found)
    many = "repository is" if len(found) == 1 else "repositories are"
    return [*lines, f"{done} of {len(found)} {many} through"]


def _cells(one: Followed) -> tuple[str, ...]:
    pull = one.progress.pull
    return (
        one.standing.slug,
        one.standing.stands,
        f"{pull.state} {pull.url}" if pull else "none",
        pull.checks if pull and pull.state == "open" else "",
        _said(one.progress.run),
    )


def _said(run: LastRun | None) -> str:
    if run is None:
        return Light.NONE
    return run.light if run.light == Light.GREEN else f"{run.light} ({run.said}) {run.url}"


def _row(one: Followed) -> dict[str, Any]:
    """Return the row of the report, which says in words how the pull request and the run do."""
    pull, run = one.progress
    (row,) = report.rows([one.standing])
    said = [one.standing.said, f"last run: {_said(run)}"]
    said += [f"pull request {pull.state}, checks {pull.checks}"] if pull else []
    return {**row, "pull_request": pull and pull.url, "said": "; ".join(filter(None, said))}


def _as_data(one: Followed) -> dict[str, Any]:
    pull, run = one.progress
    return {
        "repository": one.standing.slug,
        "stands": one.standing.stands,
        "files": list(one.standing.files),
        "said": one.standing.said,
        "pull_request": pull and {"url": pull.url, "state": pull.state, "checks": pull.checks},
        "run": run and {"url": run.url, "result": run.light, "conclusion": run.said},
        "through": one.is_through,
    }

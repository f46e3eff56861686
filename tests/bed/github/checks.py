"""The runs of workflows as GraphQL shows them: check suites of a commit, and their sum.

Source of the sum: GitHub's page "About status checks", and its GraphQL schema for the words. A
workflow that GitHub cannot start has a suite with STARTUP_FAILURE and no check run, so it is no
part of the sum: https://github.com/github/gh-actions-lock/issues/129.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bed.github.state import Repository, Run

_GOOD = ("SUCCESS", "NEUTRAL", "SKIPPED")


def of_a_commit(of: Repository, oid: str) -> dict[str, Any]:
    """Return the fields of a Commit that are about its checks."""
    runs = [one for one in of.runs if one.commit == oid]
    return {
        "statusCheckRollup": _sum(runs),
        "checkSuites": lambda **asked: _suites(of, runs, asked),
    }


def _sum(runs: list[Run]) -> dict[str, Any] | None:
    counted = [one for one in runs if one.conclusion != "STARTUP_FAILURE"]
    if not counted:
        return None
    if any(one.conclusion and one.conclusion not in _GOOD for one in counted):
        return {"state": "FAILURE"}
    return {"state": "SUCCESS" if all(one.conclusion for one in counted) else "PENDING"}


def _suites(of: Repository, runs: list[Run], asked: Mapping[str, Any]) -> dict[str, Any]:
    nodes = [
        {
            "status": "COMPLETED" if one.conclusion else "IN_PROGRESS",
            "conclusion": one.conclusion or None,
            "branch": {"name": one.branch},
            "workflowRun": {
                "url": f"https://github.com/{of.slug}/actions/runs/{one.number}",
                "createdAt": f"2026-11-01T00:{one.number:02}:00Z",
                "file": {"path": one.path},
            },
        }
        for one in runs
    ]
    return {"nodes": nodes[: asked["first"]], "totalCount": len(nodes)}

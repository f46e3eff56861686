"""What a person is told of a deploy that failed."""

from __future__ import annotations

import io

from far_side import COMMON, PROGRAM
from ship.errors import StepFailed
from ship.ssh_deploy.report import Report
from ship.ssh_deploy.rollout import Host
from ship.workflow import Workflow


def failure_of(*facts: str) -> StepFailed:
    """Return the error of a deploy to one host that told these facts."""
    host = Host(COMMON.targets[0], PROGRAM)
    host.facts.mark, host.failed = "m", True
    for fact in facts:
        host.facts.take(f"m {fact}")
    error = Report(COMMON, [host], Workflow({}, io.StringIO())).failure()
    assert isinstance(error, StepFailed)
    return error


def test_a_file_of_the_previous_release_that_is_not_back_is_told_beside_the_cause() -> None:
    cause, file = failure_of(
        "begin switch", "failure start-project", "unmoved /srv/app/x", "restored i", "finished 1"
    ).problems
    assert cause.what.endswith("the previous version serves again (i)")
    assert (
        file.what == "/srv/app/x on the host cannot be replaced by a file of the previous release"
    )
    assert file.hint == "look what is there, and move it away: the next deploy puts it back"


def test_what_is_in_the_way_is_told_once() -> None:
    problems = failure_of("begin switch", "failure in-the-way", "detail x", "unmoved x").problems
    assert len(problems) == 1

"""The order of a step: inputs, then a dry run or the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.build_push import report
from ship.build_push.facts import unasked
from ship.build_push.inputs import INPUTS, read_inputs
from ship.build_push.plan import plan

if TYPE_CHECKING:
    from ship.runner.step import Step

__all__ = ["INPUTS", "run"]


def run(step: Step) -> None:
    """Do the step. Raises ShipError."""
    want = read_inputs(step.env, step.context)
    for secret in (want.password, want.job_token, *(each.value for each in want.secrets)):
        step.workflow.mask(secret)
    report.known_outputs(want, step)
    if want.dry_run:
        report.notices(want, step)
        report.show(plan(want, unasked(want)), want, step)
    else:
        from ship.build_push.work import Work  # noqa: PLC0415 - 6 ms that a dry run need not pay

        Work(want, step).do()

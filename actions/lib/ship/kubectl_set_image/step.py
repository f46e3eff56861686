"""The order of the step: inputs, then the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kubectl_set_image.inputs import INPUTS, read_inputs
from ship.runner.errors import Interrupted

if TYPE_CHECKING:
    from ship.runner.step import Step

__all__ = ["INPUTS", "run"]


def run(step: Step) -> None:
    """Do the step. Raises ShipError."""
    step.workflow.output("status", "refused")
    step.workflow.output("changed", "false")
    inputs = read_inputs(step.env, step.context)
    for secret in inputs.hidden():
        step.workflow.mask(secret)
    from ship.kubectl_set_image.work import Work  # noqa: PLC0415 - not for a wrong input

    try:
        Work(inputs, step).do()
    except Interrupted:
        step.workflow.output("status", "cancelled")
        raise

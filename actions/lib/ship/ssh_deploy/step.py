"""The order of a deploy: inputs, plan, apply, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.errors import Interrupted
from ship.ssh_deploy.inputs import INPUTS, read_inputs
from ship.ssh_deploy.plan import plan

if TYPE_CHECKING:
    from ship.runner.step import Step
    from ship.ssh_deploy.common import Common
    from ship.ssh_deploy.program import Program

__all__ = ["INPUTS", "run"]


def run(step: Step) -> None:
    """Do the step. Raises ShipError."""
    step.workflow.output("result", "refused")
    inputs = read_inputs(step.env, step.context)
    for secret in inputs.secrets():
        step.workflow.mask(secret)
    program = plan(inputs, step.context)
    if inputs.common.dry_run:
        step.workflow.quote(f"{inputs.common.shown()}\n{program.shown()}")
    else:
        _deploy(program, inputs.common, step)


def _deploy(program: Program, common: Common, step: Step) -> None:
    # 4 ms that a wrong input and a dry run need not pay.
    from ship.ssh.connector import connect  # noqa: PLC0415
    from ship.ssh_deploy.apply import Host, Rollout  # noqa: PLC0415
    from ship.ssh_deploy.report import Report  # noqa: PLC0415

    hosts = [Host(target, program) for target in common.targets]
    report = Report(common, hosts, step.workflow)
    with (
        step.workflow.untrusted(),
        connect(common.targets, common.access, step.runner, step.workflow.say) as connector,
    ):
        if program.note:
            step.workflow.say(program.note)
        rollout = Rollout(program, hosts, connector, common.group_size())
        try:
            done = rollout.run(report.line)
        except Interrupted as error:
            # Before the connections end: GitHub may kill us meanwhile.
            report.write()
            raise report.interrupted(error) from None
    report.write(failed=not done)
    if not done:
        raise report.failure()

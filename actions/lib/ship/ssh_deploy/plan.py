"""What the hosts will run: it follows from the inputs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ship.runner.context import Context
    from ship.ssh_deploy.inputs import Inputs
    from ship.ssh_deploy.program import Program


def plan(inputs: Inputs, context: Context) -> Program:
    """Return the program of the chosen form."""
    common, form = inputs
    if form.kind == "script":
        from ship.ssh_deploy.script.plan import plan_script  # noqa: PLC0415

        return plan_script(common, form, context)
    if form.kind == "compose":
        from ship.ssh_deploy.compose.plan import plan_compose  # noqa: PLC0415

        return plan_compose(common, form, context)
    if form.kind == "proxy":
        from ship.ssh_deploy.proxy.plan import plan_proxy  # noqa: PLC0415

        return plan_proxy(common, form, context)
    from ship.ssh_deploy.run.plan import plan_run  # noqa: PLC0415

    return plan_run(common, form, context)

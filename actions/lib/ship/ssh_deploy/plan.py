"""What the hosts will run: it follows from the inputs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.ssh_deploy.compose.inputs import ComposeForm
from ship.ssh_deploy.compose.plan import plan_compose
from ship.ssh_deploy.proxy.inputs import ProxyForm
from ship.ssh_deploy.proxy.plan import plan_proxy
from ship.ssh_deploy.run.plan import plan_run
from ship.ssh_deploy.script.inputs import ScriptForm
from ship.ssh_deploy.script.plan import plan_script

if TYPE_CHECKING:
    from ship.runner.context import Context
    from ship.ssh_deploy.inputs import Inputs
    from ship.ssh_deploy.program import Program


def plan(inputs: Inputs, context: Context) -> Program:
    """Return the program of the chosen form."""
    common, form = inputs
    if isinstance(form, ScriptForm):
        return plan_script(common, form, context)
    if isinstance(form, ComposeForm):
        return plan_compose(common, form, context)
    if isinstance(form, ProxyForm):
        return plan_proxy(common, form, context)
    return plan_run(common, form, context)

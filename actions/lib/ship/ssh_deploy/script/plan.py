"""The program that runs plain commands on a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.ssh_deploy.program import LEAVE, Phase, Program

if TYPE_CHECKING:
    from ship.runner.context import Context
    from ship.ssh_deploy.common import Common
    from ship.ssh_deploy.script.inputs import ScriptForm

LOCK = Phase(
    "lock", "lock the service, so that no deploy runs at the same time", "nothing was touched"
)
SCRIPT = Phase(
    "script",
    "run the commands, up to the first that fails",
    "the commands that ran before the failure are not undone",
    in_groups=True,
)


def plan_script(common: Common, want: ScriptForm, context: Context) -> Program:
    """Return the program that runs the commands."""
    return Program(
        files=("host/common", "host/state", "script/script"),
        phases=(LOCK, SCRIPT, LEAVE),
        parameters={**common.parameters(context), "SCRIPT": want.script},
        environment=want.env,
    )

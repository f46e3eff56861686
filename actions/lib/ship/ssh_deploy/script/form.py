"""Commands over SSH and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ship.runner.command import Secret
from ship.ssh_deploy.inputs import read_app_environment, read_files, refuse
from ship.ssh_deploy.program import Phase, Program
from ship.ssh_deploy.run.form import LEAVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.context import Context
    from ship.runner.reader import Reader
    from ship.ssh_deploy.inputs import Common

# All of these are about an image: together with a script a migration in `before` would never run.
OF_AN_IMAGE = (
    "image", "rollback", "compose", "dir", "images", "files", "ports", "secret-files",
    "volumes", "networks", "labels", "memory", "cpus", "options", "command", "restart", "health",
    "health-command", "health-timeout", "stop-timeout", "before", "after", "keep",
    "registry-password",
)  # fmt: skip

LOCK = Phase("lock", "lock the service, so that no deploy runs meanwhile", "nothing was touched")
SCRIPT = Phase(
    "script",
    "run the commands, up to the first that fails",
    "what they did stays done",
    in_groups=True,
)


class ScriptForm(NamedTuple):
    """Commands and their environment."""

    script: Secret
    env: Mapping[str, Secret]
    # Nothing is pulled.
    login: None = None

    def program(self, common: Common, context: Context) -> Program:
        return plan_script(common, self, context)


def read_script_form(read: Reader, context: Context) -> ScriptForm:
    """Read the inputs of plain commands."""
    hint = "leave it out, or make two steps of it: one that deploys, and one that runs the script"
    refuse(read, OF_AN_IMAGE, "cannot be together with `script`", hint)
    return ScriptForm(
        script=Secret(read.raw("script").replace("\r\n", "\n")),
        env=read_app_environment(read, read_files(read, "env-file", context.workspace)),
    )


def plan_script(common: Common, want: ScriptForm, context: Context) -> Program:
    """Return the program that runs the commands."""
    return Program(
        files=("host/common", "host/state", "script/script"),
        phases=(LOCK, SCRIPT, LEAVE),
        parameters={**common.parameters(context), "SCRIPT": want.script},
        environment=want.env,
    )

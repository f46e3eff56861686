"""The inputs of plain commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.command import Secret
from ship.runner.named_tuple import NamedTuple
from ship.ssh_deploy.common import refuse
from ship.ssh_deploy.environment import read_app_environment, read_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from ship.runner.context import Context
    from ship.runner.reader import Reader

# These are about an image; with a script they would have no effect.
OF_AN_IMAGE = (
    "image", "rollback", "compose", "dir", "images", "files", "host-files", "ports", "secret-files",
    "volumes", "networks", "labels", "memory", "cpus", "options", "command", "restart", "health",
    "health-host", "health-status", "health-command", "health-timeout", "stop-timeout", "before",
    "after", "keep", "candidate",
    "registry-password", "adopt", "replaces", "older-commit",
)  # fmt: skip


class ScriptForm(NamedTuple):
    """Commands and their environment."""

    script: Secret
    env: Mapping[str, Secret]
    # Nothing is pulled.
    login: None = None
    kind: Literal["script"] = "script"


def read_script_form(read: Reader, context: Context) -> ScriptForm:
    """Read the inputs of plain commands."""
    hint = "leave it out, or use two steps: one that deploys, and one that runs the script"
    refuse(read, OF_AN_IMAGE, "cannot be used together with `script`", hint)
    return ScriptForm(
        script=Secret(read.raw("script").replace("\r\n", "\n")),
        env=read_app_environment(read, read_files(read, "env-file", context.workspace)),
    )

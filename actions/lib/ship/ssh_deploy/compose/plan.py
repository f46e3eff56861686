"""The program that brings a compose project to a new release."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING

from ship.runner.command import Secret
from ship.ssh_deploy.common import history
from ship.ssh_deploy.compose.answer import answer
from ship.ssh_deploy.compose.files import OVERRIDE, dotenv
from ship.ssh_deploy.compose.project import override
from ship.ssh_deploy.program import LEAVE, Phase, Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.context import Context
    from ship.ssh_deploy.common import Common
    from ship.ssh_deploy.compose.inputs import ComposeForm, Task

LOOK = Phase("look", "check that Docker and compose answer", "nothing was touched")
LOCK = Phase("lock", "lock the project", "nothing was touched")
PREPARE = Phase(
    "prepare",
    "clean up after a killed deploy, upload the files without replacing the live ones, let compose "
    "check them",
    "nothing was touched",
)
PULL = Phase(
    "pull",
    "set the digests in the project, check the disk, pull the missing images",
    "nothing was touched",
)
BEFORE = Phase(
    "before",
    "install the files, start what the commands of `before` need and run them",
    "the previous files are restored, and the services that were started stop",
    first_host=True,
)
SWITCH = Phase(
    "switch",
    "install the files, start the project and wait until all of it is healthy",
    "the previous files and images are restored",
    in_groups=True,
)
COMMIT = Phase(
    "commit",
    "record the release, remove old releases and their images",
    "the host undoes the switch, if it could not record the release",
)
AFTER = Phase(
    "after",
    "run the commands of `after`",
    "the new version keeps serving",
    first_host=True,
)

FIRST = (
    "host/common",
    "host/state",
    "host/history",
    "host/health",
    "host/image",
    "compose/compose",
    "compose/compose_release",
    "compose/compose_undo",
)
# What only these phases and later ones call, and no undo.
LATER = {
    PREPARE.name: ("compose/host_files",),
    PULL.name: (
        "host/service",
        "host/commit",
        "compose/compose_pull",
        "compose/compose_install",
        "compose/compose_up",
    ),
}


def plan_compose(common: Common, want: ComposeForm, context: Context) -> Program:
    """Return the program that brings the project to a new release."""
    before = (BEFORE,) if want.before else ()
    after = (AFTER,) if want.after else ()
    env = want.env
    return Program(
        files=(*FIRST, *(name for names in LATER.values() for name in names)),
        phases=(LOOK, LOCK, PREPARE, PULL, *before, SWITCH, COMMIT, *after, LEAVE),
        parameters={
            **common.parameters(context),
            **history(common, context, want.rollback),
            **want.login.parameters(),
            **common.identity(context),
            "FOLDER": want.folder,
            "HOST_FILES": _wishes(want.host_files),
            "FILES": _as_options(want.upload.compose),
            "ARCHIVE": Secret("") if want.rollback else want.upload.archive(),
            "OVERRIDE": override(want.images, {}) if want.images else "",
            "OVERRIDE_FILE": OVERRIDE,
            "PROJECT": want.project,
            "SAID_PROJECT": want.project,
            "BEFORE": _as_asked(want.before),
            "AFTER": _as_asked(want.after),
            "IMAGE": " ".join(dict.fromkeys(want.images.values())) or want.image,
            "REPOSITORY": want.repository,
            "ROLLBACK": want.rollback,
            "ENV_NAMES": " ".join(env or ()),
            "HEALTH_PATH": want.health,
            "HEALTH_HOST": want.health_host,
            "HEALTH_STATUS": want.health_status,
            "HEALTH_TIMEOUT": str(want.health_timeout),
            "KEEP": str(want.keep),
        },
        secret_files={} if env is None else {".env": dotenv(env)},
        answers={PREPARE.name: partial(answer, want)},
        later=LATER,
    )


def _as_asked(tasks: tuple[Task, ...]) -> str:
    return "\n".join(f"{task.service}: {task.command}" for task in tasks)


def _wishes(host_files: Mapping[str, str]) -> str:
    named = [f"{word} {path}" for path, word in host_files.items() if path]
    return "\n".join([*named, host_files.get("", "refuse")])


def _as_options(files: tuple[str, ...]) -> str:
    # With ./ in front, a name that begins with a dash is not an option.
    return shlex.join(word for name in files for word in ("-f", f"./{name}"))

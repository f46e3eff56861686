"""The program that replaces a single container."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ship.ssh_deploy.common import EVERYWHERE, history
from ship.ssh_deploy.program import LABEL, LEAVE, Phase, Program
from ship.ssh_deploy.run.options import FOUND_BY, named

if TYPE_CHECKING:
    from ship.runner.context import Context
    from ship.ssh_deploy.common import Common
    from ship.ssh_deploy.program import Value
    from ship.ssh_deploy.run.inputs import RunForm

# Docker shows the address of a published port without them.
NO_BRACKETS = str.maketrans("", "", "[]")
# nginx-proxy finds a container by it.
VIRTUAL_HOST = "VIRTUAL_HOST"
PREPARE = (
    Phase("look", "check that Docker answers", "nothing was touched"),
    Phase("lock", "lock the service", "nothing was touched"),
    Phase(
        "prepare",
        "clean up after a killed deploy, check ports, networks and the disk, pull the image",
        "nothing was touched",
    ),
)
BEFORE = Phase(
    "before",
    "run the commands of `before` in the new image",
    "nothing was touched",
    first_host=True,
)
CHECK = Phase(
    "check",
    "start a candidate without the published ports and wait until it is healthy",
    "the candidate is removed",
)
SWITCH = Phase(
    "switch",
    "stop the old container, start the new one and check it again on its real ports",
    "the previous container is started again",
    in_groups=True,
)
SWITCH_ALONE = SWITCH._replace(
    why="stop the old container, start the new one and check it on its real ports"
)
COMMIT = Phase(
    "commit",
    "keep the old container, record the release, remove images of old releases",
    "the new version keeps serving; the next deploy completes this phase",
)
AFTER = Phase(
    "after",
    "run the commands of `after` in the new image",
    "the new version keeps serving",
    first_host=True,
)


def plan_run(common: Common, want: RunForm, context: Context) -> Program:
    """Return the program that replaces the container; only the phase `switch` touches it."""
    before = (BEFORE,) if want.before else ()
    after = (AFTER,) if want.after else ()
    switch = (CHECK, SWITCH) if want.has_candidate else (SWITCH_ALONE,)
    # What no undo calls that begins before the first phase. The last redefines what owner.sh has.
    adopt = ("host/adopt",) if common.adopt else ()
    later = ("host/ports", "host/definition", "host/service", "host/commit", "host/owner", *adopt)
    return Program(
        files=(
            "host/common",
            "host/state",
            "host/history",
            "host/health",
            "host/image",
            *later,
            "run/run",
        ),
        phases=(*PREPARE, *before, *switch, COMMIT, *after, LEAVE),
        parameters={
            **common.parameters(context),
            **history(common, context, want.rollback),
            **want.login.parameters(),
            **common.identity(context),
            **_owner(common, want),
            **_container(common, want, context),
        },
        environment=want.env,
        secret_files=want.secret_files,
        later={PREPARE[0].name: later},
        note="" if want.has_candidate else _no_candidate(want),
    )


def _container(common: Common, want: RunForm, context: Context) -> dict[str, Value]:
    """Return how the container is made and checked, and what runs around it."""
    return {
        "IMAGE": want.image,
        "REPOSITORY": want.repository,
        "ROLLBACK": want.rollback,
        "NETWORKS": " ".join(want.networks),
        "HOST_PORTS": " ".join(port.of_host() for port in want.ports),
        "FLAGS": shlex.join(_flags(common, want, context)),
        "FOUND_BY": shlex.join(found_by(want)),
        "COMMAND": shlex.join(want.command),
        "SECRET_FILES": " ".join(want.secret_files),
        "PUBLISH": shlex.join(f"--publish={port}" for port in want.ports),
        "RESTART": want.restart,
        "STOP_TIMEOUT": str(want.stop_timeout),
        **_health(want),
        "KEEP": str(want.keep),
        "BEFORE": "\n".join(want.before),
        "AFTER": "\n".join(want.after),
    }


def _no_candidate(want: RunForm) -> str:
    both = f"because both would write to {', '.join(want.shared)}"
    why = both if want.candidate == "auto" else "because `candidate: never` says so"
    return (
        f"no candidate runs beside the service, {why}: the old container stops before the new one "
        "is checked, so the gap includes the whole start of the new version"
    )


def _owner(common: Common, want: RunForm) -> dict[str, Value]:
    """Return what is compared with the container that has the name."""
    ours: dict[str, Value] = {
        "EARLIER_NAME": common.earlier_name,
        "ADOPT": "yes" if common.adopt else "",
        "SERVED_PORTS": " ".join(dict.fromkeys(port.host for port in want.ports)),
        "SERVED_NAMES": "",
    }
    if not common.adopt:
        return ours
    return ours | {
        "ENV_NAMES": " ".join(want.env),
        "VOLUMES": " ".join(":".join(volume.split(":")[:2]) for volume in want.volumes),
        "SERVED": " ".join(str(port).translate(NO_BRACKETS) for port in want.ports),
    }


def _health(want: RunForm) -> dict[str, str]:
    checked = want.checked_port
    return {
        "HEALTH_PATH": want.health,
        "HEALTH_HOST": want.health_host,
        "HEALTH_STATUS": want.health_status,
        "HEALTH_COMMAND": want.health_command,
        "HEALTH_TIMEOUT": str(want.health_timeout),
        "HEALTH_PORT": checked.container if checked else "",
        "HEALTH_HOST_PORT": checked.host if checked else "",
        "ADDRESS": EVERYWHERE.get(checked.address, checked.address) if checked else "",
    }


def _flags(common: Common, want: RunForm, context: Context) -> tuple[str, ...]:
    ours = {
        "service": common.name,
        "repository": context.repository,
        "environment": common.environment,
        "revision": context.sha,
        "run": context.run_url,
    }
    return (
        *(f"--label={LABEL}.{name}={value}" for name, value in ours.items() if value),
        # Only names: Docker's client reads the values from its environment, so no argv has them.
        *(f"--env={name}" for name in want.env if name != VIRTUAL_HOST),
        *(f"--volume={volume}" for volume in want.volumes),
        *(each for each in want.options if each not in named(want.options, FOUND_BY)),
    )


def found_by(want: RunForm) -> tuple[str, ...]:
    """Return the flags by which users and other containers find the service."""
    return (
        *(f"--label={name}={value}" for name, value in want.labels.items()),
        *(f"--env={name}" for name in want.env if name == VIRTUAL_HOST),
        *named(want.options, FOUND_BY),
    )

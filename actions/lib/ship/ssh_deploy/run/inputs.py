"""The inputs of a single container."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from ship.images.pinned import read_pinned
from ship.images.reference import Name, Reference
from ship.runner.named_tuple import NamedTuple
from ship.ssh_deploy.common import refuse
from ship.ssh_deploy.environment import read_app_environment, read_files
from ship.ssh_deploy.health import GOOD, read_health_host, read_health_status
from ship.ssh_deploy.image import Login, read_login_for, read_repository, read_rollback
from ship.ssh_deploy.run.options import read_options
from ship.ssh_deploy.run.ports import read_ports
from ship.ssh_deploy.run.volumes import check_volumes, written_by_both
from ship.ssh_deploy.words import read_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from ship.runner.command import Secret
    from ship.runner.context import Context
    from ship.runner.reader import Reader
    from ship.ssh_deploy.run.ports import Port

NETWORK = re.compile(r"(?!(?:host|none)$)[a-zA-Z0-9][a-zA-Z0-9_.-]{0,100}")
# A name has two characters at least: Docker reads a single one as the drive of a Windows path.
VOLUME = re.compile(r"(?:/[^:\s]*|[a-zA-Z0-9][a-zA-Z0-9_.-]+):/[^:\s]*(?::[a-zA-Z,]+)?")
RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::[0-9]{1,9})?")
HEALTH = re.compile(r"/[!-~]*")
LABEL_NAME = re.compile(r"(?!io\.github\.gen-workflow)[A-Za-z0-9][!-<>-~]*")


class RunForm(NamedTuple):
    """The inputs of a single container, checked and complete."""

    image: str
    repository: str
    rollback: str
    login: Login
    ports: tuple[Port, ...]
    env: Mapping[str, Secret]
    secret_files: Mapping[str, Secret]
    volumes: tuple[str, ...]
    networks: tuple[str, ...]
    labels: Mapping[str, str]
    options: tuple[str, ...]
    command: tuple[str, ...]
    restart: str
    health: str
    health_command: str
    health_timeout: int
    stop_timeout: int
    keep: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    health_host: str = ""
    health_status: str = GOOD
    candidate: str = "auto"
    kind: Literal["run"] = "run"

    @property
    def checked_port(self) -> Port | None:
        """The port at which the health path is asked."""
        return next((port for port in self.ports if port.protocol == "tcp"), None)

    @property
    def shared(self) -> tuple[str, ...]:
        """What the old and the new container would both write to if they ran at the same time."""
        return written_by_both(self.volumes, self.options)

    @property
    def has_candidate(self) -> bool:
        """Whether a candidate may run beside the service."""
        return self.candidate == "always" or (self.candidate == "auto" and not self.shared)


def read_run_form(read: Reader, context: Context) -> RunForm:
    """Read the inputs of a single container; notes every problem."""
    rollback = read_rollback(read)
    image, repository = _image(read, rollback)
    ports = read_ports(read)
    hint = "give `compose` as well (its variable may be misspelt or empty), or leave this out"
    refuse(read, ("dir", "images", "files", "host-files"), "is only for a compose project", hint)
    return RunForm(
        image=image,
        repository=str(repository) if repository.registry else "",
        rollback=rollback,
        login=read_login_for(read, repository, context),
        ports=ports,
        env=read_app_environment(read, read_files(read, "env-file", context.workspace)),
        secret_files=read.environment("secret-files"),
        volumes=_volumes(read),
        networks=_networks(read),
        labels=read.named_pairs("labels", LABEL_NAME, "a label"),
        options=read_options(read),
        command=read_command(read, "command", read.text("command")),
        restart=_restart(read),
        health=_health(read, ports),
        health_host=read_health_host(read),
        health_status=read_health_status(read),
        health_command=_health_command(read),
        health_timeout=read.number("health-timeout", 1, 3600, 60),
        stop_timeout=read.number("stop-timeout", 0, 3600, 10),
        keep=read.number("keep", 1, 1000, 3),
        before=_commands(read, "before"),
        after=_commands(read, "after"),
        candidate=read.choice("candidate", ("auto", "always", "never")),
    )


def _image(read: Reader, rollback: str) -> tuple[str, Name]:
    text = read.text("image")
    parsed = Reference.parse_pinned(text)
    if parsed:
        return str(parsed), parsed.name
    if rollback:
        return "", read_repository(read, text)
    hint = "give the output `image` of build-push; it is empty when nothing was pushed"
    if read.required("image", hint):
        read_pinned(read, "image", text)
    return text, Name("", "")


def _each(
    read: Reader, name: str, pattern: re.Pattern[str], what: str, hint: str
) -> tuple[str, ...]:
    return tuple(read.matching(name, pattern, what, line, hint=hint) for line in read.lines(name))


def _volumes(read: Reader) -> tuple[str, ...]:
    hint = "write NAME:/PATH or /PATH:/PATH, with absolute paths"
    volumes = _each(read, "volumes", VOLUME, "a volume such as data:/var/lib/app", hint)
    check_volumes(read, (volume for volume in volumes if VOLUME.fullmatch(volume)))
    return volumes


def _networks(read: Reader) -> tuple[str, ...]:
    hint = "name a network that `docker network ls` prints on the host, but not host or none"
    return _each(read, "networks", NETWORK, "a network that a container can join", hint)


def _restart(read: Reader) -> str:
    hint = "write no, always, unless-stopped or on-failure:N"
    policy = read.text("restart", default="unless-stopped")
    return read.matching("restart", RESTART, "a restart policy", policy, hint=hint)


def _commands(read: Reader, name: str) -> tuple[str, ...]:
    """Return one command a line, with its words quoted so that no shell changes them."""
    return tuple(shlex.join(read_command(read, name, line)) for line in read.lines(name))


def _health(read: Reader, ports: tuple[Port, ...]) -> str:
    path = read.matching(
        "health",
        HEALTH,
        "a path that begins with /",
        read.text("health"),
        hint="write only the path, such as /health: the host sends the request to itself",
    )
    if path and not any(port.protocol == "tcp" for port in ports):
        read.problem(
            "health",
            f"{path!r} needs a published TCP port for its request, and there is none",
            "publish one in `ports`",
        )
    return path


def _health_command(read: Reader) -> str:
    command = read.text("health-command")
    if command and read.text("health"):
        read.problem(
            "health-command", "cannot be used together with `health`", "choose one of them"
        )
    return command

"""Deploying one container: what can be said of it, and the program that replaces it."""

from __future__ import annotations

import itertools
import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from ship.images.reference import Name, parse_name, split_digest
from ship.ssh_deploy.inputs import (
    Login,
    history,
    read_app_environment,
    read_files,
    read_login,
    refuse,
)
from ship.ssh_deploy.program import Phase, Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.command import Secret
    from ship.runner.context import Context
    from ship.runner.reader import Reader
    from ship.ssh_deploy.inputs import Common

NETWORK = re.compile(r"(?!(?:host|none)$)[a-zA-Z0-9][a-zA-Z0-9_.-]{0,100}")
OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
PORT = re.compile(
    rf"(?:(?P<address>{OCTET}(?:\.{OCTET}){{3}}|\[[0-9A-Fa-f:.]+\]):)?"
    r"(?P<host>[0-9]{1,5}):(?P<container>[0-9]{1,5})"
    r"(?:/(?P<protocol>tcp|udp))?"
)
# A name has two characters at least: Docker takes one for the drive of a Windows path.
VOLUME = re.compile(r"(?:/[^:\s]*|[a-zA-Z0-9][a-zA-Z0-9_.-]+):/[^:\s]*(?::[a-zA-Z,]+)?")
RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::[0-9]+)?")
HEALTH = re.compile(r"/[!-~]*")
MEMORY = re.compile(r"[1-9][0-9]*[bkmgBKMG]?")
CPUS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
LABEL_NAME = re.compile(r"(?!io\.github\.gen-workflow)[A-Za-z0-9][!-<>-~]*")
OPTION = re.compile(r"--([a-z][a-z0-9-]*)(=.*)?", re.DOTALL)
# The options that take no value; any other would take the word that comes next, which is the image.
# docs.docker.com/reference/cli/docker/container/create
SWITCHES = (
    "init", "privileged", "read-only", "no-healthcheck", "oom-kill-disable", "quiet",
    "disable-content-trust", "use-api-socket",
)  # fmt: skip
# A release to go back to: its digest, or a tag (docs.docker.com/reference/cli/docker/image/tag).
ROLLBACK = re.compile(r"previous|sha256:[0-9a-f]{64}|[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
LAST_PORT = 65535
# Where a port that is published on every address is asked.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104
LABEL = "io.github.gen-workflow"
# What these would do is done by an input of its own, or would take the way back away.
TAKEN = {
    "name": "name", "network-alias": "name", "publish": "ports", "publish-all": "ports",
    "env": "env", "env-file": "env-file", "volume": "volumes", "network": "networks",
    "net": "networks", "restart": "restart", "label": "labels", "memory": "memory", "cpus": "cpus",
    "stop-timeout": "stop-timeout",
}  # fmt: skip
FORBIDDEN = ("rm", "detach", "cidfile", "interactive", "tty", "attach", "pull", "help", "sig-proxy")

PREPARE = (
    Phase("look", "see that Docker answers", "nothing was touched"),
    Phase("lock", "lock the service", "nothing was touched"),
    Phase(
        "prepare",
        "mend what a killed deploy left, look at ports, networks and the disk, pull the image",
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
COMMIT = Phase("commit", "keep the old container, note the release, remove old ones", "it goes on")
AFTER = Phase(
    "after",
    "run the commands of `after` in the new image",
    "the new version goes on serving",
    first_host=True,
)
LEAVE = Phase("leave", "let go of the lock", "the host lets go of it by itself")


class Port(NamedTuple):
    """One published port; an empty address means all addresses of the host."""

    address: str
    host: str
    container: str
    protocol: str

    def meets(self, other: Port) -> bool:
        """Whether the host can have only one of the two."""
        if (self.host, self.protocol) != (other.host, other.protocol):
            return False
        everywhere = (self.is_everywhere, other.is_everywhere)
        shared = self.families & other.families
        return self.address == other.address or (any(everywhere) and bool(shared))

    @property
    def is_everywhere(self) -> bool:
        """Whether it is published on all addresses of its families."""
        return self.address in EVERYWHERE

    @property
    def families(self) -> frozenset[int]:
        """The versions of IP that it is published with."""
        return frozenset((4, 6) if not self.address else (6,) if self.address[0] == "[" else (4,))

    def __str__(self) -> str:
        address = f"{self.address}:" if self.address else ""
        return f"{address}{self.host}:{self.container}/{self.protocol}"


class RunForm(NamedTuple):
    """A container as the person wants it, checked and complete."""

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

    def program(self, common: Common, context: Context) -> Program:
        return plan_run(common, self, context)

    @property
    def checked_port(self) -> Port | None:
        """The port at which the health path is asked."""
        return next((port for port in self.ports if port.protocol == "tcp"), None)


def read_run_form(read: Reader, context: Context) -> RunForm:
    """Read the inputs of a single container; notes every problem."""
    rollback = read_rollback(read)
    image, repository = _image(read, rollback)
    ports = _ports(read)
    hint = "give `compose` too, whose variable may be misspelt or empty; or leave this out"
    refuse(read, ("dir", "images", "files"), "is for a compose project", hint)
    return RunForm(
        image=image,
        repository=str(repository) if repository.registry else "",
        rollback=rollback,
        login=read_login_for(read, repository, context.actor),
        ports=ports,
        env=read_app_environment(read, read_files(read, "env-file", context.workspace)),
        secret_files=read.environment("secret-files"),
        volumes=_each(
            read,
            "volumes",
            VOLUME,
            "a volume such as data:/var/lib/app",
            "write NAME:/PATH, or /PATH:/PATH; both begin with /, for the host has no workspace",
        ),
        networks=_each(
            read,
            "networks",
            NETWORK,
            "a network that the candidate can join too",
            "name one of `docker network ls` on the host, not host or none",
        ),
        labels=read.named_pairs("labels", LABEL_NAME, "a label"),
        options=_options(read),
        command=_words(read, "command", read.text("command")),
        restart=read.matching(
            "restart",
            RESTART,
            "a restart policy",
            read.text("restart", default="unless-stopped"),
            hint="write no, always, unless-stopped or on-failure:N",
        ),
        health=_health(read, ports),
        health_command=_health_command(read),
        health_timeout=read.number("health-timeout", 1, 3600, 60),
        stop_timeout=read.number("stop-timeout", 0, 3600, 10),
        keep=read.number("keep", 1, 1000, 3),
        before=_commands(read, "before"),
        after=_commands(read, "after"),
    )


def read_rollback(read: Reader) -> str:
    """Read which release to go back to; nothing where a new one is deployed."""
    text = read.text("rollback")
    if text.lower() == "previous":
        return "previous"
    hint = "write `previous`, or sha256:… alone, or a tag; an image by its name goes into `image`"
    return read.matching("rollback", ROLLBACK, "`previous`, a digest or a tag", text, hint=hint)


def _image(read: Reader, rollback: str) -> tuple[str, Name]:
    text = read.text("image")
    parsed = split_digest(text)
    if parsed:
        return f"{parsed[0]}@{parsed[1]}", parsed[0]
    if rollback:
        return "", read_repository(read, text)
    if not text:
        hint = "give the output `image` of build-push; an empty one means that nothing was pushed"
        read.problem("image", "is required but empty", hint)
    else:
        hint = "a tag can move; give name@sha256:…, such as the output `image` of build-push"
        read.problem("image", f"{text!r} names no digest", hint)
    return text, Name("", "")


def read_repository(read: Reader, text: str) -> Name:
    """Return the name of an image with or without digest and tag; nothing where none was given."""
    split = split_digest(text)
    if split:
        return split[0]
    name, colon, tag = text.rpartition(":")
    parsed = parse_name(name if colon and "/" not in tag else text)
    if text and not parsed:
        read.problem("image", f"{text!r} is not the name of an image")
    return parsed or Name("", "")


def read_login_for(read: Reader, repository: Name, actor: str) -> Login:
    """Read the login for the registry of a repository, which may be known to the host alone.

    Of a release to go back to the host knows the registry, and a password given is for that.
    """
    unknown = "" if read.text("registry-password") else "ghcr.io"
    return read_login(read, repository.registry or unknown, actor)


def _ports(read: Reader) -> tuple[Port, ...]:
    ports = tuple(port for line in read.lines("ports") if (port := _port(read, line)))
    twice = next((b for a, b in itertools.combinations(ports, 2) if a.meets(b)), None)
    if twice:
        hint = "publish it on other addresses, or on all of them by a line without an address"
        read.problem("ports", f"port {twice.host} of the host is published twice", hint)
    return ports


def _port(read: Reader, line: str) -> Port | None:
    match = PORT.fullmatch(line)
    numbers = (int(match["host"]), int(match["container"])) if match else (0,)
    if not match or not all(0 < number <= LAST_PORT for number in numbers):
        read.problem(
            "ports", f"{line!r} is not a port to publish", "write HOST:CONTAINER, such as 80:8080"
        )
        return None
    host, container = map(str, numbers)
    return Port(match["address"] or "", host, container, match["protocol"] or "tcp")


def _each(
    read: Reader, name: str, pattern: re.Pattern[str], what: str, hint: str
) -> tuple[str, ...]:
    return tuple(read.matching(name, pattern, what, line, hint=hint) for line in read.lines(name))


def _words(read: Reader, name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        read.problem(name, f"{text!r} cannot be split into words ({error})", "close the quotes")
        return ()


def _commands(read: Reader, name: str) -> tuple[str, ...]:
    """Return one command a line, its words quoted anew, so that no shell reads them otherwise."""
    return tuple(shlex.join(_words(read, name, line)) for line in read.lines(name))


def _options(read: Reader) -> tuple[str, ...]:
    """Return further options of `docker create`, each in the form that cannot be misread."""
    lines = [_words(read, "options", line) for line in read.lines("options")]
    options = tuple(word for line in lines for word in line)
    for word in options:
        match = OPTION.fullmatch(word)
        if not match:
            hint = "write each as --name=value or --name, such as --cap-drop=ALL"
            read.problem("options", f"{word!r} is not an option in its long form", hint)
        elif match[1] in TAKEN:
            read.problem("options", f"--{match[1]} has an input of its own: `{TAKEN[match[1]]}`")
        elif match[1] in FORBIDDEN:
            what = f"--{match[1]} would keep the deploy from its end, or take the way back away"
            read.problem("options", what, "leave it out")
        elif not match[2] and match[1] not in SWITCHES:
            hint = f"write --{match[1]}=value; an equals sign alone means an empty one"
            read.problem("options", f"--{match[1]} has no value", hint)
    memory = read.matching("memory", MEMORY, "a size such as 512m", read.text("memory"))
    cpus = read.matching("cpus", CPUS, "a number such as 1.5", read.text("cpus"))
    limits = {"--memory": memory, "--cpus": cpus}
    return (*options, *(f"{name}={value}" for name, value in limits.items() if value))


def _health(read: Reader, ports: tuple[Port, ...]) -> str:
    path = read.matching(
        "health",
        HEALTH,
        "a path that begins with /",
        read.text("health"),
        hint="write the path alone, such as /health: it is asked on the host itself",
    )
    if path and not any(port.protocol == "tcp" for port in ports):
        read.problem(
            "health",
            f"{path!r} is asked on the first published port, and there is none",
            "fill `ports` in",
        )
    return path


def _health_command(read: Reader) -> str:
    command = read.text("health-command")
    if command and read.text("health"):
        read.problem("health-command", "cannot be together with `health`", "choose one of them")
    return command


def plan_run(common: Common, want: RunForm, context: Context) -> Program:
    """Return the program that replaces the container; only the phase `switch` touches it."""
    checked = want.checked_port
    return Program(
        files=(
            "host/common",
            "host/state",
            "host/history",
            "host/health",
            "host/image",
            "run/run",
        ),
        phases=(
            *PREPARE,
            *((BEFORE,) if want.before else ()),
            CHECK,
            SWITCH,
            COMMIT,
            *((AFTER,) if want.after else ()),
            LEAVE,
        ),
        parameters={
            **common.parameters(context),
            **history(context),
            **want.login.parameters(),
            "SOURCE": context.repository,
            "IMAGE": want.image,
            "REPOSITORY": want.repository,
            "ROLLBACK": want.rollback,
            "NETWORKS": " ".join(want.networks),
            # A port on one address only may be free there and taken elsewhere: the start tells.
            "HOST_PORTS": " ".join(
                port.host for port in want.ports if port.protocol == "tcp" and not port.address
            ),
            "FLAGS": shlex.join(_flags(common, want, context)),
            "COMMAND": shlex.join(want.command),
            "SECRET_FILES": " ".join(want.secret_files),
            "PUBLISH": shlex.join(f"--publish={port}" for port in want.ports),
            "RESTART": want.restart,
            "STOP_TIMEOUT": str(want.stop_timeout),
            "HEALTH_PATH": want.health,
            "HEALTH_COMMAND": want.health_command,
            "HEALTH_TIMEOUT": str(want.health_timeout),
            "HEALTH_PORT": checked.container if checked else "",
            "HEALTH_HOST_PORT": checked.host if checked else "",
            "ADDRESS": EVERYWHERE.get(checked.address, checked.address) if checked else "",
            "KEEP": str(want.keep),
            "BEFORE": "\n".join(want.before),
            "AFTER": "\n".join(want.after),
        },
        environment=want.env,
        secret_files=want.secret_files,
    )


def _flags(common: Common, want: RunForm, context: Context) -> tuple[str, ...]:
    ours = {
        "service": common.name,
        "repository": context.repository,
        "revision": context.sha,
        "run": context.run_url,
    }
    return (
        *(f"--label={name}={value}" for name, value in want.labels.items()),
        *(f"--label={LABEL}.{name}={value}" for name, value in ours.items() if value),
        # Only names: Docker's client takes the values from its environment, so no argv has them.
        *(f"--env={name}" for name in want.env),
        *(f"--volume={volume}" for volume in want.volumes),
        *want.options,
    )

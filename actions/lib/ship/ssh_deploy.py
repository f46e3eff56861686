"""ssh-deploy: replace a container on a host, or put the previous one back."""

from __future__ import annotations

import base64
import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from ship import remote_script
from ship.command import Secret
from ship.deploy_advice import advice
from ship.docker_config import auth_key
from ship.errors import Evidence, Interrupted, ShipError, StepFailed, UserError
from ship.inputs import Reader
from ship.private_key import read_private_key
from ship.reference import Name, split_digest
from ship.remote_script import Facts, Phase
from ship.ssh import HOST, USER, Target, connect
from ship.workflow import cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.context import Context
    from ship.process import Finished, ProcessRunner
    from ship.ssh import Connection
    from ship.workflow import Workflow

INPUTS = (
    "host", "user", "port", "ssh-key", "known-hosts", "image", "name", "ports", "env", "volumes",
    "network", "restart", "health", "health-timeout", "stop-timeout", "registry-username",
    "registry-password", "dry-run",
)  # fmt: skip
# Docker wants two characters at least; the endings are those of our own helpers.
CONTAINER = re.compile(r"(?!.*\.(?:next|previous|candidate)$)[a-zA-Z0-9][a-zA-Z0-9_.-]{1,100}")
NETWORK = re.compile(r"(?!(?:host|none)$)[a-zA-Z0-9][a-zA-Z0-9_.-]{0,100}")
PORT = re.compile(
    r"(?:(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]):)?"
    r"(?P<host>[0-9]{1,5}):(?P<container>[0-9]{1,5})"
    r"(?:/(?P<protocol>tcp|udp))?"
)
# A name has two characters at least: Docker takes one for the drive of a Windows path.
VOLUME = re.compile(r"(?:/[^:\s]*|[a-zA-Z0-9][a-zA-Z0-9_.-]+):/[^:\s]*(?::[a-zA-Z,]+)?")
RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::[0-9]+)?")
HEALTH = re.compile(r"/[!-~]*")
# These steer the shell or Docker's client on the host before they reach the container; bash, which
# is `sh` on many hosts, does not even keep the value of some.
RESERVED = re.compile(
    r"DOCKER_.*|LD_.*|HOME|IFS|_|UID|EUID|PPID|GROUPS|SHELLOPTS|BASH.*|EPOCH.*|S?RANDOM|SECONDS"
    r"|LINENO|OPTIND|FUNCNAME|DIRSTACK|HISTCMD"
)
MISSING = "a misspelt secret, variable or output expands to nothing; check the `with:` of this step"
LAST_PORT = 65535
# The exit code of ssh itself; that of a command passes through (ssh(1), EXIT STATUS).
SSH_FAILED = 255
LABEL = "io.github.gen-workflow"


class Port(NamedTuple):
    """One published port; an empty address means all addresses of the host."""

    address: str
    host: str
    container: str
    protocol: str

    def __str__(self) -> str:
        address = f"{self.address}:" if self.address else ""
        return f"{address}{self.host}:{self.container}/{self.protocol}"


class Inputs(NamedTuple):
    """What the person asked for, checked and complete."""

    target: Target
    key: Secret
    image: str
    registry: str
    name: str
    ports: tuple[Port, ...]
    env: Mapping[str, Secret]
    volumes: tuple[str, ...]
    network: str
    restart: str
    health: str
    health_timeout: int
    stop_timeout: int
    username: str
    password: Secret
    dry_run: bool

    @property
    def auth(self) -> Secret:
        """The login as Docker's configuration has it; empty without a password."""
        pair = f"{self.username}:{self.password.reveal()}".encode()
        return Secret(base64.b64encode(pair).decode() if self.password else "")


def read_inputs(env: Mapping[str, str], context: Context) -> Inputs:
    """Read and check the inputs; raises UserError with everything that is wrong."""
    read = Reader(env)
    image, registry = _image(read)
    ports = _ports(read)
    wanted = Inputs(
        target=_target(read),
        key=read_private_key(read, "ssh-key"),
        image=image,
        registry=registry.registry,
        name=_name(read, context),
        ports=ports,
        env=_app_environment(read),
        volumes=_each(read, "volumes", VOLUME, "a volume such as data:/var/lib/app"),
        network=read.matching(
            "network", NETWORK, "a network that the candidate can join too", read.text("network")
        ),
        restart=read.matching(
            "restart", RESTART, "a restart policy", read.text("restart", default="unless-stopped")
        ),
        health=_health(read, ports),
        health_timeout=read.number("health-timeout", 1, 3600, 60),
        stop_timeout=read.number("stop-timeout", 0, 3600, 10),
        username=read.text("registry-username"),
        password=read.registry_password("registry-password", registry.registry),
        dry_run=read.flag("dry-run"),
    )
    read.done()
    return wanted


def _target(read: Reader) -> Target:
    host = read.required("host", MISSING)
    user = read.required("user", MISSING)
    known = read.required(
        "known-hosts", "run `ssh-keyscan HOST`, compare the keys, and save the lines"
    )
    read.matching("host", HOST, "the name or address of a host", host)
    read.matching("user", USER, "the name of a user", user)
    lines = (line.strip() for line in known.splitlines())
    return Target(host, user, read.number("port", 1, LAST_PORT, 22), "\n".join(lines) + "\n")


def _image(read: Reader) -> tuple[str, Name]:
    text = read.required(
        "image", "give the output `image` of build-push; an empty one means that nothing was pushed"
    )
    parsed = split_digest(text)
    if parsed:
        return f"{parsed[0]}@{parsed[1]}", parsed[0]
    if text:
        hint = "a tag can move; give name@sha256:…, such as the output `image` of build-push"
        read.problem("image", f"{text!r} names no digest", hint)
    return text, Name("", "")


def _name(read: Reader, context: Context) -> str:
    name = read.text("name", default=context.name)
    return read.matching("name", CONTAINER, "the name of a container", name)


def _ports(read: Reader) -> tuple[Port, ...]:
    ports = tuple(port for line in read.lines("ports") if (port := _port(read, line)))
    taken = [(port.address, port.host, port.protocol) for port in ports]
    for port, place in zip(ports, taken, strict=True):
        if taken.count(place) > 1:
            read.problem("ports", f"port {port.host} of the host is published twice")
            break
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


def _app_environment(read: Reader) -> dict[str, Secret]:
    env = read.environment("env")
    for name in filter(RESERVED.fullmatch, env):
        hint = "write it into the Dockerfile, or let the app read another name"
        read.problem("env", f"{name} would change the shell or Docker's client on the host", hint)
    return env


def _each(read: Reader, name: str, pattern: re.Pattern[str], what: str) -> tuple[str, ...]:
    return tuple(read.matching(name, pattern, what, line) for line in read.lines(name))


def _health(read: Reader, ports: tuple[Port, ...]) -> str:
    path = read.matching("health", HEALTH, "a path that begins with /", read.text("health"))
    if path and not any(port.protocol == "tcp" for port in ports):
        read.problem(
            "health",
            f"{path!r} is asked on the first published port, and there is none",
            "fill `ports` in",
        )
    return path


def plan(want: Inputs, context: Context) -> tuple[Phase, ...]:
    """Return the phases of the deploy; only the last one touches the service."""
    common = {"NAME": want.name, "IMAGE": want.image}
    checked = next((port for port in want.ports if port.protocol == "tcp"), None)
    health = {"HEALTH_PATH": want.health, "HEALTH_TIMEOUT": str(want.health_timeout)}
    flags = shlex.join(_flags(want, context))
    return (
        Phase(
            "prepare",
            f"pull {want.image} on {want.target.host}",
            "nothing was touched",
            {
                **common,
                "REGISTRY": auth_key(want.registry),
                "AUTH": want.auth,
                "NETWORK": want.network,
                # A port on one address only may be free there and taken elsewhere: the start tells.
                "HOST_PORTS": " ".join(
                    p.host for p in want.ports if p.protocol == "tcp" and not p.address
                ),
            },
        ),
        Phase(
            "check",
            "start a candidate without the published ports and wait until it is healthy",
            "the candidate is removed",
            {
                **common,
                **health,
                "FLAGS": flags,
                "HEALTH_PORT": checked.container if checked else "",
            },
            want.env,
        ),
        Phase(
            "switch",
            f"replace {want.name} and check it again on its real ports",
            "the previous container is started again",
            {
                **common,
                **health,
                "FLAGS": flags,
                "PUBLISH": shlex.join(f"--publish={port}" for port in want.ports),
                "RESTART": want.restart,
                "STOP_TIMEOUT": str(want.stop_timeout),
                "ADDRESS": _asked_at(checked),
                "HEALTH_HOST_PORT": checked.host if checked else "",
            },
            want.env,
        ),
    )


# Where a port that is published on every address is asked.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104


def _asked_at(port: Port | None) -> str:
    return EVERYWHERE.get(port.address, port.address) if port else ""


def _flags(want: Inputs, context: Context) -> tuple[str, ...]:
    labels = {"service": want.name, "revision": context.sha, "run": context.run_url}
    return (
        *(f"--label={LABEL}.{name}={value}" for name, value in labels.items() if value),
        # Only names: Docker's client takes the values from its environment, so no argv has them.
        *(f"--env={name}" for name in want.env),
        *(f"--volume={volume}" for volume in want.volumes),
        *((f"--network={want.network}",) if want.network else ()),
    )


def run(
    env: Mapping[str, str], context: Context, runner: ProcessRunner, workflow: Workflow
) -> None:
    """Do the step: read, plan, connect, run the phases, tell. Raises ShipError."""
    workflow.output("result", "refused")
    want = read_inputs(env, context)
    # The values of `env` come from secrets, which GitHub masks, or are plain and may be words that
    # the log needs.
    for secret in (want.key, want.password, want.auth):
        workflow.mask(secret)
    phases = plan(want, context)
    if want.dry_run:
        for number, phase in enumerate(phases, start=1):
            workflow.quote(f"{number}. {phase.shown()}")
        return
    with connect(want.target, want.key, runner, workflow.quote) as connection:
        facts = Facts()
        try:
            for phase in phases:
                _run_phase(phase, connection, facts, workflow)
        finally:
            _outputs(facts, workflow)
        _deployed(want, facts, workflow)


def _run_phase(phase: Phase, connection: Connection, facts: Facts, workflow: Workflow) -> None:
    script = remote_script.text(phase, facts.begin(phase))
    try:
        with workflow.group(phase.why), workflow.untrusted():
            finished = connection.script(
                script, phase.why, on_stdout=facts.take, on_stderr=workflow.say
            )
    except Interrupted as error:
        raise Interrupted.of(f"{error}; {_now_serving(facts)}") from None
    if finished.code == 0 and facts.ended:
        return
    raise _failed(facts, finished)


def _failed(facts: Facts, finished: Finished) -> ShipError:
    failure, detail = facts.get("failure"), facts.get("detail")
    if failure == "interrupted":
        return Interrupted.of(f"the deploy was cut short; {_now_serving(facts)}")
    if not failure and not facts.begun and finished.code != SSH_FAILED:
        failure, detail = "no-shell", finished.stderr.strip().rpartition("\n")[2]
    failure = failure or "connection-lost"
    what, hint = advice(failure, detail)
    # What a person can mend before anything was touched is no failure of the deploy.
    mendable = facts.result == "refused" and failure not in ("unhealthy", "pull", "connection-lost")
    return (UserError if mendable else StepFailed).of(
        f"{what}; {_now_serving(facts)}",
        hint=hint,
        evidence=_last_words(facts),
    )


def _last_words(facts: Facts) -> Evidence | None:
    if not facts.logs and facts.get("failure") != "unhealthy":
        return None
    text = "\n".join(facts.logs) or "(it wrote nothing to its log)"
    return Evidence("Last lines of the failed container", text)


def _now_serving(facts: Facts) -> str:
    return {
        "deployed": "the new version serves",
        "refused": "the service was not touched",
        "rolled-back": f"the previous version serves again ({facts.get('restored')})",
        "unknown": "the host finishes the switch or undoes it by itself: look which version serves",
    }.get(facts.result, "the previous version could not be started: log in to the host and look")


def _outputs(facts: Facts, workflow: Workflow) -> None:
    workflow.output("result", facts.result)
    workflow.output("previous-image", facts.get("previous"))
    workflow.output("image", facts.image)


def _deployed(want: Inputs, facts: Facts, workflow: Workflow) -> None:
    rows = {
        "Host": want.target.host,
        "Container": want.name,
        "Image": want.image,
        "Previous image": facts.get("previous") or "none: this is the first",
    }
    table = "".join(f"| {name} | {cell(value)} |\n" for name, value in rows.items())
    workflow.summary(f"### ✅ Deployed {cell(want.name)}\n\n| | |\n| --- | --- |\n{table}")
    workflow.say(f"{want.name} on {want.target.host} serves {want.image}")

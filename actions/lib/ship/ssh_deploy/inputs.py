"""What the person asked for: what all forms of deploy share, and which form it is."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from ship.images.docker_config import auth_key
from ship.runner.command import Secret
from ship.ssh import Access, Target, read_access, read_targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.context import Context
    from ship.runner.reader import Reader
    from ship.ssh_deploy.program import Value

# Docker wants two characters at least; the endings are those of our own helpers.
NAME = re.compile(r"(?!.*\.(?:next|previous|candidate)$)[a-zA-Z0-9][a-zA-Z0-9_.-]{1,100}")
NAME_HINT = (
    "write 2 to 101 of letters, digits, `_`, `.` and `-`; names that end in .next, .previous or "
    ".candidate are of ours"
)
GROUP = re.compile(r"[1-9][0-9]{0,3}|(?:[1-9][0-9]?|100)%")
# What action.yml gives where the person gives nothing.
DEFAULTS = {
    "restart": "unless-stopped",
    "proxy-tls": "false",
    "proxy-image": "basecamp/kamal-proxy@sha256:"
    "826a6f66c6ba26ac26197ac8755804403c9bb617b90cfac25c7972154c5328ab",
    "drain-timeout": "30",
    "health-timeout": "60",
    "stop-timeout": "10",
    "keep": "3",
}
MISSING = "a misspelt secret, variable or output expands to nothing; check the `with:` of this step"


class Common(NamedTuple):
    """What every form of deploy needs."""

    targets: tuple[Target, ...]
    access: Access
    name: str
    max_parallel: str
    lock_timeout: int
    lock_expiry: int
    dry_run: bool

    def group_size(self) -> int:
        """How many hosts are switched at a time; a percentage is of all, and one at least."""
        number = len(self.targets)
        if not self.max_parallel:
            return max(number, 1)
        if self.max_parallel.endswith("%"):
            return max(1, number * int(self.max_parallel[:-1]) // 100)
        return int(self.max_parallel)

    def shown(self) -> str:
        """Return for a person to read where it happens."""
        hosts = f"on {', '.join(map(str, self.targets))}"
        groups = f", {self.group_size()} at a time" if len(self.targets) > 1 else ""
        way = ", ".join(map(str, self.access.jumps))
        return hosts + groups + (f", through {way}" if way else "")

    def parameters(self, context: Context) -> dict[str, Value]:
        """Return what every script gets to know."""
        return {
            "NAME": self.name,
            "OWNER": context.attempt_url or context.actor or "a run without a number",
            "LOCK_TIMEOUT": str(self.lock_timeout),
            "LOCK_EXPIRES": str(self.lock_expiry),
        }


def history(context: Context) -> dict[str, Value]:
    """Return what a script that notes its deploys writes with each."""
    run = {
        "actor": context.actor,
        "run": context.run_url,
        "sha": context.sha,
        "ref": context.ref,
    }
    return {"HISTORY": json.dumps(run)[1:-1]}


def read_common(read: Reader, context: Context) -> Common:
    """Read what all forms share; notes every problem."""
    name = read.text("name", default=context.name)
    return Common(
        targets=read_targets(read),
        access=read_access(read),
        name=read.matching("name", NAME, "the name of a service", name, hint=NAME_HINT),
        max_parallel=read.matching(
            "max-parallel",
            GROUP,
            "a number of hosts or a percentage",
            read.text("max-parallel"),
            hint="write one such as 2 or 25%",
        ),
        lock_timeout=read.number("lock-timeout", 0, 86400, 600),
        lock_expiry=read.number("lock-expiry", 60, 86400, 3600),
        dry_run=read.flag("dry-run"),
    )


def refuse(read: Reader, names: tuple[str, ...], what: str, hint: str) -> None:
    """Note each of these inputs that the person gave: it would do nothing, which nobody sees."""
    for name in names:
        if read.text(name) not in ("", DEFAULTS.get(name)):
            read.problem(name, what, hint)


class Login(NamedTuple):
    """The login with which a host pulls; an empty password leaves the host's own in effect."""

    registry: str
    username: str
    password: Secret

    @property
    def auth(self) -> Secret:
        """The login as Docker's configuration has it; empty without a password."""
        pair = f"{self.username}:{self.password.reveal()}".encode()
        return Secret(base64.b64encode(pair).decode() if self.password else "")

    def parameters(self) -> dict[str, Value]:
        return {"REGISTRY": auth_key(self.registry), "AUTH": self.auth}


def read_login(read: Reader, registry: str, actor: str) -> Login:
    """Read the login for the registry of an image; without a user name `actor` has the password."""
    username = read.text("registry-username")
    password = read.registry_password("registry-password", registry)
    if not password and username not in ("", actor):
        read.problem("registry-password", f"is empty, and {username!r} would need it", MISSING)
    return Login(registry, username or actor, password)


# These steer the shell or Docker's client on the host before they reach the container; bash, which
# is `sh` on many hosts, does not even keep the value of some.
RESERVED = re.compile(
    r"DOCKER_.*|COMPOSE_.*|LD_.*|HOME|IFS|_|UID|EUID|PPID|GROUPS|SHELLOPTS|BASH.*|EPOCH.*|S?RANDOM"
    r"|SECONDS|LINENO|OPTIND|FUNCNAME|DIRSTACK|HISTCMD"
)


def read_app_environment(read: Reader, files: Mapping[str, str]) -> dict[str, Secret]:
    """Return the environment of the app: the files named by `env-file`, then `env` over them.

    A file has lines `NAME=value`, taken as they are, as `docker run --env-file` does.
    """
    env = {k: v for name, text in files.items() for k, v in lines_of_file(read, name, text)}
    env.update(read.environment("env"))
    for name in filter(RESERVED.fullmatch, env):
        hint = "write it into the Dockerfile, or let the app read another name"
        read.problem("env", f"{name} would change the shell or Docker's client on the host", hint)
    return env


NAME_OF_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def lines_of_file(read: Reader, name: str, text: str) -> list[tuple[str, Secret]]:
    """Return the variables of a file that `env-file` names; notes each line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        key, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if equals and NAME_OF_VARIABLE.fullmatch(key):
            found.append((key, Secret(value)))
        else:
            # Not the line itself: it may be a secret.
            read.problem("env-file", f"{name}:{number} is not of the form NAME=value")
    return found


def read_files(read: Reader, name: str, workspace: str) -> dict[str, str]:
    """Return the text of the files of the workspace that an input names, one a line."""
    import os  # noqa: PLC0415 - a deploy without files does without

    found = {}
    for line in read.lines(name):
        path = os.path.normpath(os.path.join(workspace, line))
        try:
            with open(path, encoding="utf-8") as file:
                found[line] = file.read()
        except (OSError, ValueError) as error:
            read.problem(
                name,
                f"{line!r} cannot be read ({getattr(error, 'strerror', None) or error})",
                "the path is relative to the workspace: did actions/checkout run before?",
            )
    return found

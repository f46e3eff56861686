"""The inputs that every form of deploy has: the hosts and the access to them, name and lock."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ship.images.reference import Name
from ship.runner.commit import commit_of
from ship.runner.named_tuple import NamedTuple
from ship.ssh import Access, Target, read_access, read_targets

if TYPE_CHECKING:
    from ship.runner.context import Context
    from ship.runner.reader import Reader
    from ship.ssh_deploy.program import Value

# Docker requires two characters at least; the endings are those of our own containers.
NAME = re.compile(r"(?!.*\.(?:next|previous|candidate)$)[a-zA-Z0-9][a-zA-Z0-9_.-]{1,100}")
NAME_HINT = (
    "write 2 to 101 letters, digits, `_`, `.` and `-`; the endings .next, .previous and .candidate "
    "are reserved"
)
# A port, a host name, an image without its tag, or an environment.
REPLACED = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._:/-]*")
GROUP = re.compile(r"[1-9][0-9]{0,3}|(?:[1-9][0-9]?|100)%")
# The address where the host asks for a port that is published on all addresses.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104
# The defaults of action.yml.
DEFAULTS = {
    "restart": "unless-stopped",
    "candidate": "auto",
    "proxy-tls": "false",
    "proxy-image": "basecamp/kamal-proxy@sha256:"
    "826a6f66c6ba26ac26197ac8755804403c9bb617b90cfac25c7972154c5328ab",
    "drain-timeout": "30",
    "health-status": "200-299",
    "health-timeout": "60",
    "stop-timeout": "10",
    "keep": "3",
    "host-files": "refuse",
    "adopt": "false",
    "older-commit": "refuse",
}


class Common(NamedTuple):
    """What every form of deploy needs."""

    targets: tuple[Target, ...]
    access: Access
    name: str
    max_parallel: str
    lock_timeout: int
    lock_expiry: int
    dry_run: bool
    # The GitHub environment, as it can be a part of a name.
    environment: str = ""
    # The name of the repository, where the default name has more than that.
    earlier_name: str = ""
    adopt: bool = False
    # What a service may have that this deploy changes: see `note_difference` in owner.sh.
    replaces: tuple[str, ...] = ()
    # Whether a commit may replace a newer one of its branch.
    may_be_older: bool = False

    def group_size(self) -> int:
        """Return how many hosts are switched at a time; a percentage gives one at least."""
        number = len(self.targets)
        if not self.max_parallel:
            return max(number, 1)
        if self.max_parallel.endswith("%"):
            return max(1, number * int(self.max_parallel[:-1]) // 100)
        return int(self.max_parallel)

    def shown(self) -> str:
        """Return the hosts, for a person."""
        hosts = f"this runs on {', '.join(map(str, self.targets))}"
        groups = f", on {self.group_size()} at a time" if len(self.targets) > 1 else ""
        way = ", ".join(map(str, self.access.jumps))
        return hosts + groups + (f", through {way}" if way else "")

    def parameters(self, context: Context) -> dict[str, Value]:
        """Return the parameters of every script."""
        return {
            "NAME": self.name,
            "OWNER": context.attempt_url or context.actor or "a run without a number",
            "LOCK_TIMEOUT": str(self.lock_timeout),
            "LOCK_EXPIRES": str(self.lock_expiry),
        }

    def identity(self, context: Context) -> dict[str, Value]:
        """Return what a script compares with the service that it would replace."""
        return {
            "SOURCE": context.repository,
            "ENVIRONMENT": self.environment,
            "REPLACES": " ".join(self.replaces),
        }


def history(common: Common, context: Context, rollback: str) -> dict[str, Value]:
    """Return what a script notes beside each release, and compares with what it noted before.

    What a rollback brings is not the commit of the run.
    """
    commit = commit_of(context)
    known = str(commit) if commit and not rollback else ""
    run = {
        "actor": context.actor,
        "run": context.run_url,
        "sha": context.sha,
        "ref": context.ref,
        **({"commit": known} if known else {}),
    }
    return {"HISTORY": json.dumps(run)[1:-1], "COMMIT": "" if common.may_be_older else known}


def read_common(read: Reader, context: Context) -> Common:
    """Read what all forms share; notes every problem."""
    default = default_name(read, context)
    name = read.text("name", default=default)
    # A workflow may write the name of the repository as it is.
    is_default = name == default or name.lower() == context.name
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
        environment=_environment(read),
        earlier_name=context.name if is_default and name != context.name else "",
        adopt=read.flag("adopt"),
        replaces=_replaces(read),
        may_be_older=read.choice("older-commit", ("refuse", "deploy")) == "deploy",
    )


def default_name(read: Reader, context: Context) -> str:
    """Return the name of the repository, with what tells its services and environments apart.

    The environment `production` adds nothing, nor does an image with the name of the repository.
    """
    alone = not read.text("script") and not read.text("compose")
    service = _service(read.text("image"), context.name) if alone else ""
    environment = _environment(read)
    parts = (context.name, service, "" if environment == "production" else environment)
    return "-".join(filter(None, parts))


def _service(image: str, repository: str) -> str:
    """Return what the name of an image adds to that of the repository: `api` for `shop-api`."""
    parsed = Name.of(image)
    last = parsed.path.rpartition("/")[2] if parsed else ""
    return "" if last == repository else last.removeprefix(f"{repository}-")


def _environment(read: Reader) -> str:
    """Return the GitHub environment as it can be a part of a name."""
    return re.sub(r"[^a-z0-9_.-]+", "-", read.text("environment").lower()).strip("-._")


def _replaces(read: Reader) -> tuple[str, ...]:
    words = read.text("replaces").replace(",", " ").split()
    hint = "list what the error message names, such as 8080 or ghcr.io/example/shop"
    return tuple(
        read.matching("replaces", REPLACED, "what a service has", word, hint=hint) for word in words
    )


def refuse(read: Reader, names: tuple[str, ...], what: str, hint: str) -> None:
    """Note each of these inputs that is given: it would silently have no effect."""
    for name in names:
        if read.text(name) not in ("", DEFAULTS.get(name)):
            read.problem(name, what, hint)

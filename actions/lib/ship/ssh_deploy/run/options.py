"""Further options of `docker create`, each in the form that cannot be misread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.ssh_deploy.words import read_words

if TYPE_CHECKING:
    from ship.runner.reader import Reader

MEMORY = re.compile(r"[1-9][0-9]*[bkmgBKMG]?")
CPUS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
OPTION = re.compile(r"--([a-z][a-z0-9-]*)(=.*)?", re.DOTALL)
# The options that take no value; any other would take the next word, which is the image.
# docs.docker.com/reference/cli/docker/container/create
SWITCHES = (
    "init", "privileged", "read-only", "no-healthcheck", "oom-kill-disable", "quiet",
    "disable-content-trust", "use-api-socket",
)  # fmt: skip
# These have an input of their own, or would make a rollback impossible.
TAKEN = {
    "name": "name", "network-alias": "name", "net-alias": "name", "publish": "ports",
    "publish-all": "ports", "env": "env", "env-file": "env-file", "volume": "volumes",
    "network": "networks", "net": "networks", "restart": "restart", "label": "labels",
    "memory": "memory", "cpus": "cpus", "stop-timeout": "stop-timeout",
}  # fmt: skip
# Others find a container by these: only the one that takes over gets them. Since version 25 the
# engine also tells the networks of a container its host name.
ADDRESSES = ("ip", "ip6", "link-local-ip", "mac-address")
FOUND_BY = ("label-file", "hostname", *ADDRESSES)
FORBIDDEN = ("rm", "detach", "cidfile", "interactive", "tty", "attach", "pull", "help", "sig-proxy")


def read_options(read: Reader) -> tuple[str, ...]:
    """Return further options of `docker create`, each in the form that cannot be misread."""
    lines = [read_words(read, "options", line) for line in read.lines("options")]
    options = tuple(word for line in lines for word in line)
    for word in options:
        match = OPTION.fullmatch(word)
        if not match:
            hint = "write each as --name=value or --name, such as --cap-drop=ALL"
            read.problem(
                "options", f"{word.partition('=')[0]!r} is not an option in its long form", hint
            )
        elif match[1] in TAKEN:
            read.problem("options", f"--{match[1]} has an input of its own: `{TAKEN[match[1]]}`")
        elif match[1] in FORBIDDEN:
            what = f"--{match[1]} would make the deploy hang, or make a rollback impossible"
            read.problem("options", what, "leave it out")
        elif not match[2] and match[1] not in SWITCHES:
            hint = f"write --{match[1]}=value, or --{match[1]}= for an empty value"
            read.problem("options", f"--{match[1]} has no value", hint)
    memory = read.matching("memory", MEMORY, "a size such as 512m", read.text("memory"))
    cpus = read.matching("cpus", CPUS, "a number such as 1.5", read.text("cpus"))
    limits = {"--memory": memory, "--cpus": cpus}
    return (*options, *(f"{name}={value}" for name, value in limits.items() if value))


def named(options: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the options that have one of some names."""
    return tuple(each for each in options if each[2:].partition("=")[0] in names)

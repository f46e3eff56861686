"""The environment of an app: the files that `env-file` names, and `env`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ship.runner.command import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.reader import Reader

# Bytes of a variable with its name and a NUL at the end: MAX_ARG_STRLEN of Linux.
LONGEST = 128 * 1024
CHECKOUT = (
    "the path is relative to the workspace: check that actions/checkout runs before this step"
)
# These steer the shell or Docker's client on the host before they reach the container; bash, which
# is `sh` on many hosts, does not keep the value of some.
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
    check_lengths(read, env)
    for name in filter(RESERVED.fullmatch, env):
        hint = "set it in the Dockerfile, or let the app read a variable with another name"
        read.problem("env", f"{name} would change the shell or Docker's client on the host", hint)
    return env


def check_lengths(read: Reader, env: Mapping[str, Secret]) -> None:
    """Note each variable that no program can be started with."""
    for name, value in env.items():
        if len(f"{name}={value.reveal()}".encode("utf-8", "surrogatepass")) >= LONGEST:
            hint = "let the app read a file: with `secret-files`, or `files` of a compose project"
            read.problem("env", f"{name} is too long: Linux allows 128 KiB for a variable", hint)


NAME_OF_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def lines_of_file(read: Reader, name: str, text: str) -> list[tuple[str, Secret]]:
    """Return the variables in a file that `env-file` names; notes each other line."""
    found = []
    # Not splitlines(), which would end a value at U+2028 and at a form feed too.
    for number, line in enumerate(text.split("\n"), start=1):
        key, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if equals and NAME_OF_VARIABLE.fullmatch(key):
            found.append((key, Secret(value)))
        else:
            # The line itself is not shown: it may be a secret.
            read.problem("env-file", f"{name}:{number} is not of the form NAME=value")
    return found


def read_files(read: Reader, name: str, workspace: str) -> dict[str, str]:
    """Return the text of the files in the workspace that an input lists, one a line."""
    found = {}
    for line in read.lines(name):
        path = os.path.normpath(os.path.join(workspace, line))
        try:
            with open(path, encoding="utf-8-sig") as file:
                found[line] = file.read()
        except (OSError, ValueError) as error:
            read.problem(
                name,
                f"{line!r} cannot be read ({getattr(error, 'strerror', None) or error})",
                CHECKOUT,
            )
    return found

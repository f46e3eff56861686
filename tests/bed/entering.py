"""Runs programs on a machine of the bed by entering its namespaces, as root.

`docker exec` does the same and takes a tenth of a second of a processor each time. The tests run
thousands of programs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
# What the image of the machines says.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin", "HOME": "/root", "LANG": "C.UTF-8"}
# By the lists of users and groups that the machine has.
BECOME = 'exec setpriv --reuid="$0" --regid="$(id -g "$0")" --init-groups "$@"'


def command(
    process: str, argv: Sequence[str], *, user: str, cwd: str | os.PathLike[str] | None
) -> tuple[str, ...]:
    """Return the command that runs a program where a process is, in the environment it gets."""
    folder = ("env", f"--chdir={os.fspath(cwd)}") if cwd else ()
    become = () if user == "root" else ("sh", "-c", BECOME, user)
    enter = ("/usr/bin/nsenter", f"--target={process}", *NAMESPACES, "--")
    return (*enter, *folder, *become, *argv)

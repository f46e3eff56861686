"""What is left of a bed on this machine."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from bed.command import run
from bed.removal import groups

if TYPE_CHECKING:
    from bed.lease import Lease


def traces(lease: Lease) -> list[str]:
    """Return everything of a bed: processes, folder, mounts, network, control groups and rules."""
    found = [f"process {line}" for line in processes(lease)]
    if lease.root.exists():
        found.append(f"folder {lease.root}")
    mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    found += [f"mount {line}" for line in mounts if lease.id in line]
    if Path("/sys/class/net", lease.bridge).exists():
        found.append(f"bridge {lease.bridge}")
    found += [f"group {path}" for path in groups(lease)]
    rules = run("iptables-save").stdout
    found += [f"rule {line}" for line in rules.splitlines() if lease.id in line]
    return found


def processes(lease: Lease) -> list[str]:
    """Return the command lines of an engine or a cluster, and of its helpers."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode()
            if lease.id in line:
                lines.append(line)
    return lines

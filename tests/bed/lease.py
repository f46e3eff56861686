"""Records which process owns which bed, so that no bed outlives its owner."""

from __future__ import annotations

import contextlib
import json
import secrets
from pathlib import Path
from typing import NamedTuple

from bed import cache
from bed.command import run

LABEL = "gen-workflow.bed"


class Lease(NamedTuple):
    """A bed on this machine: its id, the process that owns it, and its private folder.

    A bed that a person started has no owner. It stays until `python -m bed down`. `docker_host` is
    empty when the bed uses the default engine of the machine.
    """

    id: str
    owner: int
    # Clock ticks after boot. They distinguish the owner from a later process with the same number.
    owner_started: int
    folder: str
    docker_host: str
    # A Kubernetes, which has no engine for its machines.
    cluster: bool = False

    @property
    def root(self) -> Path:
        return Path(self.folder)

    @property
    def own_engine(self) -> bool:
        return bool(self.docker_host)

    @property
    def run_folder(self) -> Path:
        """The folder that is in the arguments of all processes that we started ourselves."""
        return self.root / "exec"

    @property
    def bridge(self) -> str:
        """The network interface of the bed. Linux allows 15 characters."""
        return f"bed-{self.id}"

    @property
    def prefix(self) -> str:
        """The prefix of all names in an engine."""
        return f"bed-{self.id}"

    def is_held(self) -> bool:
        """Return whether the owner lives. A bed of a person is held until it is taken down."""
        return not self.owner or started(self.owner) == self.owner_started

    def save(self) -> None:
        _file(self.id).write_text(json.dumps(self._asdict()), encoding="utf-8")

    def forget(self) -> None:
        _file(self.id).unlink(missing_ok=True)


def new(*, own_engine: bool, owner: int, cluster: bool = False) -> Lease:
    """Record a new bed before any part of it exists. Owner 0 is a person."""
    name = secrets.token_hex(4)
    # The path of a socket has at most 107 bytes, and a temporary folder may already be long.
    folder = f"/tmp/bed-{name}"
    host = f"unix://{folder}/docker.sock" if own_engine else ""
    lease = Lease(name, owner, started(owner) if owner else 0, folder, host, cluster)
    lease.save()
    lease.root.mkdir(mode=0o755)
    if own_engine or cluster:
        _put_in_memory(lease.root)
    return lease


def _put_in_memory(folder: Path) -> None:
    """Mount a file system in memory, where the machine allows that.

    An engine waits for the disk several times in each command, and has nothing here to lose.
    """
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(folder), check=False)


def leases() -> list[Lease]:
    """Return all recorded beds."""
    found = [_read(file) for file in sorted(_file("x").parent.glob("*.json"))]
    return [lease for lease in found if lease]


def _read(file: Path) -> Lease | None:
    # The record may be half written, or its owner may remove it at this moment.
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Lease(**json.loads(file.read_text(encoding="utf-8")))
    return None


def started(pid: int) -> int:
    """Return when a process started, in clock ticks after boot, or 0 when it does not exist."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] in "ZX" else int(fields[19])


def _file(name: str) -> Path:
    folder = cache.folder() / "beds"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.json"

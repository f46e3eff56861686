"""Removes a bed, with the same steps after success, failure, Ctrl-C and a kill of the owner."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bed import cache, emulation
from bed.command import run
from bed.engine import IPTABLES, Engine, between_machines
from bed.errors import BedError
from bed.lease import LABEL, Lease, leases
from bed.machines import image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.debian import Programs

STOP_SECONDS = 15
CGROUPS = Path("/sys/fs/cgroup")


def remove(lease: Lease, programs: Programs) -> None:
    """Remove a bed with everything that it started. A second call does nothing."""
    with cache.lock(f"beds/{lease.id}"):
        if lease.root.is_dir():
            _end_commands(lease, programs)
            if lease.own_engine or lease.cluster:
                _kill(lease)
            else:
                _empty(Engine(programs, lease))
            emulation.stop(lease)
            _delete(lease.root)
        lease.forget()
    (cache.folder() / f"beds/{lease.id}.lock").unlink(missing_ok=True)


def remove_stale(programs: Programs) -> list[Lease]:
    """Remove and return the beds whose owners ended without removing them."""
    stale = [lease for lease in leases() if not lease.is_held()]
    for lease in stale:
        remove(lease, programs)
    return stale


def keep(lease: Lease) -> subprocess.Popen[bytes]:
    """Start a process that removes the bed when our process has ended, even by `kill -9`.

    It waits for the end of its input. The kernel closes this input in whatever way we end.
    """
    path = str(Path(__file__).resolve().parent.parent)
    return subprocess.Popen(
        (sys.executable, "-m", "bed", "keep", lease.id),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        cwd="/",
        start_new_session=True,
    )


def _end_commands(lease: Lease, programs: Programs) -> None:
    """End the docker commands of the owner. A `docker run` can outlive its parent process."""
    program = f"{programs.bin}/docker\0".encode()
    config = f"DOCKER_CONFIG={lease.folder}/".encode()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            said = (path / "cmdline").read_bytes()
            if said.startswith(program) and config in (path / "environ").read_bytes():
                os.kill(int(path.name), signal.SIGKILL)


def _empty(engine: Engine) -> None:
    """Remove everything of the bed from an engine that is not its own."""
    mine = ("--filter", f"label={LABEL}={engine.lease.id}")
    try:
        if found := engine.docker("ps", "-aq", *mine, check=False).stdout.split():
            engine.docker("rm", "-fv", *found, check=False)
        engine.docker("network", "rm", engine.lease.prefix, check=False)
        engine.docker("image", "rm", image(engine), check=False)
    except subprocess.TimeoutExpired as error:
        raise BedError(f"the engine of this machine hangs: {error}") from error


def _kill(lease: Lease) -> None:
    """Kill our engine or cluster, its helpers and every process in its containers.

    It has no data to save. And this also works when the engine hangs.
    """
    end = time.monotonic() + STOP_SECONDS
    while (pids := {*_started(lease), *_contained(lease)}) and time.monotonic() < end:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    run("ip", "link", "delete", lease.bridge, check=False)
    run(*IPTABLES, "--delete", *between_machines(lease), check=False)
    while (folders := groups(lease)) and time.monotonic() < end:
        for folder in sorted(folders, reverse=True):
            # A process that was killed may leave its group a moment later.
            with contextlib.suppress(OSError):
                folder.rmdir()


def _started(lease: Lease) -> Iterator[int]:
    """Yield the processes that we started, such as dockerd, containerd, its shims, a kubelet."""
    folder = f"{lease.run_folder}".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if folder in path.read_bytes():
                yield int(path.parent.name)


def _contained(lease: Lease) -> Iterator[int]:
    for folder in groups(lease):
        with contextlib.suppress(OSError):
            for line in (folder / "cgroup.procs").read_text(encoding="utf-8").split():
                yield int(line)


def groups(lease: Lease) -> list[Path]:
    """Return the control groups of the bed: one tree (version 2), or one per controller (1)."""
    roots = [CGROUPS / lease.prefix, *CGROUPS.glob(f"*/{lease.prefix}")]
    return [Path(path) for root in roots for path, _, _ in os.walk(root)]


def _delete(folder: Path) -> None:
    """Delete a folder, and unmount what is mounted in it.

    A program whose owner was killed may still write or mount there. So this repeats until the
    folder no longer exists.
    """
    end = time.monotonic() + STOP_SECONDS
    while folder.exists() and time.monotonic() < end:
        _unmount(folder)
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)


def _unmount(folder: Path) -> None:
    """Unmount what is mounted in a folder, and the folder itself."""
    for line in reversed(Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()):
        place = line.split()[4]
        if f"{place}/".startswith(f"{folder}/"):
            run("umount", "--lazy", place, check=False)

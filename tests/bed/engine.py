"""The engine whose containers are the machines of the bed: the machine's own, or a new one."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from bed import cache
from bed.command import Completed, run
from bed.errors import BedError, Unavailable
from bed.lease import LABEL, Lease
from bed.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bed.debian import Programs

# Older engines refuse --privileged when a capability is missing, as in nested virtual machines.
OLDEST_ENGINE = 23
# Our engine assigns networks from this range. Docker's own default begins at 172.17.
ADDRESSES = "base=10.213.0.0/16,size=24"
START_SECONDS = 30
IPTABLES = ("iptables", "--wait")
# Programs in Go that live for minutes: they would spend a fourth of their start on collecting
# garbage from a heap that is still small. Memory is what we have enough of.
FEW_COLLECTIONS = {"GOGC": "400"}


class Engine:
    """Docker's command line, connected to the engine of one bed."""

    def __init__(self, programs: Programs, lease: Lease) -> None:
        self.programs = programs
        self.lease = lease
        self.env: Mapping[str, str] = self._env()
        self._daemon: subprocess.Popen[bytes] | None = None

    def docker(
        self,
        *argv: str,
        input: str | None = None,  # noqa: A002 - the word that subprocess uses
        check: bool = True,
        timeout: float | None = HANG_SECONDS,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run `docker ...` on the bed's engine."""
        return run(
            *self.command(*argv),
            input=input,
            check=check,
            timeout=timeout,
            env={**self.env, **(env or {})},
        )

    def command(self, *argv: str) -> tuple[str, ...]:
        return (str(self.programs.bin / "docker"), *argv)

    def start(self) -> None:
        """Start the engine, when it is ours, and the network of the bed."""
        if self.lease.own_engine:
            self._daemon = self._launch()
            self._wait(self._daemon)
        self._add_network()

    def reap(self) -> None:
        """Wait for the process of our own engine, after it was removed."""
        if self._daemon:
            self._daemon.wait()

    def gateway(self) -> str:
        """Return the address under which the bed's machines reach the one that runs the tests."""
        address = "{{(index .IPAM.Config 0).Gateway}}"
        asked = ("network", "inspect", "--format", address, self.lease.prefix)
        return self.docker(*asked).stdout.strip()

    def labels(self) -> tuple[str, ...]:
        return (
            "--label",
            f"{LABEL}={self.lease.id}",
            "--label",
            f"{LABEL}.owner={self.lease.owner}",
        )

    def _env(self) -> dict[str, str]:
        """Return the environment of the command line, without logins and contexts of the user."""
        config = self.lease.root / "docker-config"
        config.mkdir(exist_ok=True)
        plugins = config / "cli-plugins"
        if not plugins.is_symlink():
            plugins.symlink_to(self.programs.plugins)
        host = {"DOCKER_HOST": self.lease.docker_host} if self.lease.own_engine else {}
        return {"DOCKER_CONFIG": str(config), **host}

    def _add_network(self) -> None:
        # Closed: a request to a name outside the bed fails at once, and not after a minute.
        bridge = f"com.docker.network.bridge.name={self.lease.bridge}"
        options = ("--internal", "--opt", bridge, *self.labels())
        # Two beds that look for a free network at the same time would find the same one.
        with cache.lock("beds-network"):
            self.docker("network", "create", *options, self.lease.prefix)
        if self.lease.own_engine:
            run(*IPTABLES, "--insert", *between_machines(self.lease))

    def _launch(self) -> subprocess.Popen[bytes]:
        root = self.lease.root
        (root / "daemon.json").write_text("{}", encoding="utf-8")
        path = f"{self.programs.bin}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        with (root / "dockerd.log").open("wb") as log:
            return subprocess.Popen(
                (str(self.programs.bin / "dockerd"), *self._options(root)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **FEW_COLLECTIONS, "PATH": path},
                start_new_session=True,  # we react to Ctrl-C ourselves, in order
            )

    def _options(self, root: Path) -> tuple[str, ...]:
        return (
            f"--config-file={root}/daemon.json",
            f"--host={self.lease.docker_host}",
            f"--data-root={root}/data",
            f"--exec-root={self.lease.run_folder}",
            f"--pidfile={root}/docker.pid",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            f"--cgroup-parent=/{self.lease.prefix}",
            f"--default-address-pool={ADDRESSES}",
            # Engines on one machine would remove each other's rules; a closed network has none.
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            "--bridge=none",
        )

    def _wait(self, daemon: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and daemon.poll() is None:
            if not self.docker("version", check=False).returncode:
                return
            time.sleep(0.05)
        log = (self.lease.root / "dockerd.log").read_text(encoding="utf-8", errors="replace")
        last = "\n".join(log.splitlines()[-15:])
        raise BedError(f"dockerd did not start; its last lines:\n{last}")


def between_machines(lease: Lease) -> tuple[str, ...]:
    """Return the firewall rule that lets the bed's machines reach each other.

    Another engine, even one that has ended, may have set the machine to drop forwarded packets.
    """
    bridge = lease.bridge
    return ("FORWARD", "--in-interface", bridge, "--out-interface", bridge, "--jump", "ACCEPT")


def is_running(programs: Programs) -> bool:
    """Return whether this machine has an engine that we may use and that is new enough."""
    docker = (str(programs.bin / "docker"), "--context", "default")
    if os.environ.get("DOCKER_HOST", "unix://").partition(":")[0] != "unix":
        return False  # such an engine could not mount the folders of this machine
    asked = ("version", "--format", "{{.Server.Version}}")
    result = run(*docker, *asked, check=False, timeout=20)
    major = result.stdout.strip().partition(".")[0]
    return not result.returncode and major.isdigit() and int(major) >= OLDEST_ENGINE


def need_root() -> None:
    """Raise Unavailable when an engine of our own cannot be started."""
    if os.geteuid():
        raise Unavailable(
            "no Docker engine answers, and starting one takes root: "
            "start Docker and join its group, or run the tests as root"
        )

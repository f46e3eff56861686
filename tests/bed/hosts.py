"""The hosts of the bed: servers with SSH and known keys, most of them with Docker."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from bed import debian, keys
from bed.command import run
from bed.errors import BedError
from bed.machines import DOCKER, DOCKER_FOLDER, DockerMachine

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bed.command import Completed
    from bed.engine import Engine

USER = "deploy"
# The packets to SSH, and the packets from it.
TO_SSH = ("INPUT", "-p", "tcp", "--dport", "22")
FROM_SSH = ("OUTPUT", "-p", "tcp", "--sport", "22")
FAULTS_OF_SSH = (
    (*TO_SSH, "-j", "DROP"),
    (*FROM_SSH, "-j", "DROP"),
    (*TO_SSH, "-j", "REJECT", "--reject-with", "tcp-reset"),
)
SSHRC = "/etc/ssh/sshrc"
FILLER = "filler"
COMPOSE = "cli-plugins/docker-compose"
WRAPPED = "/usr/local/bin/docker"
CALLS = "/var/log/docker-calls"
WRAPPER = f"""\
#!/bin/sh
# Each call with the number of its arguments, so that an argument may hold anything.
printf '%s\\0' "$#" "$@" >>{CALLS}
{{script}}
exec {DOCKER}/bin/docker "$@"
"""


class HostOptions(TypedDict, total=False):
    """The options of `Bed.add_host`.

    `disk` is the size of its engine's disk, such as `64m`. A host with `behind` can be reached over
    SSH only from that other host. `engine` is the suite of Debian that its Docker comes from, one
    of [other-engines] in versions.toml. `compose` is the path of another `docker compose`, such as
    `tools.built("compose")` or `tools.built("oldest-compose")`; None means no compose.
    """

    disk: str
    behind: Host | None
    engine: str
    compose: Path | None


class Host(DockerMachine):
    """A server with SSH for the user `deploy`. Machines reach it by its name, and all by its IP.

    `private_key` is the text of the key that logs in. `known_hosts` are the correct lines for its
    name and IP, `hashed_known_hosts` the same lines with hashed names. `fingerprints` are those of
    its keys by type, such as `ED25519`. `Bed.host_authority` has signed its ED25519 key.
    """

    services: ClassVar[tuple[str, ...]] = ("docker", "sshd")
    user = USER

    def __init__(self, engine: Engine, name: str, /, **options: Unpack[HostOptions]) -> None:
        super().__init__(engine, name)
        self.disk = options.get("disk", "")
        self.behind = options.get("behind")
        self._compose = _compose_volumes(options)
        if suite := options.get("engine"):
            self.programs = debian.unpack_other_engine(suite)

    def make_files(self) -> None:
        super().make_files()
        keys.make_host_keys(self.folder)
        shutil.copy(self.bed_folder / "deploy.pub", self.folder / "authorized_keys")
        shutil.copy(self.bed_folder / "host_authority", self.folder)

    def options(self) -> tuple[str, ...]:
        return (*super().options(), *self._compose)

    @property
    def known_hosts(self) -> str:
        return keys.known_hosts(self.folder, self.name, self.ip)

    @property
    def hashed_known_hosts(self) -> str:
        return keys.hash_names(self.known_hosts)

    @property
    def fingerprints(self) -> dict[str, str]:
        return keys.fingerprints(self.folder)

    @property
    def private_key(self) -> str:
        return (self.bed_folder / "deploy").read_text(encoding="utf-8")

    def ssh(self, *argv: str, user: str = USER, check: bool = True, **options: Any) -> Completed:
        """Run a command over SSH from the machine that runs the tests, and verify the host key."""
        known = self.folder / "known_hosts"
        known.write_text(self.known_hosts, encoding="utf-8")
        given = (
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            f"UserKnownHostsFile={known}",
            "StrictHostKeyChecking=yes",
        )
        settings = [part for setting in given for part in ("-o", setting)]
        identity = ("-F", "none", "-i", str(self.bed_folder / "deploy"))
        target = f"{user}@{self.ip}"
        return run("ssh", *identity, *settings, target, *argv, check=check, **options)

    def kill_sessions(self) -> None:
        """Kill every SSH session, as when a server goes down. New sessions are accepted."""
        # Sessions are named `sshd: user@...` or `sshd: user [priv]`. The listener has another name.
        self.run("pkill", "-9", "-f", r"^sshd(-session)?: [a-z0-9_-]+[@ ]", check=False)

    def block_ssh(self) -> None:
        """Drop all packets to and from SSH, also of open connections, as a dead network does."""
        for rule in FAULTS_OF_SSH[:2]:
            self.run("iptables", "-I", *rule)

    def reset_ssh(self) -> None:
        """Answer all packets to SSH with a reset, as a firewall that has lost its state does."""
        self.run("iptables", "-I", *FAULTS_OF_SSH[2])

    def unblock_ssh(self) -> None:
        """End the effect of `block_ssh` and `reset_ssh`, if there is one."""
        for rule in FAULTS_OF_SSH:
            self.run("iptables", "-D", *rule, check=False)

    def slow_login(self, seconds: float) -> None:
        """Delay the start of every SSH session by so many seconds. 0 ends the delay."""
        self.write(SSHRC, f"sleep {seconds}\n")

    def fill_disk(self, *, leave: str = "0") -> None:
        """Fill the engine's disk until only this is free, such as `5M`. The host needs a `disk`."""
        if not self.disk:
            raise BedError(f"{self.name} uses the disk of this machine: add it with disk=")
        self._fill(DOCKER_FOLDER, leave)

    def free_disk(self) -> None:
        """Remove what `fill_disk` wrote."""
        self.run("rm", "-f", f"{DOCKER_FOLDER}/{FILLER}")

    def fill_home(self) -> None:
        """Put the home of the user on a full disk, with its content, until `free_home`."""
        home = f"/home/{USER}"
        size = "-osize=1m,mode=755"
        self.run("sh", "-ec", 'tar -C "$1" -c . >/run/home; mount -t tmpfs "$2" none "$1"', "-",
                 home, size)  # fmt: skip
        self.run("tar", "-C", home, "-xf", "/run/home")
        self._fill(home, "0")

    def free_home(self) -> None:
        """End the effect of `fill_home`."""
        self.run("umount", "--lazy", f"/home/{USER}")

    def _fill(self, folder: str, leave: str) -> None:
        script = 'cat /dev/zero >"$1" 2>/dev/null || truncate --size="-$2" "$1"'
        self.run("sh", "-c", script, "-", f"{folder}/{FILLER}", leave)

    def wrap_docker(self, script: str = "") -> None:
        """Run a shell script before each call of `docker`, except those of this class's `docker()`.

        The script has the arguments in `"$@"`. When it does not exit, the real `docker` runs. Each
        call is recorded until `unwrap_docker`; see `docker_calls`.
        """
        self.unwrap_docker()
        self.write(CALLS, "", mode="666")
        self.run("rm", WRAPPED)
        self.write(WRAPPED, WRAPPER.format(script=script), mode="755")

    def unwrap_docker(self) -> None:
        """End the effect of `wrap_docker`."""
        self.run("ln", "-sf", f"{DOCKER}/bin/docker", WRAPPED)

    def docker_calls(self) -> list[list[str]]:
        """Return the arguments of each call of `docker` since `wrap_docker`, in order."""
        words = iter(self.run("cat", CALLS).stdout.split("\0")[:-1])
        return [[next(words) for _ in range(int(count))] for count in words]

    def add_user_without_docker(self, name: str) -> None:
        """Add a user who may log in over SSH with the same key, but may not use Docker."""
        shown = ("--user-group", "--create-home", "--shell", "/bin/bash", "--password", "*")
        self.run("useradd", *shown, name)
        authorized = (self.folder / "authorized_keys").read_text(encoding="utf-8")
        home = f"/home/{name}/.ssh"
        self.write(f"{home}/authorized_keys", authorized, mode="600")
        self.run("chmod", "700", home)
        self.run("chown", "-R", f"{name}:{name}", home)

    def _wait(self) -> None:
        super()._wait()
        if self.behind:
            self.run("iptables", "-A", *TO_SSH, "!", "-s", self.behind.ip, "-j", "DROP")


def _compose_volumes(options: HostOptions) -> tuple[str, ...]:
    """Return the mounts that put another Compose, or none, where Docker looks for it."""
    if "compose" not in options:
        return ()
    if path := options["compose"]:
        return (f"--volume={path}:{DOCKER}/{COMPOSE}:ro",)
    # Otherwise Docker would find the machine's own Compose.
    others = [f"/{folder}/docker-compose" for folder in debian.PLUGIN_FOLDERS]
    hidden = [f"{DOCKER}/{COMPOSE}", *(path for path in others if Path(path).exists())]
    return tuple(f"--volume=/dev/null:{path}:ro" for path in hidden)


class HostWithoutDocker(Host):
    """A server without Docker."""

    services = ("sshd",)

    def options(self) -> tuple[str, ...]:
        return ("--cap-add=NET_ADMIN",)

    def _engine_mounts(self) -> dict[str, str]:
        # The machine's own Docker, if any, is hidden: a file that cannot be run is not found.
        found = [path for path in ("/usr/bin/docker", "/usr/sbin/docker") if Path(path).exists()]
        return {} if not found else {"/dev/null": f"{found[0]}:ro"}

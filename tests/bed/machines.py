"""The machines of the bed: containers with services, users and engines of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bed import buildkit, cache, entering
from bed.command import run
from bed.errors import BedError
from bed.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bed.command import Completed
    from bed.engine import Engine

IMAGE_FOLDER = Path(__file__).parent / "images/machine"
CHECKOUT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60
# Folders of the machine that runs the tests. /usr/local is left out: it belongs to its user.
SHARED = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf")
PRIVILEGED = ("--privileged", "--cgroupns=private")
# The network of an engine's own containers. They resolve the names of the bed there.
GATEWAY = "192.168.213.1"
DOCKER_FOLDER = "/var/lib/docker"
# The folder of the unpacked Docker on a machine.
DOCKER = "/opt/docker"
BUILDKIT_PORT = 1234
FILES_WITH = """\
cache=$1 checkout=$2
shift 2
cat >/run/text
find "$@" \\( -path "$cache" -o -path "$checkout" \\) -prune -o -type f -print0 |
  xargs -0r grep -lsF -f /run/text || :
rm /run/text
"""
# The number of the first process of a machine, and its address.
SEEN = "{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


class Machine:
    """A machine of the bed. Raises BedError when it does not start."""

    # The services that it runs, with the names of `start-machine`.
    services: ClassVar[tuple[str, ...]] = ()
    ip: str
    _process: str

    def __init__(self, engine: Engine, name: str) -> None:
        self.name = name
        self.engine = engine
        # The programs on it. They may be others than those of the engine that runs the machine.
        self.programs = engine.programs
        self.bed_folder = engine.lease.root
        self.folder = self.bed_folder / "machines" / name
        self.container = f"{engine.lease.prefix}-{name}"

    def start(self) -> None:
        """Start the machine, and return when all of its services answer.

        A machine that does not start is removed, so that the next try fails for its own reason.
        """
        volumes = [f"--volume={source}:{target}" for source, target in self.mounts().items()]
        self.folder.mkdir(parents=True)
        try:
            shutil.copy(self.bed_folder / "ca.crt", self.folder)
            self.make_files()
            self._run_container(volumes)
            self._wait()
        except BaseException:
            self.remove()
            raise

    def _run_container(self, volumes: Sequence[str]) -> None:
        names = ("--name", self.container, "--hostname", self.name, "--network-alias", self.name)
        # In memory: the file that says that the machine is up must not survive a power-off.
        where = ("--detach", "--network", self.engine.lease.prefix, "--tmpfs=/run")
        options = (*where, *names, *self.engine.labels(), *volumes, *self.options())
        self.engine.docker("run", *options, image(self.engine), *self.services)

    def make_files(self) -> None:
        """Write the files that only this machine has into its folder `/bed`."""

    def mounts(self) -> dict[str, str]:
        """Return the mounts, as source and `target:mode`."""
        system = [str(path) for path in Path("/usr").iterdir() if path.name != "local"]
        shared = {path: f"{path}:ro" for path in (*system, *SHARED) if Path(path).exists()}
        return {**shared, str(self.folder): "/bed:ro", **self._engine_mounts()}

    def _engine_mounts(self) -> dict[str, str]:
        return {str(self.programs.folder): f"{DOCKER}:ro"}

    def options(self) -> tuple[str, ...]:
        """Return further options of `docker run`."""
        return ()

    def run(
        self,
        *argv: str,
        input: str | None = None,  # noqa: A002 - the word that subprocess uses
        check: bool = True,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        timeout: float = HANG_SECONDS,
    ) -> Completed:
        """Run a program on the machine until it ends. With `check` it can raise CommandFailed.

        After `timeout` seconds the program is killed on the machine too. Its exit code is then 124.
        """
        limited = ("timeout", "--kill-after=5", str(timeout), *argv)
        command = self._command(limited, user=user, env=env, cwd=cwd, stdin=input is not None)
        return run(
            *command, input=input, check=check, timeout=timeout + 15,
            env=self._environment(user, env), whole_env=True,
        )  # fmt: skip

    def popen(
        self,
        *argv: str,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> subprocess.Popen[str]:
        """Start a program on the machine. `options` are passed to subprocess.Popen.

        A signal to the returned process does not reach the program. Send signals with
        `run("pkill", ...)`.
        """
        command = self._command(argv, user=user, env=env, cwd=cwd, stdin="stdin" in options)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(
            command,
            env=self._environment(user, env),
            **{"stdin": subprocess.DEVNULL, **pipes, **options},
        )

    def docker(self, *argv: str, check: bool = True) -> Completed:
        """Run `docker ...` on the machine's own engine."""
        return self.run(f"{DOCKER}/bin/docker", *argv, check=check)

    def pause(self) -> None:
        """Freeze the machine. It stays connected, but answers nothing."""
        self.engine.docker("pause", self.container)

    def unpause(self) -> None:
        self.engine.docker("unpause", self.container)

    def power_off(self) -> None:
        """Switch the machine off, like pulling its plug. Its name can no longer be resolved."""
        self.engine.docker("kill", self.container)

    def power_on(self) -> None:
        """Switch the machine on again, with the content of its disk. Its IP may have changed."""
        self.engine.docker("start", self.container)
        self._wait()

    def remove(self) -> None:
        """Remove the machine with all its content. Another machine may then get its name."""
        self.engine.docker("rm", "-fv", self.container, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, path: str, text: str, *, mode: str = "644", owner: str = "root") -> None:
        """Write a file on the machine. Create the folders above it."""
        script = 'mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"; chown "$3" "$1"'
        self.run("sh", "-ec", script, "-", path, mode, owner, input=text)

    def _command(
        self,
        argv: Sequence[str],
        *,
        user: str,
        env: Mapping[str, str] | None,
        cwd: str | os.PathLike[str] | None,
        stdin: bool,
    ) -> tuple[str, ...]:
        """Return the command that runs a program on the machine.

        The machines of our own engine have processes that are ours too: see `entering`.
        """
        if self.engine.lease.own_engine:
            return entering.command(self._process, argv, user=user, cwd=cwd)
        # Names only: docker takes the values from its environment, so no argument has them.
        names = self._added(user, env)
        variables = [part for name in names for part in ("--env", name)]
        folder = ("--workdir", os.fspath(cwd)) if cwd else ()
        keyboard = ("--interactive",) if stdin else ()
        options = (*keyboard, "--user", user, *variables, *folder)
        return self.engine.command("exec", *options, self.container, *argv)

    def _environment(self, user: str, env: Mapping[str, str] | None) -> dict[str, str]:
        """Return the environment of what `_command` returns."""
        if self.engine.lease.own_engine:
            return {**entering.ENVIRONMENT, "HOSTNAME": self.name, **self._added(user, env)}
        return {**os.environ, **self.engine.env, **self._added(user, env)}

    def _added(self, user: str, env: Mapping[str, str] | None) -> dict[str, str]:
        return {**({} if user == "root" else {"HOME": f"/home/{user}"}), **(env or {})}

    def _wait(self) -> None:
        until = ("sh", "-c", "until [ -e /run/ready ]; do sleep 0.05; done")
        command = ("exec", self.container, "timeout", str(START_SECONDS), *until)
        if self.engine.docker(*command, check=False, timeout=START_SECONDS + 10).returncode:
            said = self.engine.docker("logs", "--tail", "30", self.container, check=False)
            raise BedError(f"{self.name} did not start:\n{said.stdout}{said.stderr}")
        seen = self.engine.docker("inspect", "--format", SEEN, self.container).stdout
        self._process, self.ip = seen.split()


class DockerMachine(Machine):
    """A machine with an engine of its own.

    `disk` is the size of the engine's folder, such as `64m`, for all its images, containers and
    volumes. `power_off` empties it. Without `disk`, it is the free space of the machine that runs
    the tests.
    """

    containerd_store = False
    disk = ""

    def make_files(self) -> None:
        settings = {
            "bip": f"{GATEWAY}/24",
            "dns": [GATEWAY],
            "features": {"containerd-snapshotter": self.containerd_store},
        }
        (self.folder / "daemon.json").write_text(json.dumps(settings), encoding="utf-8")

    def options(self) -> tuple[str, ...]:
        disk = f"--volume={DOCKER_FOLDER}"
        if self.disk:
            disk = f"--tmpfs={DOCKER_FOLDER}:exec,size={self.disk}"
        return (*super().options(), *PRIVILEGED, disk)

    def restart_engine(self) -> None:
        """Restart the engine, as after an update. Containers stop and start by their policies."""
        self.stop_engine()
        self.start_engine()

    def stop_engine(self) -> None:
        """Stop the engine and its containers, as for maintenance."""
        self.run("pkill", "-x", "dockerd")
        self.run("sh", "-c", "while pgrep -x dockerd >/dev/null; do sleep 0.1; done")

    def start_engine(self) -> None:
        """Start the engine after `stop_engine`."""
        self.run("setsid", "-f", "sh", "-c", "exec dockerd >>/var/log/dockerd.log 2>&1")
        self.run("sh", "-c", "until docker version >/dev/null 2>&1; do sleep 0.2; done")


class Runner(DockerMachine):
    """A self-hosted runner: git, python3 and Docker, trust in ghcr.io, and a root user.

    The checkout and the cache (read-only) and the bed's work folder have the same paths as on the
    machine that runs the tests.
    """

    services = ("docker",)

    def mounts(self) -> dict[str, str]:
        work, checkout, cached = self.bed_folder / "work", CHECKOUT, cache.folder()
        return {
            **super().mounts(),
            str(work): f"{work}",
            str(checkout): f"{checkout}:ro",
            str(cached): f"{cached}:ro",
        }

    def files_with(self, text: str, *folders: str) -> list[str]:
        """Return the files in these folders that hold a text, which is in no argument of a program.

        The cache and the checkout are the other machine's: gigabytes that nothing here can write.
        """
        foreign = (str(cache.folder()), str(CHECKOUT))
        return self.run("sh", "-ec", FILES_WITH, "-", *foreign, *folders, input=text).stdout.split()

    def reach(self, network: str) -> None:
        """Let the runner reach a network of the machine that runs the tests, such as a cluster's.

        Once more after `power_on`.
        """
        self.run("ip", "route", "replace", network, "via", self.engine.gateway())

    def add_buildkit_image(self) -> None:
        """Give the engine `moby/buildkit:buildx-stable-1`, for `docker buildx create`.

        It is a real BuildKit, made here only from its programs. Raises Unavailable when it was not
        built. A second call does nothing.
        """
        if not self.docker("image", "inspect", buildkit.IMAGE, check=False).returncode:
            return
        settings = [part for each in buildkit.SETTINGS for part in ("--change", each)]
        script = 'tar -C "$1" -c . | { shift; docker import "$@"; }'
        with tempfile.TemporaryDirectory(dir=self.bed_folder / "work") as root:
            buildkit.fill(Path(root), self.engine.programs, self.bed_folder / "ca.crt")
            self.run("sh", "-ec", script, "-", root, *settings, "-", buildkit.IMAGE)


class ContainerdRunner(Runner):
    """A runner whose engine has the containerd image store, the default since Docker 29."""

    containerd_store = True


class Builder(Machine):
    """A real buildkitd for all machines of the bed, at `endpoint`. It trusts ghcr.io."""

    services: ClassVar[tuple[str, ...]] = ("buildkit",)

    @property
    def endpoint(self) -> str:
        """The endpoint for `docker buildx create --driver remote`."""
        return f"tcp://{self.name}:{BUILDKIT_PORT}"

    def mounts(self) -> dict[str, str]:
        return {**super().mounts(), str(buildkit.programs()): "/opt/buildkit:ro"}

    def options(self) -> tuple[str, ...]:
        return (*super().options(), *PRIVILEGED, "--volume=/var/lib/buildkit")


def image(engine: Engine) -> str:
    """Return the name of the image that all machines start from."""
    return f"{engine.lease.prefix}/machine"


def build_image(engine: Engine) -> None:
    """Build the image of the machines. This takes a second, so it needs no cache."""
    label = engine.labels()[:2]
    engine.docker("build", "--quiet", "--tag", image(engine), *label, str(IMAGE_FOLDER))

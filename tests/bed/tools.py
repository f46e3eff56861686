"""The third-party programs that tests run: where they are, and how they are installed.

Versions come from versions.toml. All programs are in the cache folder, outside the checkout. The
name of a folder follows from its content, so two checkouts with different pins share equal parts.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bed import cache, versions
from bed.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLDEST_NODE = 20
PROBE_SECONDS = 60
PREFIX = "this machine cannot: "
NO_ROUTE = re.compile(
    r"dial tcp|no such host|i/o timeout|connection refused|TLS handshake|deadline exceeded|"
    r"proxyconnect|module lookup disabled",
)


class Source(NamedTuple):
    """How a module is built: packages, the variable of the version, and a name for the program."""

    packages: tuple[str, ...]
    version: str = ""
    program: str = ""


SOURCES = {
    "buildkit": Source(("./cmd/buildkitd", "./cmd/buildctl"), "version.Version"),
    "compose": Source(("./cmd",), "internal.Version", "docker-compose"),
    "oldest-compose": Source(("./cmd",), "internal.Version", "docker-compose"),
    "kamal-proxy": Source(("./cmd/kamal-proxy",)),
    "kustomize": Source((".",), program="kustomize"),
    "yq": Source((".",), program="yq"),
}
# A line of Go's output with the answer of the proxy.
REFUSED = re.compile(rf".*(?:\b(?:403|404|410|5\d\d) [A-Z].*|not available|{NO_ROUTE.pattern}).*")


class Cannot(Enum):
    """The reasons for which tests may be skipped under CI. Every other skip fails there.

    A fixture uses `pytest.skip(Cannot.PRIVILEGED.reason)`. Details may follow the reason.
    """

    ROOT = "run this without root"
    OTHER_ENGINES = "unpack engines of other versions"
    DEBIAN = "install Debian packages (it is neither Debian nor Ubuntu)"
    GO_PROXY = "reach the Go module proxy"
    GO_MODULE = "get a Go module at its pinned version"
    ZIZMOR = "run zizmor (it needs Python 3.11 or newer)"
    EMULATE = "run programs of arm64 by QEMU and the kernel's binfmt_misc"
    CASES = "read the test cases of docker/metadata-action (they are no part of this repository)"
    RECORDED = "read the recorded rollouts of a real cluster (they are no part of this repository)"
    PRIVILEGED = "start a container engine (no privileges for namespaces or mounts)"
    NODE = "run a node of Kubernetes (no privileges for namespaces, control groups or bridges)"

    @property
    def reason(self) -> str:
        return PREFIX + self.value


def is_allowed(reason: str) -> bool:
    """Return whether the machine, and not we, is the cause of a skip."""
    return any(each.reason in reason for each in Cannot)


def npm_folder() -> Path:
    """Return the folder that contains `node_modules` with every pinned npm package."""
    digest = hashlib.sha256(json.dumps(versions.load("npm"), sort_keys=True).encode()).hexdigest()
    return cache.folder() / f"npm-{digest[:12]}"


def go_tool(name: str) -> Path:
    """Return the path of a pinned Go program, which may not exist yet."""
    return cache.folder() / "go" / f"{name}-{versions.load('go')[name].rpartition('@')[2]}" / name


def act() -> Path:
    """Return the path of act, which is a Python package of the environment that runs the tests."""
    return Path(sys.prefix) / "bin/act"


def source_folder(name: str) -> Path:
    """Return the folder of a built module, which may not exist yet."""
    module: str = versions.load("go-source")[name]
    return cache.folder() / "go" / f"{name}-{module.rpartition('@')[2]}"


def buildkit_folder() -> Path:
    """Return the folder of the pinned `buildkitd` and `buildctl`, which may not exist yet."""
    return source_folder("buildkit")


def built(name: str) -> Path:
    """Return the path of the only program of a pinned module. Raises Unavailable without it."""
    source = SOURCES[name]
    path = source_folder(name) / (source.program or Path(source.packages[0]).name)
    if not path.exists():
        raise Unavailable(f"{name} is not built: run python3 tests/bed/setup.py {name}")
    return path


def install_npm() -> None:
    """Install the npm packages. Raises Unavailable without a Node that is new enough."""
    node = _output("node", "--version")
    if int(node.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise Unavailable(f"needs Node {OLDEST_NODE} or newer, and this is {node}")
    with _into(npm_folder()) as folder:
        (folder / "package.json").write_text('{"private": true}\n')
        names = [f"{name}@{version}" for name, version in versions.load("npm").items()]
        quiet = ("--silent", "--no-audit", "--no-fund", "--no-progress", "--ignore-scripts")
        subprocess.run(("npm", "install", *quiet, *names), cwd=folder, check=True)


def install_go(name: str) -> None:
    """Build a Go program. Raises Unavailable when the proxy cannot be reached."""
    _output("go", "version")
    module = versions.load("go")[name]
    env = _go_environment("-mod=mod")
    with _into(go_tool(name).parent) as folder:
        path, _, version = module.partition("@")
        _probe_go_proxy("/".join(path.split("/")[:3]) + "@" + version, env)
        subprocess.run(
            ("go", "install", module), cwd=folder, check=True, env=env | {"GOBIN": str(folder)}
        )


def install_source(name: str) -> None:
    """Build the programs of a module, linked statically. Raises Unavailable, like `install_go`."""
    _output("go", "version")
    module: str = versions.load("go-source")[name]
    path, _, version = module.partition("@")
    source, env = SOURCES[name], _go_environment("-mod=readonly")
    stamp = f" -X {path}/{source.version}={version}" if source.version else ""
    with _into(source_folder(name)) as folder:
        _probe_go_proxy(module, env)
        reported = _run_go("mod", "download", "-json", module, cwd=folder, env=env)
        build = ("build", "-trimpath", f"-ldflags=-s -w{stamp}", "-o")
        command = (*build, f"{folder}/{source.program}", *source.packages)
        _run_go(*command, cwd=Path(json.loads(reported)["Dir"]), env=env)


def build_own(
    source: Path, target: Path, module: str, ldflags: str, names: tuple[str, ...]
) -> None:
    """Build the program of a folder with a go.mod of ours, and link it to all of its names.

    `module` is where most of the program comes from. Raises Unavailable, like `install_go`.
    """
    _output("go", "version")
    env = _go_environment("-mod=readonly")
    with _into(target) as folder:
        _probe_go_proxy(module, env)
        build = ("build", "-v", "-trimpath", f"-ldflags=-s -w {ldflags}", "-o")
        _run_go(*build, str(folder / source.name), ".", cwd=source, env=env)
        for name in names:
            (folder / name).symlink_to(source.name)


def go_version(source: Path) -> str:
    """Return the version of Go that builds a folder, such as `go1.26.8`, or an empty text."""
    try:
        return subprocess.run(
            ("go", "env", "GOVERSION"), cwd=source, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _run_go(*argv: str, cwd: Path, env: Mapping[str, str]) -> str:
    """Run Go, and return its output. What else it says goes to the log while it is at work.

    Raises Unavailable when the proxy does not have a version or refuses it. A proxy may have a
    version on one day and refuse it on the next.
    """
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(("go", *argv), cwd=cwd, env=env, **pipes) as process:
        said = ""
        for line in process.stderr or ():
            print(line, end="", file=sys.stderr, flush=True)
            said += line
        # Less than the room of a pipe, so Go never waits for us.
        output: str = process.stdout.read() if process.stdout else ""
    if process.returncode and (refusal := REFUSED.search(f"{said}\n{output}")):
        raise Unavailable(f"{Cannot.GO_MODULE.reason} ({refusal[0].strip()})")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, ("go", *argv), output, said)
    return output


def _go_environment(flag: str) -> dict[str, str]:
    return os.environ | {"CGO_ENABLED": "0", "GOFLAGS": f"{flag} -buildvcs=false"}


def _probe_go_proxy(module: str, env: Mapping[str, str]) -> None:
    """Ask only for the version, so that a missing route shows within seconds, with its cause."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                ("go", "list", "-m", module),
                cwd=folder, env=env, capture_output=True, text=True, check=False,
                timeout=PROBE_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"{Cannot.GO_PROXY.reason} ({error})") from error
    if done.returncode and NO_ROUTE.search(done.stderr):
        raise Unavailable(f"{Cannot.GO_PROXY.reason} ({done.stderr.strip()})")
    if done.returncode:
        raise Unavailable(f"{Cannot.GO_MODULE.reason} ({module}: {done.stderr.strip()})")


@contextmanager
def _into(target: Path) -> Iterator[Path]:
    """Fill a folder, and then move it to its place, so that it appears there complete or not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield part
        part.chmod(0o755)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _output(*argv: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"`{' '.join(argv)}` does not work: {error}") from error
    return done.stdout.strip()

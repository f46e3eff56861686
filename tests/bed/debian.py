"""Debian packages: those that the machine must have installed, and an engine that is only unpacked.

Standard library only, because this runs before any environment exists.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bed import cache, versions
from bed.command import CommandFailed, run
from bed.errors import BedError, Unavailable
from bed.tools import Cannot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

APT_GET = ("apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0")
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
POLICY = Path("/usr/sbin/policy-rc.d")
PROGRAMS = ("docker", "dockerd", "containerd", "containerd-shim-runc-v2", "runc", "docker-registry")
# Packages that a system may have under another name, or may not need.
HELPERS = ("docker-proxy", "docker-init", "tini", "ctr")
PLUGINS = ("docker-buildx", "docker-compose")
PROGRAM_FOLDERS = ("usr/bin", "usr/sbin")
PLUGIN_FOLDERS = ("usr/libexec/docker/cli-plugins", "usr/lib/docker/cli-plugins")
MACHINE = Path("/")
DOWNLOAD_SECONDS = 900
# Ubuntu has a separate archive for all processors except Intel's.
UBUNTU_PORTS = "http://ports.ubuntu.com/ubuntu-ports"


class Source(NamedTuple):
    """One source of apt: an archive, a suite of it, and the processor to download for."""

    uri: str
    suite: str
    processor: str
    components: str = "main"


class Programs(NamedTuple):
    """An unpacked Docker: the folder of its programs, and the folder of its CLI plugins."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def plugins(self) -> Path:
        return self.folder / "cli-plugins"


def install_packages() -> list[str]:
    """Install the packages that this machine lacks, from its own suite. No service is started.

    Returns the names of the missing packages. Raises Unavailable with what a person can do.
    """
    missing = missing_packages()
    if not missing:
        return []
    if os.geteuid():
        wanted = " ".join(missing)
        raise Unavailable(f"packages are missing: run `sudo apt-get install {wanted}`, or be root")
    with cache.lock("apt"), _NoServices():
        _apt("update")
        _apt("install", "--no-install-recommends", *missing)
    return missing


def missing_packages() -> list[str]:
    """Return the packages of versions.toml that are not installed."""
    _need_apt()
    wanted: list[str] = versions.load("debian")["machine"]
    if not _is_debian():  # no engine can be unpacked here, so the registry is of its own suite
        wanted = [*wanted, *versions.load("debian")["registry"]]
    query = ("dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n")
    said = run(*query, *wanted, check=False).stdout
    installed = {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def unpack_engine() -> Programs:
    """Return the bed's Docker. The first call downloads it and unpacks it into the cache.

    It comes from the Debian mirror that this machine already uses, and the machine does not change.
    Several processes may call this at once. On other systems the installed programs are used.
    Raises Unavailable with what a person can do.
    """
    _need_apt()
    pinned = versions.load("debian")
    key = hashlib.sha256(repr((pinned, _os_release(), platform.machine())).encode()).hexdigest()
    ready = Programs(cache.folder() / f"engine-{key[:12]}")
    with cache.lock("engine"):
        if not ready.folder.is_dir():
            _make(ready)
    return ready


def unpack_other_engine(suite: str) -> Programs:
    """Return the bed's Docker with the programs of another suite of Debian.

    Works like `unpack_engine`. On every other system it raises Unavailable.
    """
    if not _is_debian():
        raise Unavailable(Cannot.OTHER_ENGINES.reason)
    ready, base = _other_engine(suite), unpack_engine()
    with cache.lock(f"engine-{suite}"):
        if not ready.folder.is_dir():
            try:
                _make_other(suite, ready, base)
            except BedError as error:
                # Another suite decides by itself which version it has today.
                raise Unavailable(f"{Cannot.OTHER_ENGINES.reason} ({error})") from error
    return ready


def has_other_engine(suite: str) -> bool:
    """Return whether the engine of another suite is unpacked."""
    return _is_debian() and _other_engine(suite).folder.is_dir()


def _other_engine(suite: str) -> Programs:
    pinned = (versions.load("debian"), versions.load("other-engines")[suite], _os_release())
    key = hashlib.sha256(repr((*pinned, platform.machine())).encode()).hexdigest()
    return Programs(cache.folder() / f"other-engine-{suite}-{key[:12]}")


def _make_other(suite: str, ready: Programs, base: Programs) -> None:
    names = [f"{name}/{suite}" for name in versions.load("other-engines")[suite]]
    with tempfile.TemporaryDirectory(prefix="unpack-", dir=cache.folder()) as scratch:
        made, root = Programs(Path(scratch) / "made"), Path(scratch) / "root"
        source = Source(_mirror(Path(scratch)), suite, _processor())
        listing = extract(_download(Path(scratch), names, [source]), root)
        # These are links. A link that is replaced is removed first, so its target does not change.
        shutil.copytree(base.folder, made.folder, copy_function=os.link)
        (made.folder / "packages.txt").unlink()
        for path in (*made.bin.iterdir(), *made.plugins.iterdir()):
            with contextlib.suppress(Unavailable):
                found = _find(root, path.name, (*PROGRAM_FOLDERS, *PLUGIN_FOLDERS))
                path.unlink()
                shutil.copy2(found, path)
        (made.folder / "packages.txt").write_text(listing, encoding="utf-8")
        made.folder.rename(ready.folder)


def _make(ready: Programs) -> None:
    with tempfile.TemporaryDirectory(prefix="unpack-", dir=cache.folder()) as scratch:
        made = Programs(Path(scratch) / "made")
        if _is_debian():
            root = Path(scratch) / "root"
            listing = extract(_download_engine(Path(scratch)), root)
            _gather(root, made, shutil.copy2)
            (made.folder / "packages.txt").write_text(listing, encoding="utf-8")
        else:
            _gather(MACHINE, made, lambda source, target: target.symlink_to(source.resolve()))
        made.folder.rename(ready.folder)


def own_suite() -> str:
    """Return the name of the suite of this machine, such as `bookworm`."""
    return _os_release()["VERSION_CODENAME"]


def download_foreign(processor: str, names: Sequence[str], scratch: Path) -> list[Path]:
    """Download packages of the machine's own suite, also for another processor.

    Returns the files, somewhere in `scratch`. Raises Unavailable when that is not possible.
    """
    _need_apt()
    uri, suite = _mirror(scratch), own_suite()
    own = Source(uri, suite, _processor())
    other = Source(uri, suite, processor)
    if not _is_debian():
        own = own._replace(components="main universe")
        other = other._replace(uri=UBUNTU_PORTS)
    return _download(scratch, names, (own, other))


def _download_engine(scratch: Path) -> list[Path]:
    pinned = versions.load("debian")
    names = [f"{name}/{pinned['suite']}" for name in (*pinned["engine"], *pinned["registry"])]
    names += [f"{name}/{own_suite()}" for name in pinned["own-suite"]]
    uri = _mirror(scratch)
    suites = sorted({own_suite(), pinned["suite"]})
    return _download(scratch, names, [Source(uri, suite, _processor()) for suite in suites])


def _processor() -> str:
    """Return Debian's name of this machine's processor."""
    return run("dpkg", "--print-architecture").stdout.strip()


def _download(scratch: Path, names: Sequence[str], sources: Sequence[Source]) -> list[Path]:
    """Download the packages through an apt tree of our own. The machine's tree is only read."""
    env = {**QUIET, "APT_CONFIG": str(_apt_tree(scratch, sources))}
    target = scratch / "packages"
    target.mkdir()
    try:
        run(*APT_GET, "update", env=env, timeout=DOWNLOAD_SECONDS)
        run(*APT_GET, "download", *names, env=env, cwd=target, timeout=DOWNLOAD_SECONDS)
    except (CommandFailed, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"the mirror of this machine did not deliver: {error}") from error
    return sorted(target.glob("*.deb"))


def _apt_tree(scratch: Path, sources: Sequence[Source]) -> Path:
    """Write the configuration of a private apt and return its path."""
    for name in ("apt/lists/partial", "apt/archives/partial", "apt/empty"):
        (scratch / name).mkdir(parents=True)
    tree, keys = scratch / "apt", _keyring()
    lines = [
        f"deb [signed-by={keys} arch={each.processor}] {each.uri} {each.suite} {each.components}\n"
        for each in sources
    ]
    (tree / "sources.list").write_text("".join(lines), encoding="utf-8")
    settings = {
        "APT::Architectures": ",".join(dict.fromkeys(each.processor for each in sources)),
        "Dir::Etc::sourcelist": f"{tree}/sources.list",
        "Dir::Etc::sourceparts": f"{tree}/empty",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": f"{tree}/empty",
        "Dir::State::lists": f"{tree}/lists",
        "Dir::Cache": f"{tree}",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        # A mirror may be some weeks behind, but its content is still signed.
        "Acquire::Check-Valid-Until": "false",
        # The user `_apt` may not read a cache in a private home.
        "APT::Sandbox::User": "root",
    }
    config = tree / "apt.conf"
    text = "".join(f'{name} "{value}";\n' for name, value in settings.items())
    config.write_text(text, encoding="utf-8")
    return config


def _mirror(scratch: Path) -> str:
    """Return the address of the archive from which this machine gets its own suite."""
    if found := _source_of_own_suite():
        return found
    # A fresh image has sources but no lists. The lists are downloaded into a folder of ours.
    lists = ("-o", f"Dir::State::lists={scratch}/machine-lists", "-o", "APT::Sandbox::User=root")
    (scratch / "machine-lists/partial").mkdir(parents=True)
    run(*APT_GET, *lists, "update", env=QUIET, timeout=DOWNLOAD_SECONDS, check=False)
    if found := _source_of_own_suite(*lists):
        return found
    suite = own_suite()
    raise Unavailable(f"apt has no source for {suite} main: add one in /etc/apt/sources.list.d")


def _source_of_own_suite(*options: str) -> str:
    suite = own_suite()
    asked = ("--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages")
    for line in run("apt-get", *options, "indextargets", *asked).stdout.splitlines():
        release, component, uri = line.split(" ", 2)
        # Security and updates have their own suites. `bookworm` alone is the archive itself.
        if (release, component) == (suite, "main"):
            return uri
    return ""


def _keyring() -> Path:
    path = Path(f"/usr/share/keyrings/{_os_release()['ID']}-archive-keyring.gpg")
    for found in (path.with_suffix(".pgp"), path):
        if found.is_file():
            return found
    raise Unavailable(f"the keys of this machine's archive are missing: there is no {path}")


def extract(packages: list[Path], root: Path) -> str:
    """Unpack the packages into a folder. Returns one line of name and version for each."""
    listing = ""
    for package in packages:
        run("dpkg-deb", "--extract", str(package), str(root))
        shown = ("--show", "--showformat", "${Package} ${Version}\n")
        listing += run("dpkg-deb", *shown, str(package)).stdout
    return listing


def _gather(root: Path, made: Programs, place: Callable[[Path, Path], object]) -> None:
    """Collect programs and plugins of a file system in two flat folders."""
    made.bin.mkdir(parents=True)
    made.plugins.mkdir()
    for name in PROGRAMS:
        place(_find(root, name, PROGRAM_FOLDERS), made.bin / name)
    for name in HELPERS:
        with contextlib.suppress(Unavailable):
            place(_find(root, name, PROGRAM_FOLDERS), made.bin / name)
    for name in PLUGINS:
        place(_find(root, name, PLUGIN_FOLDERS), made.plugins / name)


def _find(root: Path, name: str, folders: tuple[str, ...]) -> Path:
    for folder in folders:
        if (path := root / folder / name).exists():
            return path
    raise Unavailable(
        f"there is no `{name}` on this machine, and only Debian's engine can be unpacked: "
        "install docker, its buildx and compose plugins and docker-registry"
    )


def _is_debian() -> bool:
    return _os_release().get("ID") == "debian"


def _os_release() -> dict[str, str]:
    """Return the values of /etc/os-release."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value.strip('"') for name, _, value in pairs}


def _need_apt() -> None:
    if not shutil.which("apt-get"):
        raise Unavailable(
            "the bed needs Debian packages: run it on Debian 12 or newer, or on Ubuntu 24.04"
        )


def _apt(*argv: str) -> None:
    try:
        run(*APT_GET, *argv, env=QUIET, timeout=DOWNLOAD_SECONDS)
    except (CommandFailed, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"apt could not install what the bed needs: {error}") from error


class _NoServices:
    """Prevents packages from starting their services on installation, with Debian's own switch."""

    def __enter__(self) -> None:
        self._ours = not POLICY.exists()
        if self._ours:
            POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
            POLICY.chmod(0o755)

    def __exit__(self, *_: object) -> None:
        if self._ours:
            POLICY.unlink()

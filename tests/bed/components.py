"""The components that tests need. setup.py installs them side by side. Standard library only.

A component that cannot be installed does not stop the others. Its reason is stored. Every test that
needs it is skipped with that reason; it fails where the component must exist (see
tests/conftest.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bed import cache, debian, emulation, environment, tools, versions
from bed.errors import Unavailable
from bed.kube import programs
from bed.tools import Cannot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
SETUP = Path(__file__).with_name("setup.py")
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNAVAILABLE = 3
REASON = "reason: "


@dataclass(frozen=True)
class Component:
    """One thing to install: how to check that it is installed, and how to install it."""

    name: str
    is_ready: Callable[[], bool]
    install: Callable[[], object]
    minutes: float
    after: str = ""
    # Otherwise it is installed only when it is named.
    by_default: bool = True


def _packages_are_there() -> bool:
    try:
        return not debian.missing_packages()
    except Unavailable:
        return False


def _install_packages() -> None:
    if not shutil.which("apt-get"):
        raise Unavailable(Cannot.DEBIAN.reason)
    if os.geteuid():
        raise Unavailable(f"{Cannot.ROOT.reason}: packages {' '.join(debian.missing_packages())}")
    debian.install_packages()


def _engine_is_there() -> bool:
    # An engine of other pins counts as well: the code that starts an engine unpacks the right one.
    return any(cache.folder().glob("engine-*"))


def _unpack_engine() -> None:
    if not shutil.which("apt-get"):
        raise Unavailable(Cannot.DEBIAN.reason)
    debian.unpack_engine()


def _go(name: str, minutes: float) -> Component:
    return Component(name, tools.go_tool(name).exists, partial(tools.install_go, name), minutes)


def _source(name: str, minutes: float) -> Component:
    folder = tools.source_folder(name)
    return Component(name, folder.exists, partial(tools.install_source, name), minutes)


def _other_engine(suite: str, minutes: float) -> Component:
    ready = partial(debian.has_other_engine, suite)
    unpack = partial(debian.unpack_other_engine, suite)
    return Component(f"engine-{suite}", ready, unpack, minutes, after="engine")


def _kubernetes(name: str, *, by_default: bool = True) -> Component:
    ready, build = partial(programs.is_built, name), partial(programs.build, name)
    return Component(name, ready, build, 60, by_default=by_default)


def components() -> dict[str, Component]:
    """Return all components, by the names that `@pytest.mark.needs` uses."""
    every = (
        _kubernetes(programs.CURRENT),  # takes longest by far, so it starts first
        _kubernetes(programs.OLD, by_default=False),
        Component("python", environment.is_ready, environment.make, 20),
        Component("packages", _packages_are_there, _install_packages, 10),
        Component("engine", _engine_is_there, _unpack_engine, 10, after="packages"),
        *(_other_engine(suite, 10) for suite in versions.load("other-engines")),
        Component("npm", lambda: tools.npm_folder().exists(), tools.install_npm, 10),
        _go("actionlint", 10),
        *(_source(name, 20) for name in tools.SOURCES),
        Component("qemu", emulation.is_unpacked, emulation.unpack, 10, after="packages"),
    )
    return {each.name: each for each in every}


def why_missing(name: str) -> str:
    """Return why a component is missing, or an empty text when it is installed."""
    if components()[name].is_ready():
        return ""
    reported = _read_status().get(name) or "it is not installed; run python3 tests/bed/setup.py"
    return f"{name}: {reported}"


def _status_file() -> Path:
    # For this checkout only: another one may have other pins, and therefore other reasons.
    checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return cache.folder() / f"status-{checkout}.json"


def _read_status() -> Mapping[str, str]:
    try:
        status: Mapping[str, str] = json.loads(_status_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return status


def _write_status(status: Mapping[str, str]) -> None:
    part = _status_file().with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(status, indent=2) + "\n", encoding="utf-8")
    part.replace(_status_file())


def main(arguments: list[str]) -> int:
    """Install the missing components: those that `make test` needs, or those that are named.

    Returns 1 only when there is no Python environment. Tests report all other missing components.
    """
    if arguments[:1] == ["--install"]:
        return _install_here(arguments[1])
    every = components()
    if unknown := set(arguments) - set(every):
        print(f"set-up: knows {', '.join(every)}; not {', '.join(unknown)}", file=sys.stderr)
        return EXIT_USAGE
    asked = arguments or [each.name for each in every.values() if each.by_default]
    missing = [every[name] for name in asked if not every[name].is_ready()]
    if missing:
        with _locked():
            # Another set-up may have installed some of them in the meantime.
            _Installer([each for each in missing if not each.is_ready()]).run()
    return 0 if "python" not in asked or environment.is_ready() else EXIT_FAILED


def _install_here(name: str) -> int:
    """Install one component in this process. The last line says why it failed."""
    try:
        components()[name].install()
    except Exception as error:  # noqa: BLE001 - every error is a reason
        print(f"\n{REASON}{' '.join(str(error).split()) or type(error).__name__}", flush=True)
        return EXIT_UNAVAILABLE
    return 0


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Let one set-up at a time fill the cache. The others wait, and then find it filled."""
    with (cache.folder() / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up: another set-up is running; waiting until it ends", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class _Installer:
    """Installs components side by side, each in its own process and with a time limit."""

    def __init__(self, missing: list[Component]) -> None:
        self._missing = missing
        self._running: set[subprocess.Popen[bytes]] = set()

    def run(self) -> None:
        """Install all, print one line for each, and store the reasons of those that failed."""
        if not self._missing:
            return
        names = ", ".join(each.name for each in self._missing)
        print(f"set-up: installing {names}; logs in {_logs()}", flush=True)
        with ThreadPoolExecutor(len(self._missing)) as pool:
            done: dict[str, Future[str]] = {}
            try:
                for each in self._missing:
                    wait_for = done.get(each.after)
                    done[each.name] = pool.submit(
                        self._install, each, wait_for.result if wait_for else None
                    )
                status = {name: future.result() for name, future in done.items()}
            except BaseException:
                self._stop()
                raise
        _write_status({**_read_status(), **status})

    def _install(self, component: Component, wait: Callable[[], str] | None) -> str:
        """Return why it failed, or an empty text. Print one line."""
        if wait:
            wait()
        started = time.monotonic()
        reason = "" if component.is_ready() else self._bounded(component)
        if not reason and not component.is_ready():
            reason = (
                f"its installation ended without an error, but it is missing; see {_log(component)}"
            )
        seconds = time.monotonic() - started
        line = f"set-up: {component.name:11} {'FAILED' if reason else 'ok':6} {seconds:6.1f} s"
        print(f"{line}  {reason}".rstrip(), flush=True)
        return reason

    def _bounded(self, component: Component) -> str:
        argv = (sys.executable, str(SETUP), "--install", component.name)
        with _log(component).open("wb") as log:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.add(process)
        try:
            code = process.wait(component.minutes * 60)
        except subprocess.TimeoutExpired:
            return f"took longer than {component.minutes:g} minutes; see {_log(component)}"
        finally:
            _kill(process)
            self._running.discard(process)
        return _reason(component) if code else ""

    def _stop(self) -> None:
        for process in tuple(self._running):
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _logs() -> Path:
    folder = cache.folder() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _log(component: Component) -> Path:
    return _logs() / f"{component.name}.log"


def _reason(component: Component) -> str:
    lines = _log(component).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    reported = lines[-1].removeprefix(REASON) if lines else "it printed nothing"
    return f"{reported} (see {_log(component)})"

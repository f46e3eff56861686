"""The Python environment in `.venv`: what the launcher creates, and what tests need on top."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bed import cache, debian
from bed.command import run
from bed.errors import Unavailable

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK_FILE = ROOT / "requirements-dev.txt"
# A copy of the lock file, written last. When it differs, the set-up was interrupted or is outdated.
STAMP = VENV / "dev.lock"
# Enough for a download of all packages over a slow connection.
SECONDS = 900


def is_ready() -> bool:
    """Return whether the environment was made from the present lock file, and still works."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_bytes() == LOCK_FILE.read_bytes()


def make() -> None:
    """Complete the environment. Raises BedError with the output when that fails."""
    with LOCK_FILE.open("rb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if is_ready():
            return
        _have_venv()
        # First as the launcher does it, so that the two never undo each other's work.
        run(sys.executable, "-I", str(ROOT / "generator/gen_workflow/first_use.py"), str(ROOT),
            timeout=SECONDS)  # fmt: skip
        run(*_installer(), "--require-hashes", "--requirement", str(LOCK_FILE), timeout=SECONDS)
        # The build backend is one of these packages, so nothing is downloaded without a known hash.
        run(*_installer(), "--no-build-isolation", "--no-deps", "--editable", str(ROOT),
            timeout=SECONDS)  # fmt: skip
        shutil.copyfile(LOCK_FILE, STAMP)


def _have_venv() -> None:
    """Install the part of Python that Debian has in a separate package, when it is needed."""
    if _uv() or importlib.util.find_spec("ensurepip"):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise Unavailable("this Python has no ensurepip: apt-get install python3-venv, or get uv")
    with cache.lock("apt"):
        run(*debian.APT_GET, "update", env=debian.QUIET, timeout=SECONDS)
        run(*debian.APT_GET, "install", "python3-venv", env=debian.QUIET, timeout=SECONDS)


def _installer() -> tuple[str, ...]:
    if uv := _uv():
        return (uv, "pip", "install", "--quiet", "--python", str(PYTHON))
    return (str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def _uv() -> str:
    """Return the path of a uv that works, or an empty text."""
    path = shutil.which("uv")
    # The placeholder of a version manager is found, but it fails.
    works = path and subprocess.run((path, "--version"), capture_output=True, check=False)
    return path if path and works and works.returncode == 0 else ""

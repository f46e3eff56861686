"""The project's own environment in `.venv`: what the launcher makes, and on top what tests need."""

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
# A copy of the lock file, written last: one that is not the same was cut short, or is of yesterday.
STAMP = VENV / "dev.lock"
# A cold download of every package on a slow line.
SECONDS = 900


def is_ready() -> bool:
    """Say whether the environment was made from the lock file of today, and still works."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_bytes() == LOCK_FILE.read_bytes()


def make() -> None:
    """Make the environment whole; raises BedError with what was said when it cannot be."""
    with LOCK_FILE.open("rb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if is_ready():
            return
        _have_venv()
        # The launcher's own way first, so that the two never undo one another's work.
        run(sys.executable, "-I", str(ROOT / "generator/gen_workflow/first_use.py"), str(ROOT),
            timeout=SECONDS)  # fmt: skip
        run(*_installer(), "--require-hashes", "--requirement", str(LOCK_FILE), timeout=SECONDS)
        # The build backend is one of those packages, so nothing without a known hash is fetched.
        run(*_installer(), "--no-build-isolation", "--no-deps", "--editable", str(ROOT),
            timeout=SECONDS)  # fmt: skip
        shutil.copyfile(LOCK_FILE, STAMP)


def _have_venv() -> None:
    """Put back the part of Python that Debian packages apart, when it will be needed."""
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
    """Return the path of a uv that works, or nothing."""
    path = shutil.which("uv")
    # A version manager's stand-in is found, and fails.
    works = path and subprocess.run((path, "--version"), capture_output=True, check=False)
    return path if path and works and works.returncode == 0 else ""

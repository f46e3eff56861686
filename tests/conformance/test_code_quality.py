"""The code keeps to its own rules: what `make lint` checks, as tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bed import cache

ROOT = Path(__file__).parents[2]
CHECKS = {
    "ruff finds nothing": ("ruff", "check", "--output-format=concise", "."),
    "ruff would format nothing otherwise": ("ruff", "format", "--check", "."),
    # What it knows of a file stays valid in other checkouts.
    "mypy finds nothing": ("mypy", "--cache-dir", str(cache.folder() / "mypy")),
}


@pytest.mark.parametrize("argv", CHECKS.values(), ids=CHECKS)
def test_of_the_code(argv: tuple[str, ...]) -> None:
    done = subprocess.run(
        (sys.executable, "-m", *argv), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

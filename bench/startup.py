"""Measures the start of an action: a dry run of build-push against an idle Python.

There is one comparison for each Python from 3.10 to 3.14 that is found.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from paired import EXAMPLE, ROOT, compare, read_rounds

# A start takes at most 60 ms when an idle Python of the same version takes 15 ms.
BUDGET = 4.0
# The system's Python first: others may have packages of their owner that make them start slowly.
NAMES = (
    "/usr/bin/python3",
    "python3",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
)
# Called by name, so that both sides start through the same program and environment.
ENVIRONMENT = (
    "env",
    "-i",
    "GITHUB_REPOSITORY=acme/shop",
    "GITHUB_SHA=0123456789abcdef0123456789abcdef01234567",
    "GITHUB_REF=refs/heads/main",
    "GITHUB_EVENT_NAME=push",
    f"GITHUB_WORKSPACE={EXAMPLE}",
    "INPUT_PUSH=auto",
    "INPUT_DRY_RUN=true",
)


def pythons() -> dict[str, str]:
    """Return the path of each Python that works, by its version. Each version occurs once."""
    found: dict[str, str] = {}
    pyenv = sorted(map(str, Path.home().glob(".pyenv/versions/3.1[0-9].*/bin/python3")))
    for name in (*NAMES, *pyenv):
        tell = "import sys; print(sys.version.split()[0], sys._base_executable)"
        path = shutil.which(name)
        if not path:
            continue
        done = subprocess.run((path, "-c", tell), capture_output=True, text=True, check=False)
        version, _, real = done.stdout.strip().partition(" ")
        if done.returncode == 0 and tuple(map(int, version.split(".")[:2])) >= (3, 10):
            found.setdefault(version, real)
    return found


def main() -> int:
    """Print the comparisons. Return 1 when one is over its budget."""
    read_rounds(__doc__)
    worst = 0
    for version, python in sorted(pythons().items()):
        print(f"Python {version}")
        worst |= compare(
            {
                "python3 -I -c pass": (*ENVIRONMENT, python, "-I", "-c", "pass"),
                "build-push, dry run": (
                    *ENVIRONMENT, python, "-Iu", str(ROOT / "actions" / "lib"), "build-push",
                ),
            },
            BUDGET,
        )  # fmt: skip
    return worst


if __name__ == "__main__":
    sys.exit(main())

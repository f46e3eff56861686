"""Measures `check` when everything is in step, against a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys

from paired import INSTALLED, LAUNCHER, compare, example, read_rounds

BUDGET = 2.5


def main() -> int:
    """Print the comparison. Return 1 when it is over the budget."""
    read_rounds(__doc__)
    folder = str(example())
    subprocess.run((str(INSTALLED), "generate", "-C", folder), check=True)
    return compare(
        {
            "python -c pass": (sys.executable, "-c", "pass"),
            "gen-workflow check": (str(INSTALLED), "check", "-C", folder),
            "./gen-workflow check": (str(LAUNCHER), "check", "-C", folder),
        },
        BUDGET,
    )


if __name__ == "__main__":
    sys.exit(main())

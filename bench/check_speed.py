"""How long `check` takes where all is in step, against a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys

from paired import INSTALLED, LAUNCHER, compare, example

BUDGET = 2.5


def main() -> int:
    """Print the comparison; return 1 when it is over budget."""
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

"""Measures `generate`, against a Python that only imports the packages that it needs."""

from __future__ import annotations

import sys

from paired import INSTALLED, LAUNCHER, compare, example, read_rounds

BUDGET = 1.3


def main() -> int:
    """Print the comparison. Return 1 when it is over the budget."""
    read_rounds(__doc__)
    folder = str(example())
    return compare(
        {
            "python -c 'import jinja2, ruamel.yaml'": (
                sys.executable,
                "-c",
                "import jinja2, ruamel.yaml",
            ),
            "gen-workflow generate --stdout": (
                str(INSTALLED),
                "generate",
                "--stdout",
                "-C",
                folder,
            ),
            "./gen-workflow generate --stdout": (
                str(LAUNCHER),
                "generate",
                "--stdout",
                "-C",
                folder,
            ),
        },
        BUDGET,
    )


if __name__ == "__main__":
    sys.exit(main())

"""How long `generate` takes, against a Python that only imports what it needs."""

from __future__ import annotations

import sys

from paired import INSTALLED, LAUNCHER, compare, example

BUDGET = 1.3


def main() -> int:
    """Print the comparison; return 1 when it is over budget."""
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

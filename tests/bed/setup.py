"""Prepares this machine for `make test`: `python3 tests/bed/setup.py`.

It needs only the standard library. A second run changes nothing and takes almost no time.
"""

from __future__ import annotations

import sys
from pathlib import Path

EXIT_INTERRUPTED = 130

if __name__ == "__main__":
    if sys.version_info < (3, 10):  # noqa: UP036 - an older Python gets a sentence
        sys.exit(f"set-up: it needs python3 3.10 or newer, and this is {sys.version.split()[0]}")
    # Modules are imported as `bed.x`, and never by their bare names in this folder.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from bed.components import main

    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)

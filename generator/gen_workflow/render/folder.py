"""Finds the folder of our templates."""

# ruff: noqa: PTH100, PTH112, PTH118, PTH120 - an up-to-date `check` loads this; pathlib is slow

from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def ours() -> str:
    """Return the folder of our templates: in the package, or beside it in a checkout."""
    packaged = os.path.join(_PACKAGE, "templates")
    return packaged if os.path.isdir(packaged) else os.path.abspath(f"{_PACKAGE}/../../templates")

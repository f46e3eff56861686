"""Finds templates: the folder of ours, and the names of those in a folder."""

# ruff: noqa: PTH100, PTH112, PTH118, PTH120 - an up-to-date `check` loads this; pathlib is slow

from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def ours() -> str:
    """Return the folder of our templates: in the package, or beside it in a checkout."""
    packaged = os.path.join(_PACKAGE, "templates")
    return packaged if os.path.isdir(packaged) else os.path.abspath(f"{_PACKAGE}/../../templates")


def names(path: str) -> list[str]:
    """Return the names of the templates in a folder and below it. Raises OSError."""
    found = []
    for where, folders, files in os.walk(path, onerror=_raised):
        found += [os.path.relpath(os.path.join(where, name), path) for name in (*folders, *files)]
    return sorted(name.replace(os.sep, "/") for name in found if name.endswith(".j2"))


def _raised(error: OSError) -> None:
    raise error

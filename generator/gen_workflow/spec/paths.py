"""Paths of the repository in the spec: the folder of a build, its Dockerfile."""

# ruff: noqa: PTH112, PTH113, PTH118 - pathlib is slow to load

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, shown
from gen_workflow.spec.forms import Checked, text

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value


def _path(value: Value, reading: Reading) -> str | None:
    """Return a path that stays in the repository, in its shortest form."""
    written = text(value, reading, "backend")
    if written is None:
        return None
    parts = [part for part in written.split("/") if part not in ("", ".")]
    if re.match(r"[a-z]+://|git@", written):
        reading.problem(
            value,
            f"{written!r} is an address",
            "name a folder of this repository",
            Heading.NOT_THERE,
        )
    elif written.startswith(("/", "~")) or ".." in parts:
        what = f"{written!r} leads out of the repository"
        reading.problem(value, what, "paths begin at the root of the repository", Heading.NOT_THERE)
    elif not written.isprintable() or "\\" in written or written != written.strip():
        reading.problem(
            value, f"{written!r} is not a path", "separate folders with /", Heading.NOT_THERE
        )
    else:
        return "/".join(parts) or "."
    return None


def _folder(value: Value, reading: Reading) -> str | None:
    path = _path(value, reading)
    if path is not None and not os.path.isdir(os.path.join(reading.folder, path)):
        hint = "name a folder of the repository, such as ."
        reading.problem(value, f"there is no folder {full(path, reading)}", hint, Heading.NOT_THERE)
        return None
    return path


def is_file(path: str, reading: Reading) -> bool:
    """Tell whether a path of the repository is a file."""
    return os.path.isfile(os.path.join(reading.folder, path))


def full(path: str, reading: Reading) -> str:
    """Return a path of the repository as a message shows it."""
    return shown(os.path.normpath(os.path.join(reading.folder, path)))


_TEXT = {"type": "string", "pattern": r"^(?![/~])(?!.*(?:^|/)\.\.(?:/|$))[^\\]+$"}
FOLDER = Checked(_folder, _TEXT)
FILE = Checked(_path, _TEXT)

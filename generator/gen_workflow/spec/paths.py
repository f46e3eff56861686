"""Paths of the repository in the spec: the folder of a build, its Dockerfile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.forms import Checked, text

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value


def path_in(value: Value, reading: Reading, example: str = "backend") -> str | None:
    """Return a path that stays in the repository, in its shortest form."""
    written = text(value, reading, example)
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


def folder_in(value: Value, reading: Reading) -> str | None:
    """Return the path of a folder that is in the repository."""
    path = path_in(value, reading)
    if path is not None and not reading.tree.is_folder(path):
        hint = "name a folder of the repository, such as ."
        reading.problem(value, f"there is no folder {full(path, reading)}", hint, Heading.NOT_THERE)
        return None
    return path


def is_file(path: str, reading: Reading) -> bool:
    """Tell whether a path of the repository is a file."""
    return reading.tree.is_file(path)


def in_small_letters(folder: str, reading: Reading) -> bool:
    """Tell whether a folder has no Dockerfile but a `dockerfile`, which buildx then takes.

    The names are listed, because some file systems find either by the other.
    """
    names = reading.tree.names(folder)
    return "Dockerfile" not in names and "dockerfile" in names


def leads_away(path: str, reading: Reading) -> bool:
    """Tell whether a file is a link out of its folder, which buildx does not follow.

    It sends that folder alone, with the links in it. `build-push` has the same rule.
    """
    return reading.tree.leads_away(path)


def full(path: str, reading: Reading) -> str:
    """Return a path of the repository as a message shows it."""
    return reading.tree.shown(path)


PATH_SCHEMA = {"type": "string", "pattern": r"^(?![/~])(?!.*(?:^|/)\.\.(?:/|$))[^\\]+$"}
FOLDER = Checked(folder_in, PATH_SCHEMA)
FILE = Checked(path_in, PATH_SCHEMA)

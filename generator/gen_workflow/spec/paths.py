"""Paths of the repository in the spec: the folder of a build, a Dockerfile; both have to exist."""

# ruff: noqa: PTH112, PTH113, PTH118 - pathlib is slow to load

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from gen_workflow.errors import shown
from gen_workflow.spec.forms import Checked, text

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value
    from gen_workflow.spec.sections import Fields


def _path(value: Value, reading: Reading) -> str | None:
    """Return a path that stays in the repository, in its shortest form."""
    written = text(value, reading, "backend")
    if written is None:
        return None
    parts = [part for part in written.split("/") if part not in ("", ".")]
    if re.match(r"[a-z]+://|git@", written):
        reading.problem(value, f"{written!r} is an address", "name a folder of this repository")
    elif written.startswith(("/", "~")) or ".." in parts:
        what = f"{written!r} leads out of the repository"
        reading.problem(value, what, "paths begin at the root of the repository")
    elif not written.isprintable() or "\\" in written or written != written.strip():
        reading.problem(value, f"{written!r} is not a path", "separate folders with /")
    else:
        return "/".join(parts) or "."
    return None


def _folder(value: Value, reading: Reading) -> str | None:
    path = _path(value, reading)
    if path is not None and not os.path.isdir(os.path.join(reading.folder, path)):
        hint = "name a folder of the repository, such as ."
        reading.problem(value, f"there is no folder {_shown(reading, path)}", hint)
        return None
    return path


def find_dockerfile(fields: Fields, reading: Reading) -> None:
    """Note a problem when the Dockerfile of an image is not there; a rule of its section."""
    context = fields.read.get("context", ".")
    if "dockerfile" in fields.values:
        path = fields.read["dockerfile"]
        if path and not _is_file(reading, path):
            _explain_path(fields.values["dockerfile"], path, context, reading)
    elif context:
        path = "Dockerfile" if context == "." else f"{context}/Dockerfile"
        if not _is_file(reading, path):
            hint = (
                "write one, or say where it is: "
                f"image: {{context: {context}, dockerfile: path/of/it}}"
            )
            where = fields.values.get("context", fields.where)
            reading.problem(where, f"there is no Dockerfile at {_shown(reading, path)}", hint)


def _explain_path(value: Value, path: str, context: str | None, reading: Reading) -> None:
    hint = "the path begins at the root of the repository"
    if context and _is_file(reading, f"{context}/{path}"):
        hint += f"; perhaps you meant `{context}/{path}`"
    reading.problem(value, f"there is no Dockerfile at {_shown(reading, path)}", hint)


def _is_file(reading: Reading, path: str) -> bool:
    return os.path.isfile(os.path.join(reading.folder, path))


def _shown(reading: Reading, path: str) -> str:
    return shown(os.path.normpath(os.path.join(reading.folder, path)))


_TEXT = {"type": "string", "pattern": r"^(?![/~])(?!.*(?:^|/)\.\.(?:/|$))[^\\]+$"}
FOLDER = Checked(_folder, _TEXT)
FILE = Checked(_path, _TEXT)

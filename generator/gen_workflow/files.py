"""Reading and writing files whole."""

# ruff: noqa: PTH101, PTH103, PTH105, PTH108, PTH110, PTH116 - pathlib is slow to load

from __future__ import annotations

import os
import tempfile

from gen_workflow import stamp
from gen_workflow.errors import UserError, shown

_NEW_FILE = 0o644


def read(path: str) -> bytes | None:
    """Return the content of a file, None when there is none.

    Raises UserError when it cannot be read.
    """
    try:
        return stamp.read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=shown(path)) from None


def write(path: str, text: str) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part of it.

    Raises UserError when it cannot be written; the old content is still there then.
    """
    try:
        _replace(path, text)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", where=shown(path)) from None


def _replace(path: str, text: str) -> None:
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else _NEW_FILE
    handle, draft = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(draft, mode)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise

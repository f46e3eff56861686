"""Reads and writes files whole, and knows the names of ours.

An up-to-date `check` loads this, so it imports nothing slow: os.path in place of pathlib.
"""

# ruff: noqa: PTH101, PTH103, PTH105, PTH108, PTH110, PTH116, PTH118, PTH123

from __future__ import annotations

import errno
import os
import stat

from gen_workflow.errors import UserError, shown

SPEC = "gen-workflow.yml"
WORKFLOW = os.path.join(".github", "workflows", "ci-cd.yml")
LARGEST = 1_000_000  # bytes of a spec, a workflow or a template
_NEW_FILE = 0o644


def content(path: str) -> bytes:
    """Return the content of a file.

    Raises OSError, also for a file that never ends or is too large.
    """
    found = os.stat(path)
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if found.st_size > LARGEST and not stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST // 1_000_000} MB")
    with open(path, "rb") as file:
        return file.read()


def read(path: str) -> bytes | None:
    """Return the content of a file, None when there is no such file.

    Raises UserError when it cannot be read.
    """
    try:
        return content(path)
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
    import tempfile  # noqa: PLC0415 - slow to load, and only needed to write

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

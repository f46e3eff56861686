"""Writes several files together: all of them, or none.

A reader of a file sees the old content or the new one, never a part of it.
"""

# ruff: noqa: PTH101, PTH103, PTH105, PTH108, PTH110, PTH112, PTH113, PTH116, PTH118, PTH119, PTH120 - pathlib is slow to load

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.errors import Heading, UserError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_NEW_FILE = 0o644
_ANYONE_WRITES = 0o222


def write(contents: Mapping[str, bytes | None]) -> None:
    """Give each file its content; None removes it.

    Raises UserError when one cannot be written: what was written before it is put back.
    """
    changes: list[_Change] = []
    path = ""
    try:
        for path, content in contents.items():
            changes.append(_Change(path))
            changes[-1].prepare(content)
        for change in changes:
            path = change.path
            change.make()
    except OSError as error:
        _put_back(changes)
        raise files.problem(error, "cannot be written", path) from None
    except BaseException:
        _put_back(changes)
        raise
    finally:
        for change in changes:
            change.clean_up()


def like(there: bytes | None, text: bytes) -> bytes:
    """Return a text with the line ends of the file that it replaces."""
    if there and there.count(b"\r\n") * 2 > there.count(b"\n"):
        return text.replace(b"\n", b"\r\n")
    return text


class _Change:
    """One file on its way: the draft of what it becomes, and a copy of what it was."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.draft = ""
        self.copy = ""
        self.made = False

    def prepare(self, content: bytes | None) -> None:
        """Write the drafts, so that a full disk is noticed before anything is changed."""
        folder = os.path.dirname(self.path)
        os.makedirs(folder or ".", exist_ok=True)
        mode = _NEW_FILE
        if os.path.exists(self.path):
            mode = os.stat(self.path).st_mode & 0o777
            if not mode & _ANYONE_WRITES:
                what = "is read-only, so it was not changed"
                hint = f"make it writable with `chmod u+w {shown(self.path)}`, then run it again"
                raise UserError(what, where=shown(self.path), hint=hint, anchor=Heading.FILE)
            if os.path.isfile(self.path):
                self.copy = _drafted(self.path, files.content(self.path), mode)
        if content is not None:
            self.draft = _drafted(self.path, content, mode)

    def make(self) -> None:
        """Put the draft in its place, or remove the file."""
        _move(self.draft, self.path)
        self.made = True

    def undo(self) -> None:
        """Put back what was there."""
        if self.made:
            _move(self.copy, self.path)

    def clean_up(self) -> None:
        """Remove the drafts that are left."""
        for path in filter(None, (self.draft, self.copy)):
            with suppress(FileNotFoundError):
                os.unlink(path)


def _put_back(changes: list[_Change]) -> None:
    """Undo changes, the last one first; each is tried, whatever became of the others."""
    if changes:
        try:
            changes[-1].undo()
        except OSError as error:
            what = "cannot be put back as it was"
            raise files.problem(error, what, changes[-1].path) from None
        finally:
            _put_back(changes[:-1])


def _move(draft: str, path: str) -> None:
    """Move a draft to its place; without a draft, remove the file."""
    if not draft:
        with suppress(FileNotFoundError):  # another run has removed it meanwhile
            os.unlink(path)
        return
    try:
        os.replace(draft, path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The folder of git is on another file system.
        mode = os.stat(draft).st_mode & 0o777
        os.replace(_draft(os.path.dirname(path) or ".", path, files.content(draft), mode), path)


def _drafted(path: str, content: bytes, mode: int) -> str:
    """Write a draft of a file where it can be moved from, and return its path.

    That is in the folder of git, because a draft that a killed process leaves there is not taken by
    `git add`; or beside the file, when git has none that can be written.
    """
    beside = os.path.dirname(path) or "."
    git = _folder_of_git(beside)
    return _draft(git if git and os.access(git, os.W_OK) else beside, path, content, mode)


def _draft(folder: str, path: str, content: bytes, mode: int) -> str:
    import tempfile  # noqa: PLC0415 - slow to load, and only needed to write

    handle, draft = tempfile.mkstemp(dir=folder, prefix=f".{os.path.basename(path)}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(draft, mode)
    except BaseException:
        os.unlink(draft)
        raise
    return draft


def _folder_of_git(folder: str) -> str:
    """Return the folder in which git keeps a repository; empty when there is none."""
    here = files.top(folder)
    found = os.path.join(here, ".git")
    if not here or os.path.isdir(found):
        return here and found
    # A linked worktree or a submodule has a file that says where it is (gitrepository-layout(5)).
    try:
        word, _, path = files.content(found).decode().rstrip("\n").partition(": ")
    except (OSError, UnicodeDecodeError):
        return ""
    inside = os.path.join(here, path) if word == "gitdir" else ""
    return inside if os.path.isdir(inside) else ""

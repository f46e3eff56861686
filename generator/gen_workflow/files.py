"""Reads and writes files whole, and knows the names of ours.

An up-to-date `check` loads this, so it imports nothing slow: os.path in place of pathlib.
"""

# ruff: noqa: PTH101, PTH103, PTH105, PTH108, PTH110, PTH112, PTH113, PTH114, PTH116, PTH118, PTH119, PTH120, PTH123, PTH206

from __future__ import annotations

import errno
import os
import stat

from gen_workflow.errors import Heading, UserError, shown

SPEC = "gen-workflow.yml"
WORKFLOW = os.path.join(".github", "workflows", "ci-cd.yml")
LOCK = os.path.join(".github", "workflows", "actions.lock")  # of GitHub: see uses/lock.py
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


# What to do about an error of the operating system.
_HINTS = {
    errno.EACCES: "your user has no right to it; `ls -ld` shows who has, for it and its folders",
    errno.EPERM: "your user has no right to it; `ls -ld` and `lsattr` show why",
    errno.EROFS: "the file system is read-only here; run it where it can be written",
    errno.ENOSPC: "make space on the disk, then run it again",
    errno.EDQUOT: "your user may store no more on this disk; make space, then run it again",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "a part of the path is a file; move it away",
    errno.EEXIST: "a part of the path is a file; move it away",
    errno.ELOOP: "the link leads to itself; replace it with a file",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EINVAL: "name a file that has an end",
    errno.EFBIG: "a spec and a workflow are far smaller; name another file",
}


def problem(error: OSError, what: str, path: str) -> UserError:
    """Return the error to raise for one of the operating system; `what` says what cannot be."""
    hint = _HINTS.get(error.errno or 0, "")
    return UserError(f"{what}: {error.strerror}", where=shown(path), hint=hint, anchor=Heading.FILE)


def link_on_the_way(folder: str, file: str = WORKFLOW) -> str:
    """Return the path of a link on the way to a file of a repository; empty without one.

    GitHub takes a link in a repository for a file with a path in it, and finds no workflow there.
    What is written through it would be outside of the repository.
    """
    parts = os.path.normpath(file).split(os.sep)
    ways = (os.path.join(folder, *parts[: count + 1]) for count in range(len(parts)))
    return next((way for way in ways if os.path.islink(way)), "")


def file_on_the_way(folder: str, file: str = WORKFLOW) -> str:
    """Return the path of a file that is where another one needs a folder; empty without one."""
    parts = os.path.normpath(file).split(os.sep)[:-1]
    ways = (os.path.join(folder, *parts[: count + 1]) for count in range(len(parts)))
    return next((way for way in ways if os.path.isfile(way)), "")


def folder_in_place(folder: str, file: str = WORKFLOW) -> str:
    """Return the path of a folder that is where a file should be; empty without one."""
    path = os.path.join(folder, file)
    return path if os.path.isdir(path) else ""


def read(path: str) -> bytes | None:
    """Return the content of a file, None when there is no such file.

    Raises UserError when it cannot be read.
    """
    try:
        return content(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise problem(error, "cannot be read", path) from None


def write(path: str, text: str) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part of it.

    Raises UserError when it cannot be written; the old content is still there then.
    """
    try:
        _replace(path, text)
    except OSError as error:
        raise problem(error, "cannot be written", path) from None


def _replace(path: str, text: str) -> None:
    folder = os.path.dirname(path)
    os.makedirs(folder or ".", exist_ok=True)
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else _NEW_FILE
    git = _folder_of_git(folder)
    try:
        _by_a_draft(path, text, mode, git or folder or ".")
    except OSError:
        if not git:
            raise
        # That folder cannot be written, or is on another file system.
        _by_a_draft(path, text, mode, folder or ".")


def _by_a_draft(path: str, text: str, mode: int, folder: str) -> None:
    """Write a draft into a folder, and move it to its place."""
    import tempfile  # noqa: PLC0415 - slow to load, and only needed to write

    handle, draft = tempfile.mkstemp(dir=folder, prefix=f".{os.path.basename(path)}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(draft, mode)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _folder_of_git(folder: str) -> str:
    """Return the folder in which git keeps a repository; empty when there is none.

    A draft is made there: one that a killed process leaves is not taken by `git add`.
    """
    here = os.path.realpath(folder)
    while not os.path.lexists(found := os.path.join(here, ".git")):
        if here == os.path.dirname(here):
            return ""
        here = os.path.dirname(here)
    if os.path.isdir(found):
        return found
    # A linked worktree or a submodule has a file that says where it is (gitrepository-layout(5)).
    try:
        word, _, path = content(found).decode().rstrip("\n").partition(": ")
    except (OSError, UnicodeDecodeError):
        return ""
    return os.path.join(here, path) if word == "gitdir" else ""

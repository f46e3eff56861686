"""Reads files whole, and knows the names of ours.

An up-to-date `check` loads this, so it imports nothing slow: os.path in place of pathlib.
"""

# ruff: noqa: PTH112, PTH113, PTH114, PTH116, PTH118, PTH120, PTH123, PTH206

from __future__ import annotations

import errno
import os
import stat

from gen_workflow.errors import Heading, UserError, shown

SPEC = "gen-workflow.yml"
WORKFLOW = os.path.join(".github", "workflows", "ci-cd.yml")
LOCK = os.path.join(".github", "workflows", "actions.lock")  # of GitHub: see uses/lock.py
LARGEST = 1_000_000  # bytes of a spec, a workflow or a template


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


def top(folder: str) -> str:
    """Return the top of the git repository that a folder is in; empty when it is in none."""
    try:
        here = os.path.realpath(folder)
    except FileNotFoundError:  # the current folder was removed
        return ""
    while not os.path.lexists(os.path.join(here, ".git")):
        if here == os.path.dirname(here):
            return ""
        here = os.path.dirname(here)
    return here


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

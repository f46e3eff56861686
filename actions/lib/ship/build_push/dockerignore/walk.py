"""Walks folders and matches what it finds against patterns."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ship.build_push.dockerignore.patterns import Patterns


class Found(NamedTuple):
    """Something that a walk found: its path in the context, with slashes, and its folder entry.

    A byte that is not UTF-8 becomes a lone surrogate in the path, as with `os.fsdecode`.
    """

    path: str
    entry: os.DirEntry[bytes]


def walk(root: str, ignored: Patterns, closed: list[OSError] | None = None) -> Iterator[Found]:
    """Yield what is not ignored in a folder. A folder comes before what it contains.

    A folder is walked when it is not ignored, or when an exception may match something inside. An
    ignored folder is yielded only when something inside is yielded. Links are not followed. A file
    that is removed during the walk is left out. A folder that cannot be read raises OSError, or is
    added to `closed` when that is given. An ignored folder that cannot be read counts as empty.
    """
    # Bytes, so that the locale of the machine does not decide how a name is read.
    stack = [(os.fsencode(root), "", ignored.top)]
    waiting: dict[str, Found] = {}
    while stack:
        folder, prefix, above = stack.pop()
        for found in _entries(folder, prefix, [] if prefix[:-1] in waiting else closed):
            is_ignored, state = ignored.step(found.path, above)
            is_folder = found.entry.is_dir(follow_symlinks=False)
            if not is_ignored:
                yield from _with_folders(found, waiting)
            elif is_folder and ignored.reach(found.path, exceptions=True):
                waiting[found.path] = found
            else:
                continue
            if is_folder:
                stack.append((found.entry.path, found.path + "/", state))


def pick(root: str, wanted: Patterns, closed: list[OSError] | None = None) -> Iterator[Found]:
    """Yield what the patterns match in a folder. It is the opposite of `walk`."""
    stack = [(os.fsencode(root), "", wanted.top)]
    while stack:
        folder, prefix, above = stack.pop()
        for found in _entries(folder, prefix, closed):
            matched, state = wanted.step(found.path, above)
            if matched:
                yield found
            if found.entry.is_dir(follow_symlinks=False) and (
                matched or any(state) or wanted.reach(found.path, exceptions=False)
            ):
                stack.append((found.entry.path, found.path + "/", state))


def _entries(folder: bytes, prefix: str, closed: list[OSError] | None) -> list[Found]:
    try:
        with os.scandir(folder) as entries:
            return [
                Found(prefix + entry.name.decode("utf-8", "surrogateescape"), entry)
                for entry in entries
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        if closed is None:
            raise
        closed.append(error)
        return []


def _with_folders(found: Found, waiting: dict[str, Found]) -> Iterator[Found]:
    """Yield the ignored folders above, each once, and then what was found in them."""
    parts = found.path.split("/")
    if waiting:
        for depth in range(1, len(parts)):
            folder = waiting.pop("/".join(parts[:depth]), None)
            if folder:
                yield folder
    yield found

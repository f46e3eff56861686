"""The folder of a copy on the disk: what is in it, and whether that is what is copied today."""

# ruff: noqa: PTH114, PTH118 - an up-to-date `check` loads this; pathlib is slow

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.pins.table import OURS, table
from gen_workflow.vendored import lock, ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def names(top: str) -> Iterator[str]:
    """Yield the path of every file and of every link below a folder."""
    for where, folders, found in os.walk(top):
        links = [name for name in folders if os.path.islink(os.path.join(where, name))]
        for name in (*found, *links):
            yield os.path.relpath(os.path.join(where, name), top).replace(os.sep, "/")


def is_current(repository: str, folder: str, actions: Iterable[str]) -> bool:
    """Tell whether a folder of a repository has a copy of actions, its lock, and nothing else.

    Raises OSError, and UserError when this installation has no actions.
    """
    wanted = ours.files(actions)
    wanted[lock.NAME] = lock.text(wanted, table()[OURS].sha)
    top = os.path.join(repository, folder)
    there = sorted(names(top))
    if there != sorted(wanted):
        return False
    return not any(
        files.link_on_the_way(repository, f"{folder}/{path}")
        or files.content(os.path.join(top, path)) != wanted[path]
        for path in there
    )

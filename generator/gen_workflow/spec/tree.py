"""The files of a repository, as the reading of a spec asks for them.

A spec is read beside its repository, or for one on GitHub of which only a few listings are known.
Paths are relative to the root of the repository, with `/` between the names; the root is `.`.
"""

# ruff: noqa: PTH112, PTH113, PTH114, PTH115, PTH117, PTH118, PTH120, PTH123, PTH207, PTH208 - pathlib is slow to load

from __future__ import annotations

import os

from gen_workflow.errors import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Tree(Protocol):
        """What a repository is asked while its spec is read."""

        def is_file(self, path: str) -> bool:
            """Tell whether a path is a file, or a link to one."""

        def is_folder(self, path: str) -> bool:
            """Tell whether a path is a folder, or a link to one."""

        def names(self, folder: str) -> list[str]:
            """Return the names in a folder that is there."""

        def matches(self, pattern: str) -> bool:
            """Tell whether any path matches a pattern of the shell; `**` is all folders below."""

        def leads_away(self, path: str) -> bool:
            """Tell whether a path is a link out of the folder that it is in."""

        def content(self, path: str) -> bytes | None:
            """Return the content of a file; None when it cannot be read."""

        def shown(self, path: str) -> str:
            """Return a path as a message shows it."""


class Folder:
    """A repository in a folder of this machine."""

    def __init__(self, top: str = ".") -> None:
        self.top = top

    def is_file(self, path: str) -> bool:
        """Tell whether a path is a file, or a link to one."""
        return os.path.isfile(self._place(path))

    def is_folder(self, path: str) -> bool:
        """Tell whether a path is a folder, or a link to one."""
        return os.path.isdir(self._place(path))

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder that is there."""
        return os.listdir(self._place(folder))

    def matches(self, pattern: str) -> bool:
        """Tell whether any path matches a pattern of the shell; `**` is all folders below."""
        import glob  # noqa: PLC0415 - few need it

        below = os.path.join(glob.escape(self.top), pattern)
        return any(glob.iglob(below, recursive=True))

    def leads_away(self, path: str) -> bool:
        """Tell whether a path is a link out of the folder that it is in."""
        file = self._place(path)
        if not os.path.islink(file):
            return False
        folder = os.path.join(os.path.realpath(os.path.dirname(file)), "")
        is_inside = os.path.realpath(file).startswith(folder)
        return os.path.isabs(os.readlink(file)) or not is_inside

    def content(self, path: str) -> bytes | None:
        """Return the content of a file; None when it cannot be read."""
        try:
            with open(self._place(path), "rb") as file:
                return file.read()
        except OSError:
            return None

    def shown(self, path: str) -> str:
        """Return a path as a message shows it."""
        return shown(os.path.normpath(self._place(path)))

    def _place(self, path: str) -> str:
        return os.path.join(self.top, path)

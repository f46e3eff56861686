"""The files of a repository on GitHub, of which only some listings were read.

The reading of a spec asks for files; what is not known yet is answered as if it were there, and
noted. So the same questions are asked again after the next request, until all is known.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINK = 0o120000
_EXECUTABLE = 0o100755
TOP = "."


class Entry(NamedTuple):
    """A name in a folder: its object in git, whether that is a folder, and its mode."""

    oid: str
    is_folder: bool
    mode: int = 0o100644


class Listing:
    """The files of a repository: `folders` are listings by path, None for one that is not there.

    `texts` are contents by path, None for one that cannot be read. `asked` and `wanted` are the
    folders and the contents that were asked for and are not known.
    """

    def __init__(
        self,
        slug: str,
        folders: Mapping[str, Mapping[str, Entry] | None],
        texts: Mapping[str, bytes | None],
    ) -> None:
        self._slug = slug
        self._folders = folders
        self._texts = texts
        self.asked: set[str] = set()
        self.wanted: set[str] = set()

    def is_file(self, path: str) -> bool:
        """Tell whether a path is a file; a link is taken for one."""
        known, entry = self._entry(path)
        return not known or (entry is not None and not entry.is_folder)

    def is_folder(self, path: str) -> bool:
        """Tell whether a path is a folder."""
        known, entry = self._entry(path)
        return path == TOP or not known or (entry is not None and entry.is_folder)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, none when it is not known."""
        return list(self._listed(folder) or ())

    def matches(self, pattern: str) -> bool:
        """Tell whether a path matches; below the first `*` only one more folder is looked at."""
        parts = pattern.split("/")
        plain = next((n for n, part in enumerate(parts) if set("*?[") & set(part)), len(parts))
        folder = "/".join(parts[:plain]) or TOP
        listed = self._listed(folder)
        if folder not in self._folders:
            return True
        if len(parts) > plain + 1:
            return bool(listed)
        return any(fnmatch.fnmatchcase(name, parts[plain]) for name in listed or ())

    def leads_away(self, path: str) -> bool:
        """Tell whether a path is a link, of which GitHub does not say where it leads."""
        _, entry = self._entry(path)
        return entry is not None and entry.mode == _LINK

    def content(self, path: str) -> bytes | None:
        """Return the content of a file; None when it is not there, or not known."""
        if not self.is_file(path):
            return None
        if path not in self._texts:
            self.wanted.add(path)
        return self._texts.get(path)

    def shown(self, path: str) -> str:
        """Return a path as a message shows it."""
        return f"{path} in {self._slug}"

    def oid(self, path: str) -> str:
        """Return the object of a file; empty when it is not there."""
        _, entry = self._entry(path)
        return entry.oid if entry and not entry.is_folder else ""

    def is_executable(self, path: str) -> bool:
        """Tell whether a path is a file that may be executed."""
        _, entry = self._entry(path)
        return entry is not None and entry.mode == _EXECUTABLE

    def _entry(self, path: str) -> tuple[bool, Entry | None]:
        """Return whether it is known what a path is, and what it is."""
        folder, _, name = path.rpartition("/")
        listed = self._listed(folder or TOP)
        return (folder or TOP) in self._folders, (listed or {}).get(name)

    def _listed(self, folder: str) -> Mapping[str, Entry] | None:
        if folder not in self._folders:
            self.asked.add(folder)
        return self._folders.get(folder)

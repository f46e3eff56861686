"""A copy of our actions on GitHub: what an update removes of it, and what a person edited there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.files import WORKFLOW
from gen_workflow.spec.actions import is_folder
from gen_workflow.sync import stamp
from gen_workflow.vendored import lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.github.proposal import Branch, Snapshot, Wanted


def further(wanted: Wanted, found: Snapshot) -> tuple[str, ...]:
    """Return the paths that have to be looked at as well: the files that locks there name."""
    paths = [path for branch in _sides(found) for path in _held(wanted, branch)]
    paths += [
        f"{folder}/{lock.NAME}" for branch in _sides(found) for folder in _folders(wanted, branch)
    ]
    return tuple(path for path in dict.fromkeys(paths) if path not in wanted.paths)


def removed(wanted: Wanted, found: Snapshot) -> dict[str, None]:
    """Return the files that were copied earlier, are not any more, and nobody edited."""
    sides = [(branch, _held(wanted, branch)) for branch in _sides(found)]
    gone = [path for _, held in sides for path in held if path not in wanted.files]
    gone = [path for path in gone if not any(_is_edited(path, *side) for side in sides)]
    for branch in _sides(found):
        old = (folder for folder in _folders(wanted, branch) if folder != wanted.folder)
        gone += [f"{folder}/{lock.NAME}" for folder in old]
    return dict.fromkeys(gone)


def edited(wanted: Wanted, branch: Branch) -> Iterator[str]:
    """Yield the path of each file that is copied, and that a person wrote there."""
    held = _held(wanted, branch)
    for path, content in wanted.files.items():
        if not wanted.is_copied(path) or content is None or path.endswith(f"/{lock.NAME}"):
            continue
        if branch.blobs.get(path) != stamp.blob(content) and _is_edited(path, branch, held):
            yield path


def same(wanted: Wanted, branch: Branch, path: str) -> bool:
    """Tell whether a path is that of a lock which names other versions, and the same files."""
    there = lock.read(branch.texts.get(path, "").encode())
    mine = lock.read(wanted.files.get(path) or b"")
    return bool(there and mine and there.hashes == mine.hashes)


def _is_edited(path: str, branch: Branch, held: dict[str, str]) -> bool:
    """Tell whether a file is there, and is not what was copied."""
    return path in branch.blobs and lock.digest(branch.texts[path].encode()) != held.get(path)


def _sides(found: Snapshot) -> list[Branch]:
    return [found.base, *([found.branch] if found.branch else [])]


def _folders(wanted: Wanted, branch: Branch) -> Iterator[str]:
    """Yield the folders of copies: that of today, and the one that the workflow there names."""
    about = stamp.of(branch.texts.get(WORKFLOW, "").encode())
    yield from filter(None, [wanted.folder])
    if about and is_folder(about.actions) and about.actions != wanted.folder:
        yield about.actions


def _held(wanted: Wanted, branch: Branch) -> dict[str, str]:
    """Return the hash of each file that a lock on a branch names, by its path."""
    found: dict[str, str] = {}
    for folder in _folders(wanted, branch):
        there = lock.read(branch.texts.get(f"{folder}/{lock.NAME}", "").encode())
        found |= {f"{folder}/{path}": each for path, each in there.hashes.items()} if there else {}
    return found

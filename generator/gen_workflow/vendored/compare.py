"""Compares a copy of our actions with what this gen-workflow copies, file by file.

The lock tells an older file, which is renewed, from one that a person has edited, which is not.
That a file is right is never taken from the lock: its content is compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.vendored import lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class State:
    """The states of a file of a copy. The first one is in step; all others are drift."""

    CURRENT = "current"
    NEW = "new"  # the version that copied did not have it
    MISSING = "missing"
    OLDER = "older"
    EDITED = "edited"
    CONFLICT = "edited, and this version has another one"
    NOT_OURS = "not ours"  # where a file of ours belongs
    SURPLUS = "surplus"
    LEFT = "no longer copied"
    LEFT_EDITED = "no longer copied, and edited"


_WRITTEN = (State.NEW, State.MISSING, State.OLDER, State.LEFT)


class Found(NamedTuple):
    """A file: its path in the repository, what it is, what it should be, and its state.

    `text` is what is there when nothing may be written, and None for a file that has to go. The
    content of a file that is none of ours is not read: it is None as well.
    """

    path: str
    there: bytes | None
    text: bytes | None
    state: str

    @property
    def writes(self) -> bool:
        """Whether the file has to be written, or removed."""
        return self.there != self.text


class Copy(NamedTuple):
    """A copy: its folder, the version that wrote it, and its files; empty for what is not there."""

    folder: str
    version: str
    files: tuple[Found, ...]

    def of(self, *states: str) -> list[Found]:
        """Return the files that are in one of some states."""
        return [one for one in self.files if one.state in states]

    @property
    def todo(self) -> list[Found]:
        """The files that have to be written, or removed."""
        return [one for one in self.files if one.writes]


def compare(
    folder: str,
    wanted: Mapping[str, bytes],
    there: Mapping[str, bytes | None],
    commit: str,
    *,
    force: bool = False,
) -> Copy:
    """Return what a copy is against the files that are wanted, by their paths in it.

    `there` has every file of the folder, with its content where it is one of ours. `commit` is the
    one that our actions are pinned to. With `force`, edits of wanted files are to be lost.
    """
    before = there.get(lock.NAME)
    held = lock.read(before) if before is not None else None
    hashes = held.hashes if held else {}
    found = [
        _found(path, there.get(path), content, hashes.get(path, ""))
        for path, content in wanted.items()
    ]
    if force:
        found = [one._replace(state=State.OLDER) if one.there != one.text else one for one in found]
    found += _unwanted(wanted, there, hashes)
    if held or wanted:
        found.append(_lock(wanted, before, held, commit, force=force))
    whole = (one._replace(path=f"{folder}/{one.path}", text=_text(one)) for one in found)
    return Copy(folder, held.version if held else "", tuple(whole))


def ours(there: bytes | None) -> tuple[str, ...]:
    """Return the paths that a lock names."""
    held = lock.read(there) if there is not None else None
    return tuple(held.hashes) if held else ()


def _text(one: Found) -> bytes | None:
    keeps = one.state not in (*_WRITTEN, State.CURRENT)
    return one.there if keeps else one.text


def _found(path: str, there: bytes | None, wanted: bytes, held: str) -> Found:
    return Found(path, there, wanted, _state(there, wanted, held))


def _state(there: bytes | None, wanted: bytes, held: str) -> str:
    """Return the state of a file that is wanted; `held` is its hash in the lock."""
    if there is None:
        return State.MISSING if held else State.NEW
    if there == wanted:
        return State.CURRENT
    if not held:
        return State.NOT_OURS
    if lock.digest(there) == held:
        return State.OLDER
    return State.EDITED if lock.digest(wanted) == held else State.CONFLICT


def _unwanted(
    wanted: Mapping[str, bytes], there: Mapping[str, bytes | None], hashes: Mapping[str, str]
) -> Iterator[Found]:
    """Yield the files that are there and not wanted; what is not ours matters beside ours only."""
    for path, content in sorted(there.items()):
        if path in wanted or path == lock.NAME:
            continue
        if path not in hashes:
            if wanted:
                yield Found(path, content, content, State.SURPLUS)
        elif content is not None and lock.digest(content) == hashes[path]:
            yield Found(path, content, None, State.LEFT)
        else:
            yield Found(path, content, content, State.LEFT_EDITED)


def _lock(
    wanted: Mapping[str, bytes],
    there: bytes | None,
    held: lock.Lock | None,
    commit: str,
    *,
    force: bool,
) -> Found:
    """Return what becomes of the lock; another version in its comment alone is no drift."""
    if not wanted:
        return Found(lock.NAME, there, None, State.LEFT)
    text = lock.text(wanted, commit)
    state = State.OLDER
    if there is None:
        state = State.NEW
    elif held is None and not force:
        state = State.NOT_OURS
    elif held and held.hashes == {path: lock.digest(content) for path, content in wanted.items()}:
        state = State.CURRENT
    return Found(lock.NAME, there, text, state)

"""A copy of our actions in a project: what it is against what the spec gives, and in words."""

# ruff: noqa: PTH120 - pathlib is slow to load

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from gen_workflow.errors import Drift, Heading
from gen_workflow.pins.table import OURS, table
from gen_workflow.sync import drift
from gen_workflow.vendored import compare, lock, ours
from gen_workflow.vendored.compare import Copy, State
from gen_workflow.vendored.folder import names
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gen_workflow.commands.project import Project
    from gen_workflow.vendored.compare import Found

_BLOCKED = (State.NOT_OURS, State.CONFLICT)
_NOT_GIVEN = (State.SURPLUS, State.LEFT, State.LEFT_EDITED)
_RENEWED = (State.OLDER, State.NEW, State.LEFT)
# What is said of one file.
_ALONE = {
    State.MISSING: "missing: it was copied, and is not there any more",
    State.EDITED: drift.EDITED,
    State.CONFLICT: f"{drift.EDITED}, and this gen-workflow has another version of it",
    State.NOT_OURS: drift.NOT_OURS,
    State.SURPLUS: "surplus: gen-workflow did not copy it, and an action may run it",
    State.LEFT_EDITED: f"no longer copied, and {drift.EDITED}",
}
_KEPT = {
    State.EDITED: "the edit made by hand in {}",
    State.LEFT_EDITED: "{}, which is no longer copied, because it was edited by hand",
    State.SURPLUS: "{}, which gen-workflow did not copy",
}
_MOST = 20  # files that are named


class Copied:
    """A copy of our actions, as the verbs talk about it."""

    def __init__(self, project: Project, copy: Copy) -> None:
        self._project = project
        self.copy = copy

    @classmethod
    def of(
        cls, project: Project, folder: str, actions: Iterable[str], *, force: bool = False
    ) -> Copied:
        """Return the copy of some actions in a folder; of none when an earlier spec gave it.

        Raises UserError when it cannot be read, or when there are no actions to compare it with.
        """

        def read(path: str) -> bytes | None:
            return project.on_disk(f"{folder}/{path}", "action")

        wanted = ours.files(actions)
        known = dict.fromkeys((*wanted, lock.NAME, *compare.ours(read(lock.NAME))))
        there: dict[str, bytes | None] = dict.fromkeys(names(project.place(folder)))
        there |= {path: content for path in known if (content := read(path)) is not None}
        commit = table()[OURS].sha
        return cls(project, compare.compare(folder, wanted, there, commit, force=force))

    def of_check(self, command: Callable[[str], str]) -> Drift | None:
        """Return why the copy is not in step, with what ends it; None when it is."""
        return self._drift([*_reasons(self.copy)], command)

    def of_generate(self, command: Callable[[str], str]) -> Drift | None:
        """Return why nothing may be written; None when everything may."""
        lines = _named(self.copy.of(*_BLOCKED))
        return self._drift([f"{line}; nothing was changed" for line in lines], command)

    def _drift(self, lines: list[str], command: Callable[[str], str]) -> Drift | None:
        hint = _next_act(self.copy, command)
        return Drift("\n".join(lines), hint=hint, anchor=Heading.COPY) if lines else None

    @property
    def todo(self) -> Mapping[str, bytes | None]:
        """What has to be written, by the path on the disk; None for a file that goes."""
        todo = self.copy.todo
        return {self._project.place(one.path): one.text for one in todo}

    @property
    def given(self) -> dict[str, bytes]:
        """The files that belong to the copy, by their path in the repository, with what is kept."""
        found = (one for one in self.copy.files if one.state not in _NOT_GIVEN)
        return {one.path: one.text for one in found if one.text is not None}

    def remove_empty(self) -> None:
        """Remove the folders that nothing is in any more, because files of ours were removed."""
        for one in self.copy.of(State.LEFT):
            with suppress(OSError):  # something is in it
                os.removedirs(os.path.dirname(self._project.place(one.path)))

    @property
    def kept(self) -> list[str]:
        """What `generate` keeps although it is not what this gen-workflow copies."""
        found = self.copy.of(*_KEPT)
        return _some([_KEPT[one.state].format(one.path) for one in found])

    def written(self, *, would: bool) -> str:
        """Return the lines that say what was written, or would be."""
        gone = sum(one.text is None for one in self.copy.todo)
        new = len(self.copy.todo) - gone
        copies, removes = ("would copy", "would remove") if would else ("copied", "removed")
        lines = [f"{copies} {_files(new)} into {self.copy.folder}\n"] if new else []
        lines += [f"{removes} {_files(gone)} of {self.copy.folder}\n"] if gone else []
        return "".join(lines)

    @property
    def diff(self) -> list[str]:
        """What `generate` would write, in short: as lines that `git apply` passes over."""
        todo = self.copy.todo
        if not todo:
            return []
        shown = _some([f"{_letter(one)} {one.path}" for one in todo])
        first = f"# {self.copy.folder}: {_counted(todo)}, by `gen-workflow generate`"
        return [first, *(f"#   {name}" for name in shown)]


def _reasons(copy: Copy) -> Iterator[str]:
    """Yield why a copy is not in step, each with the path of what it is about."""
    renewed = copy.of(*_RENEWED)
    if len(copy.of(State.NEW)) == len(copy.files):
        yield f"{copy.folder}: missing: the actions were not copied yet"
        return
    yield from _named(copy.of(*_ALONE))
    if len(copy.of(State.LEFT, State.LEFT_EDITED)) == len(copy.files):
        yield f"{copy.folder}: no longer given: the spec does not copy actions there any more"
    elif renewed:
        yield f"{copy.folder}: {_cause(copy)} ({_counted(renewed)})"


def _cause(copy: Copy) -> str:
    """Return why there are other files today than were copied."""
    if not copy.version and copy.of(State.CURRENT):
        return f"missing: its {lock.NAME} is not there"
    if not copy.version:
        return "missing: the actions were not copied yet"
    sources = [one for one in copy.of(State.OLDER) if not one.path.endswith(f"/{lock.NAME}")]
    if copy.version == __version__ and not sources:
        return "spec changed: it uses other actions than were copied"
    today = f"gen-workflow {__version__}"
    today = f"this {today}, with other sources," if copy.version == __version__ else today
    return f"generator changed: gen-workflow {copy.version} copied it, and {today} has other files"


def _next_act(copy: Copy, command: Callable[[str], str]) -> str:
    """Return what ends every reason; `command` returns a command with the options of this run."""
    force = command("generate --force")
    if copy.of(State.NOT_OURS):
        return f"move it away, or overwrite it with {force}"
    if copy.of(State.EDITED, State.CONFLICT):
        return (
            f"to lose the edit, run {force}; to keep it, put the edited actions into a repository "
            "of your own, and name that in the spec: actions: {remote: OWNER/NAME@COMMIT # VERSION}"
        )
    if copy.of(*_RENEWED, State.MISSING):
        return f"run {command('generate')} and commit the result"
    return "remove it, or give the actions a folder of their own: actions: {vendored: FOLDER}"


def _named(found: Iterable[Found]) -> list[str]:
    return _some([f"{one.path}: {_ALONE[one.state]}" for one in found])


def _some(lines: list[str]) -> list[str]:
    """Return the first of many lines, and how many there are more."""
    more = len(lines) - _MOST
    return [*lines[:_MOST], f"... and {more} more"] if more > 0 else lines


def _counted(found: list[Found]) -> str:
    """Return how many files change, come and go."""
    added = sum(one.there is None for one in found)
    gone = sum(one.text is None for one in found)
    counts = ((len(found) - added - gone, "to change"), (added, "to add"), (gone, "to remove"))
    return ", ".join(f"{_files(count)} {what}" for count, what in counts if count)


def _letter(one: Found) -> str:
    """Return the letter that git has for what becomes of a file."""
    return "D" if one.text is None else "A" if one.there is None else "M"


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"

"""Lines that use an action at a commit, and which of two such lines is the newer one.

Such a line is `uses: OWNER/REPO@COMMIT # VERSION`, as Dependabot, Renovate and pinact write it too.
They change the commit and the version, and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.comment import said
from gen_workflow.pins.reference import reference

if TYPE_CHECKING:
    from gen_workflow.pins.versions import Version

_LINE = re.compile(r"(?P<before>\s*(?:- +)?uses: +)(?P<uses>[^\s#'\"]+)\s+(?P<comment>#.*?)\s*")


class Pinned(NamedTuple):
    """A repository, its action, the commit that a line uses it at, and the version that it says."""

    repository: str
    action: str
    sha: str
    version: Version


def of(line: str) -> Pinned | None:
    """Return what a line pins; None when it pins nothing, or does not say its version."""
    found = _LINE.fullmatch(line)
    meant = reference(found["uses"]) if found else None
    version = said(found["comment"]) if found else None
    if meant is None or version is None or not meant.is_commit:
        return None
    return Pinned(meant.repository, meant.action, meant.ref, version)


def key(line: str) -> str:
    """Return a line without its commit and version: a line that only they tell apart is the same.

    The key of such a line is YAML that uses the action at no commit.
    """
    found = of(line)
    return f"{line[: line.index('uses:')]}uses: {found.action}@" if found else line


def with_pins(lines: list[str], pins: dict[str, str]) -> list[str]:
    """Return lines of which each that pins an action is replaced by that of `pins`, by its key."""
    return [pins.get(key(line), line) for line in lines]


def pins(lines: list[str]) -> dict[str, str]:
    """Return the lines that pin an action, by their key."""
    return {key(line): line for line in lines if of(line)}


def is_newer(one: Version, other: Version) -> bool:
    """Tell whether a version is newer than another one, as far as both say it (`v7`, `v7.0.1`)."""
    comparable = one.series == other.series and not other.covers(one)
    return comparable and one.order > other.order


def is_bump(before: Pinned, after: Pinned) -> bool:
    """Tell whether a bot can have changed the one to the other: the version did not go back.

    Another commit for the same version is no update, unless the version is one that moves (`v7`).
    """
    was, now = before.version, after.version
    if was.same(now):
        return before.sha != after.sha and len(now.numbers) == 1
    return is_newer(now, was) or was.covers(now) or now.covers(was)

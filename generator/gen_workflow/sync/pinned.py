"""Lines that use an action at a commit, and which of two versions of it is the newer one.

Such a line is `uses: OWNER/REPO@COMMIT # VERSION`, as Dependabot, Renovate and pinact write it too.
They change the commit and the version, and nothing else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(
    r"(?P<before>\s*(?:- +)?uses: +)(?P<action>[\w.-]+/[\w./-]+)@(?P<sha>[0-9a-f]{40})"
    r" +# ?(?P<version>(?:tag=)?v?\d[\w.+-]*)\s*"
)
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


class Pinned(NamedTuple):
    """An action, the commit that a line uses it at, and the version in the comment."""

    action: str
    sha: str
    version: str

    @property
    def repository(self) -> str:
        """The repository that the action is in."""
        return repository(self.action)


def repository(action: str) -> str:
    """Return the repository that an action, or a workflow that is called, is in."""
    return "/".join(action.split("/")[:2])


def of(line: str) -> Pinned | None:
    """Return what a line pins; None when it pins nothing."""
    found = _LINE.fullmatch(line)
    return Pinned(found["action"], found["sha"], found["version"]) if found else None


def key(line: str) -> str:
    """Return a line without its commit and version: a line that only they tell apart is the same.

    The key of such a line is YAML that uses the action at no commit.
    """
    found = _LINE.fullmatch(line)
    return f"{found['before']}{found['action']}@" if found else line


def with_pins(lines: list[str], pins: dict[str, str]) -> list[str]:
    """Return lines of which each that pins an action is replaced by that of `pins`, by its key."""
    return [pins.get(key(line), line) for line in lines]


def pins(lines: list[str]) -> dict[str, str]:
    """Return the lines that pin an action, by their key."""
    return {key(line): line for line in lines if of(line)}


def is_newer(one: str, other: str) -> bool:
    """Tell whether a version is newer than another one, as far as both say it."""
    both = tuple(zip(_numbers(one), _numbers(other), strict=False))
    return [mine for mine, _ in both] > [theirs for _, theirs in both]


def is_bump(before: Pinned, after: Pinned) -> bool:
    """Tell whether a bot can have changed the one to the other: the version did not go back.

    Another commit for the same version is no update. `v7` moves to other commits, and is one.
    """
    if before.version == after.version:
        return before.sha != after.sha and len(_numbers(after.version)) == 1
    one, other = _numbers(after.version), _numbers(before.version)
    return is_newer(after.version, before.version) or (
        len(one) != len(other) and not is_newer(before.version, after.version)
    )


def _numbers(version: str) -> list[int]:
    found = _NUMBERS.search(version)
    return [int(part) for part in found[0].split(".")] if found else []

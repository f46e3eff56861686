"""What is known of an action's repository: its releases, its tags and its branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.versions import Version, version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_workflow.workflow.records import Pin


class Release(NamedTuple):
    """A version at its commit; `published` is in seconds since 1970, `draft` is a pre-release."""

    version: Version
    commit: str
    published: float = 0.0
    early: bool = False


class Known(NamedTuple):
    """What a source knows of a repository.

    `releases` holds one for each commit, under the most exact of its names. `tags` are all tags
    with their commits. `name` is what GitHub calls the repository now. The shipped table is not
    `whole`: it holds one release of a repository, no tags and no branches.
    """

    name: str
    releases: tuple[Release, ...]
    tags: Mapping[str, str]
    branches: frozenset[str] = frozenset()
    whole: bool = True
    archived: bool = False

    def at(self, commit: str) -> Release | None:
        """Return the release that a commit is."""
        return next((one for one in self.releases if one.commit == commit.lower()), None)


def exact(found: Iterable[Release]) -> tuple[Release, ...]:
    """Return one release for each commit: `v4.1.2` for one that is also `v4` and `v4.1`."""
    by_commit: dict[str, Release] = {}
    for one in sorted(found, key=lambda each: (len(each.version.numbers), each.version.order)):
        before = by_commit.get(one.commit)
        early = one.early or (before is not None and before.early)
        by_commit[one.commit] = one._replace(early=early)
    return tuple(by_commit.values())


def of_table(pins: Mapping[str, Pin]) -> dict[str, Known]:
    """Return what the shipped table knows, by the names of repositories in small letters."""
    known = {}
    for name, pin in pins.items():
        said = version(pin.version)
        releases = (Release(said, pin.sha),) if said else ()
        known[name.lower()] = Known(name, releases, {}, whole=False)
    return known

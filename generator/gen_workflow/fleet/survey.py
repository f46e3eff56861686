"""Looks at all repositories of a fleet: asks as little as possible, and says where each stands."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.errors import UserError
from gen_workflow.fleet import inventory, standing
from gen_workflow.fleet.inventory import Asked
from gen_workflow.fleet.listing import TOP, Listing
from gen_workflow.fleet.standing import Standing, Stands
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gen_workflow.fleet.inventory import Held
    from gen_workflow.fleet.roster import Member
    from gen_workflow.fleet.standing import Content
    from gen_workflow.github.connection import Connection

_WORKFLOWS = ".github/workflows"
_SEEN = (TOP, _WORKFLOWS)
_ROUNDS = 6  # folders within folders that a spec may name, until its files are all known


class Surveyed(NamedTuple):
    """A repository with where it stands; `held` and `content` are what it has and should have."""

    member: Member
    standing: Standing
    held: Held | None = None
    content: Content | None = None


class Survey:
    """One look at a fleet.

    `render` returns what a repository should hold, from its files; it raises UserError for a spec
    that is wrong. `progress` is told how many repositories were read.
    """

    def __init__(
        self,
        connection: Connection,
        branch: str,
        render: Callable[[Member, bytes | None, Listing], Content],
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._connection = connection
        self._branch = branch
        self._render = render
        self._progress = progress
        self._held: dict[str, Held] = {}

    def look(self, members: Sequence[Member]) -> list[Surveyed]:
        """Return where each of the repositories stands, in their order."""
        folders = self._guess(members)
        self._read([self._first(one, folders) for one in members], self._progress)
        found = {one.slug: self._until_known(one) for one in members if one.slug in self._held}
        for _ in range(_ROUNDS):
            again = [one for one in found.values() if isinstance(one, Asked)]
            if not again:
                break
            self._read(again)
            asked = {one.slug for one in again}
            found |= {one.slug: self._until_known(one) for one in members if one.slug in asked}
        self._read_differing(found)
        return [self._surveyed(one, found.get(one.slug)) for one in members]

    def _guess(self, members: Sequence[Member]) -> set[str]:
        """Return the folders that the first spec of the fleet asks for, as others will too."""
        first = next((one for one in members if one.spec), None)
        if first is None:
            return set()
        listing = Listing(first.slug, {}, {})
        with suppress(UserError):  # it is told for each repository, when its files are known
            self._render(first, None, listing)
        return listing.asked

    def _first(self, member: Member, folders: Iterable[str]) -> Asked:
        there = tuple(dict.fromkeys((*_SEEN, *(sorted(folders) if member.spec else ()))))
        return Asked(member.slug, there, () if member.spec else (files.SPEC,), _SEEN)

    def _read(
        self, asked: Sequence[Asked], progress: Callable[[int], None] = lambda _: None
    ) -> None:
        answers = inventory.read(self._connection, asked, self._branch, progress)
        for one, held in zip(asked, answers, strict=True):
            if held:
                known = self._held.get(one.slug)
                self._held[one.slug] = known.with_more(held) if known else held

    def _until_known(self, member: Member) -> Content | Standing | Asked:
        """Return what a repository should hold; where it stands without that; what is to ask."""
        held = self._held[member.slug]
        if stands := standing.without_content(held):
            return stands
        if member.spec is None and held.texts.get(files.SPEC) is None:
            return Standing(held.slug, Stands.NO_SPEC, said=f"it has no {files.SPEC}")
        listing = held.listing
        try:
            content = self._render(member, held.texts.get(files.SPEC), listing)
        except UserError as error:
            if not listing.asked | listing.wanted:
                return standing.of_a_wrong_spec(held, error)
        else:
            if not listing.asked | listing.wanted:
                return content
        return Asked(member.slug, tuple(sorted(listing.asked)), tuple(sorted(listing.wanted)))

    def _read_differing(self, found: dict[str, Content | Standing | Asked]) -> None:
        """Read the texts of the files that differ: an edit by hand can be told from those alone."""
        asked = []
        for slug, one in found.items():
            if isinstance(one, (Standing, Asked)):
                continue
            held = self._held[slug]
            there = (path for path in standing.differing(one, held) if held.listing.oid(path))
            if texts := tuple(path for path in there if path not in held.texts):
                asked.append(Asked(slug, (), texts))
        self._read(asked)

    def _surveyed(self, member: Member, found: Content | Standing | Asked | None) -> Surveyed:
        held = self._held.get(member.slug)
        if held is None or found is None:
            return Surveyed(member, standing.of_a_missing(member))
        if isinstance(found, Standing):
            return Surveyed(member, found, held)
        if isinstance(found, Asked):  # folders that lead into each other without an end
            said = f"its files were not all known after {_ROUNDS} requests; please report this"
            return Surveyed(member, Standing(held.slug, Stands.WRONG, said=said), held)
        return Surveyed(member, standing.of(found, held), held, found)

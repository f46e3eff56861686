"""Looks at all repositories of a fleet: asks as little as possible, and says where each stands."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.errors import UserError
from gen_workflow.fleet import inventory, standing
from gen_workflow.fleet.inventory import Asked
from gen_workflow.fleet.listing import TOP, Listing
from gen_workflow.fleet.standing import Standing, Stands
from gen_workflow.github import proposal
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
    """A repository with where it stands; `held` and `content` are what it has and should have.

    Of a large fleet these are not kept: see `Survey.look`.
    """

    member: Member
    standing: Standing
    held: Held | None = None
    content: Content | None = None


class _Open(NamedTuple):
    """A repository of which not all is known yet: its place in the fleet, and what is asked next.

    `rounds` counts the requests for its files, `content` is what it should hold, when it is known.
    """

    place: int
    member: Member
    asked: Asked
    held: Held | None = None
    rounds: int = 0
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

    def look(self, members: Sequence[Member]) -> list[Surveyed]:
        """Return where each of the repositories stands, in their order.

        Only what is asked for at once is in memory. What they have and should have is kept when
        that was all: who writes to more of them looks at each hundred again before its turn, for by
        then hours may have passed.
        """
        keeps = len(members) <= inventory.AT_ONCE
        folders = self._guess(members)
        todo = deque(_Open(n, one, self._first(one, folders)) for n, one in enumerate(members))
        found: dict[int, Surveyed] = {}
        while todo:
            some = [todo.popleft() for _ in range(min(inventory.AT_ONCE, len(todo)))]
            answers = inventory.read(self._connection, [one.asked for one in some], self._branch)
            for one, held in zip(some, answers, strict=True):
                after = self._next(one, held)
                if isinstance(after, _Open):
                    todo.appendleft(after)  # it is asked again together with new ones
                else:
                    found[one.place] = after if keeps else after._replace(held=None, content=None)
            self._progress(sum(one.held is None for one in some))
        return [found[place] for place in range(len(members))]

    def _guess(self, members: Sequence[Member]) -> set[str]:
        """Return the folders that the first spec of the fleet asks for, as others will too."""
        first = next((one for one in members if one.given), None)
        if first is None:
            return set()
        listing = Listing(first.slug, {}, {})
        with suppress(UserError):  # it is told for each repository, when its files are known
            self._render(first, None, listing)
        return listing.asked

    def _first(self, member: Member, folders: Iterable[str]) -> Asked:
        there = tuple(dict.fromkeys((*_SEEN, *(sorted(folders) if member.given else ()))))
        return Asked(member.slug, there, () if member.given else (files.SPEC,), _SEEN)

    def _next(self, one: _Open, answered: Held | None) -> Surveyed | _Open:
        """Return where a repository stands, or what is to be asked of it next."""
        held = one.held.with_more(answered) if one.held and answered else answered or one.held
        if held is None:
            return Surveyed(one.member, standing.of_a_missing(one.member))
        content = one.content
        if content is None:
            found = self._until_known(one.member, held)
            if isinstance(found, Standing):
                return Surveyed(one.member, found, held)
            if isinstance(found, Asked):
                return _again(one, found, held)
            content = found
            if texts := _unread(content, held):
                asked = Asked(one.member.slug, (), texts)
                return one._replace(asked=asked, held=held, content=content)
        return Surveyed(one.member, standing.of(content, held), held, content)

    def _until_known(self, member: Member, held: Held) -> Content | Standing | Asked:
        """Return what a repository should hold; where it stands without that; what is to ask."""
        if stands := standing.without_content(held):
            return stands
        if member.given is None and held.texts.get(files.SPEC) is None:
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


def _unread(content: Content, held: Held) -> tuple[str, ...]:
    """Return the files that differ, whose texts tell whether somebody has edited them by hand.

    A file that the spec no longer gives goes with a change of the workflow that came with it.
    """
    differs = standing.differing(content, held)
    former = content.former if proposal.WORKFLOW in differs else ()
    there = (path for path in (*differs, *former) if held.listing.oid(path))
    return tuple(path for path in there if path not in held.texts)


def _again(one: _Open, asked: Asked, held: Held) -> Surveyed | _Open:
    if one.rounds < _ROUNDS:
        return one._replace(asked=asked, held=held, rounds=one.rounds + 1)
    # Folders that lead into each other without an end.
    said = f"its files were not all known after {_ROUNDS} requests; please report this"
    return Surveyed(one.member, Standing(held.slug, Stands.WRONG, said=said), held)

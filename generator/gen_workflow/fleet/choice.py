"""Which repositories of a fleet a run is for: by name, by ring, by shard, or those that failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, SpecError, UserError, shown
from gen_workflow.fleet import rings
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.hints import listed, near

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.fleet.roster import Member, Roster

_NO_RINGS = "write the rings under `rings`; docs/fleet.md says how"


class Choice(NamedTuple):
    """What was chosen; all of it has to fit.

    `shard` is the number of a part, from 1 on, and how many parts there are. `failed` are the
    repositories in which the last run failed, None when nobody asks for those.
    """

    named: tuple[str, ...] = ()
    ring: str = ""
    shard: tuple[int, int] = (1, 1)
    failed: set[str] | None = None

    def has(self, slug: str) -> bool:
        """Tell whether a repository is in the shard, and failed where that is asked for."""
        number, of = self.shard
        in_shard = int(rings.hashed(slug), 16) % of == number - 1
        return in_shard and (self.failed is None or slug.lower() in self.failed)


def check_ring(roster: Roster, name: str, source: str) -> None:
    """Raise UserError when the fleet has no ring of a name, which may be empty."""
    known = tuple(ring.name for ring in roster.rings)
    if name and name not in known:
        hint = near(name, known) or (f"use one of {listed(known)}" if known else _NO_RINGS)
        what = f"{name!r} is not a ring of the fleet"
        raise UserError(what, where=shown(source), hint=hint, anchor=Heading.OPTION)


def check_names(roster: Roster, source: str, log: Callable[[str], None]) -> None:
    """Raise SpecError for the names in the rings that no repository of the fleet has.

    With a selection these are only logged: one may have been archived since.
    """
    try:
        rings.check(roster.rings, [one.slug for one in roster.members], source)
    except SpecError as error:
        if not roster.selections:
            raise
        for problem in error.problems:
            log(f"warning: {problem}")


def chosen(roster: Roster, choice: Choice, source: str) -> tuple[Member, ...]:
    """Return the repositories that were chosen, in the order of the fleet.

    Raises UserError for a name that the fleet does not have.
    """
    by_ring = rings.divided(roster.rings, [one.slug for one in roster.members])
    wanted = _named(roster, choice.named, source)
    if choice.ring:
        wanted &= by_ring[choice.ring]
    return tuple(one for one in roster.members if one.slug in wanted and choice.has(one.slug))


def _named(roster: Roster, named: tuple[str, ...], source: str) -> set[str]:
    """Return the repositories that were named, all without a name."""
    if not named:
        return {one.slug for one in roster.members}
    known: dict[str, set[str]] = {}
    for one in roster.members:
        for name in (one.slug, one.slug.partition("/")[2]):
            known.setdefault(name.lower(), set()).add(one.slug)
    for name in named:
        if name.lower() not in known:
            hint = near(name, tuple(one.slug for one in roster.members))
            what = f"{name!r} is not a repository of the fleet"
            hint = hint or f"see `repos` and `select` in {source}"
            raise UserError(what, where=shown(source), hint=hint, anchor=Heading.OPTION)
    return {slug for name in named for slug in known[name.lower()]}


def shard(text: str, most: int) -> tuple[int, int]:
    """Return the number of a part and how many there are; the whole is the first part of one."""
    found = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", text or "1/1")
    if not found or int(found[1]) > int(found[2]):
        what = f"{text!r} is not a part of a number of parts"
        raise UserError(what, where="--shard", hint="give for example 2/5", anchor=Heading.OPTION)
    if int(found[2]) > most:
        what = f"{text!r} are more parts than can share the pace that GitHub allows"
        hint = f"make {most} parts at most"
        raise UserError(what, where="--shard", hint=hint, anchor=Heading.OPTION)
    return int(found[1]), int(found[2])

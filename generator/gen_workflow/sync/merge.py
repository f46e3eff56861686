"""Merges two versions of a text that come from a third one, line by line.

Each side gives hunks: stretches of the base that it changed. Two hunks are a conflict when both
change the same line of the base in different ways. Neighbours are none, because in a workflow a
line mostly is a whole setting; `meaning` looks at whether the result says what both sides meant.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.sync import pinned

if TYPE_CHECKING:
    from collections.abc import Sequence


class Hunk(NamedTuple):
    """A change: the items `begin` to `end` of the base became `first` to `last` of the side."""

    begin: int
    end: int
    first: int
    last: int


class Conflict(NamedTuple):
    """Lines that both sides changed, and where they are in the text of `yours`, from 0."""

    line: int
    base: list[str]
    yours: list[str]
    new: list[str]


class Merged(NamedTuple):
    """The result: its lines, and what became of the differences between `base` and `yours`.

    `edited` says that it holds an edit. `moved` are pins that a bot moved, `reset` those that it
    should not have moved: each as it was, and as the bot left it.
    """

    lines: list[str]
    conflicts: list[Conflict]
    edited: bool
    moved: list[tuple[pinned.Pinned, pinned.Pinned]]
    reset: list[tuple[pinned.Pinned, pinned.Pinned]]


def hunks(base: Sequence[object], side: Sequence[object]) -> list[Hunk]:
    """Return what a side changed."""
    start, most = 0, min(len(base), len(side))
    while start < most and base[start] == side[start]:
        start += 1
    rest = 0
    while rest < most - start and base[-1 - rest] == side[-1 - rest]:
        rest += 1
    matcher = SequenceMatcher(
        None, base[start : len(base) - rest], side[start : len(side) - rest], autojunk=False
    )
    return [
        Hunk(*(at + start for at in places))
        for tag, *places in matcher.get_opcodes()
        if tag != "equal"
    ]


class Region(NamedTuple):
    """A stretch of the base with the hunks that each side has there; one may have none."""

    begin: int
    end: int
    yours: list[Hunk]
    new: list[Hunk]


def regions(yours: list[Hunk], new: list[Hunk]) -> list[Region]:
    """Return the stretches that at least one side changed, in order; hunks that meet share one.

    Insertions at the same place meet; an insertion beside a changed line does not.
    """
    found: list[Region] = []
    for hunk, is_new in sorted([*((one, False) for one in yours), *((one, True) for one in new)]):
        last = found[-1] if found else None
        if last is None or not (
            hunk.begin < last.end or (last.begin, last.end) == (hunk.begin, hunk.end)
        ):
            last = Region(hunk.begin, hunk.end, [], [])
            found.append(last)
        (last.new if is_new else last.yours).append(hunk)
        found[-1] = last._replace(end=max(last.end, hunk.end))
    return found


def span(region: Region, side: list[Hunk]) -> slice:
    """Return which items of a side a region is, when the side has hunks there."""
    first, last = side[0], side[-1]
    return slice(first.first - (first.begin - region.begin), last.last + region.end - last.end)


def merge(
    base: list[str], yours: list[str], new: list[str], ours: frozenset[str] = frozenset()
) -> Merged:
    """Return `new` with the edits of `yours`; `ours` are the repositories whose pins are new's."""
    return _Merge(base, yours, new, ours).result()


class _Merge:
    """A merge on its way through the base."""

    def __init__(
        self, base: list[str], yours: list[str], new: list[str], ours: frozenset[str]
    ) -> None:
        self.base, self.yours, self.new, self.ours = base, yours, new, ours
        self.merged = Merged([], [], edited=False, moved=[], reset=[])
        self.edited = False
        self.shifts = [0, 0]  # how much further than in the base the place in yours, and in new, is

    def result(self) -> Merged:
        keys = [list(map(pinned.key, side)) for side in (self.base, self.yours, self.new)]
        at = 0
        for region in regions(hunks(keys[0], keys[1]), hunks(keys[0], keys[2])):
            self._unchanged(range(at, region.begin))
            self.merged.lines.extend(self._changed(region))
            for side, found in enumerate((region.yours, region.new)):
                if found:
                    self.shifts[side] = found[-1].last - found[-1].end
            at = region.end
        self._unchanged(range(at, len(self.base)))
        return self.merged._replace(edited=self.edited)

    def _changed(self, region: Region) -> list[str]:
        base = self.base[region.begin : region.end]
        new = self.new[span(region, region.new)] if region.new else base
        if not region.yours:
            return new
        place = span(region, region.yours)
        yours = self.yours[place]
        if region.new and list(map(pinned.key, yours)) == list(map(pinned.key, new)):
            return new
        self.edited = True
        if not region.new:
            return yours
        if not base:  # both only add something
            return new + yours
        self.merged.conflicts.append(Conflict(place.start, base, yours, new))
        return yours

    def _unchanged(self, lines: range) -> None:
        """Take lines that are the same everywhere but for the commits that they pin."""
        for at in lines:
            place = at + self.shifts[0]
            base, yours, new = self.base[at], self.yours[place], self.new[at + self.shifts[1]]
            self.merged.lines.append(
                new if yours in (base, new) else self._pin(place, base, yours, new)
            )

    def _pin(self, place: int, base: str, yours: str, new: str) -> str:
        """Return the line for an action whose pin somebody has moved."""
        was, there, meant = pinned.of(base), pinned.of(yours), pinned.of(new)
        if was is None or there is None or meant is None:
            return new  # pragma: no cover - lines of the same key all pin something
        if there.repository.lower() in self.ours:
            self.merged.reset.append((meant, there))
            return new
        if not pinned.is_bump(was, there):
            self.edited = True
            if base != new:
                self.merged.conflicts.append(Conflict(place, [base], [yours], [new]))
            return yours
        if base != new and not pinned.is_newer(there.version, meant.version):
            return new
        self.merged.moved.append((meant, there))
        return yours

"""Rings and shards: which repositories are in which, and what of the pace a shard has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.commands.of_a_fleet import Asked
from gen_workflow.fleet import rings, roster
from gen_workflow.fleet.choice import Choice
from gen_workflow.fleet.journal import Journal
from gen_workflow.github.handling import PLAIN

if TYPE_CHECKING:
    from pathlib import Path

RAW = b"select: {owner: acme}\nrings: {early: 10%, few: 5, others: rest}\n"
SLUGS = [f"acme/app{number}" for number in range(100)]


def test_a_repository_that_joins_moves_few_others_into_another_ring() -> None:
    declared = roster.read(RAW, "fleet.yml").rings
    before, after = (rings.divided(declared, some) for some in (SLUGS, [*SLUGS, "acme/new"]))
    assert [len(ones) for ones in before.values()] == [10, 5, 85]
    assert [len(ones) for ones in after.values()] == [11, 5, 85]
    moved = [slug for ring in before for slug in before[ring] - after[ring]]
    assert len(moved) <= 3


def test_a_share_is_rounded_up_and_takes_no_more_than_there_are() -> None:
    declared = roster.read(RAW, "fleet.yml").rings
    found = rings.divided(declared, SLUGS[:3])
    assert [len(ones) for ones in found.values()] == [1, 2, 0]


def test_shards_share_the_pace(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "none")
    whole, part = (
        Asked(Choice(shard=shard), 0, 500, 0, 0, 0, 0, "", "", PLAIN, again=False).pace(kept)
        for shard in ((1, 1), (2, 4))
    )
    assert whole.lasts(0.0, [3] * 26) == part.lasts(0.0, [3] * 6) == 0.0
    assert part.lasts(0.0, [3] * 7) == whole.lasts(0.0, [3] * 27) > 0.0

"""The upright lines between two layers: jobs that lead to the same jobs share one."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Mapping

from gen_workflow.graph.layout import Cell, Layout
from gen_workflow.named_tuple import NamedTuple


class Track(NamedTuple):
    """The cells on the left that all lead to the same cells on the right."""

    before: tuple[Cell, ...]
    after: tuple[Cell, ...]


def tracks(layout: Layout, layer: int) -> list[Track]:
    """Return the tracks behind a layer."""
    led: dict[Cell, list[Cell]] = {}
    for before, after in layout.steps:
        if before.layer == layer:
            led.setdefault(before, []).append(after)
    shared: dict[frozenset[Cell], list[Cell]] = {}
    for cell, to in led.items():
        shared.setdefault(frozenset(to), []).append(cell)
    return [
        Track(tuple(cells), tuple(sorted(to, key=layout.slots.__getitem__)))
        for to, cells in shared.items()
    ]


def entering(layout: Layout, channels: list[list[Track]]) -> dict[Cell, list[Track]]:
    """Return the tracks that lead to each cell."""
    found: dict[Cell, list[Track]] = {cell: [] for cell in layout.slots}
    for track in (one for channel in channels for one in channel):
        for cell in track.after:
            found[cell].append(track)
    return found


def in_order(
    found: list[Track], leaves: Mapping[Cell, int], enters: Mapping[tuple[Track, Cell], int]
) -> list[Track]:
    """Return tracks from the first to the last, given where lines leave and enter boxes.

    Those are the rows of lines to the right, or the columns of lines downwards. In one of them a
    line that leaves has to end before one that enters begins. Returns an empty list when there is
    no such order.
    """
    left, ordered = list(found), list[Track]()
    while left:
        first = next((one for one in left if _may_be_first(one, left, leaves, enters)), None)
        if first is None:
            return []
        left.remove(first)
        ordered.append(first)
    return ordered


def _may_be_first(
    track: Track,
    others: list[Track],
    leaves: Mapping[Cell, int],
    enters: Mapping[tuple[Track, Cell], int],
) -> bool:
    """Tell whether no other track comes from where this one leads to."""
    taken = {enters[track, cell] for cell in track.after}
    return not any(
        leaves[cell] in taken for other in others if other is not track for cell in other.before
    )

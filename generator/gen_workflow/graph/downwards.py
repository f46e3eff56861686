"""A drawing on a terminal whose layers stand one below the other, with lines that lead down."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from gen_workflow.graph.boxes import FRAME, LEAST, WIDTH, texts, wanted
from gen_workflow.graph.canvas import Canvas
from gen_workflow.graph.layout import Cell, Layout
from gen_workflow.graph.model import Node
from gen_workflow.graph.tracks import Track, entering, in_order, tracks
from gen_workflow.graph.widths import fair

_GAP = 2  # between boxes


def drawn(layout: Layout) -> list[str]:
    """Return the drawing; nothing when it would be too wide, or its lines not clear."""
    channels = [tracks(layout, number) for number in range(len(layout.layers) - 1)]
    widths = [1] * layout.height
    least = list(widths)
    for cell, led in entering(layout, channels).items():
        slot = layout.slots[cell]
        widths[slot] = max(widths[slot], wanted(cell))
        least[slot] = max(least[slot], 2 * len(led) + 1)
    most = int(fair(widths, WIDTH - _GAP * (len(widths) - 1)))
    if most < min(LEAST + FRAME, max(widths, default=0)):
        return []
    widths = [max(min(most, width), low) for width, low in zip(widths, least, strict=True)]
    too_wide = sum(widths) + _GAP * (len(widths) - 1) > WIDTH
    return [] if too_wide else _Drawing(layout, widths, channels).lines()


class _Drawing:
    """Boxes in rows, and lines in the channels between them."""

    def __init__(self, layout: Layout, widths: list[int], channels: list[list[Track]]) -> None:
        self._layout = layout
        self._widths = widths
        self._channels = channels
        self._lefts = [sum(widths[:slot]) + _GAP * slot for slot in range(len(widths))]
        self._columns = {
            cell: self._lefts[slot] + widths[slot] // 2 for cell, slot in layout.slots.items()
        }
        self._texts = {cell: texts(cell, widths[slot]) for cell, slot in layout.slots.items()}
        self._entering = entering(layout, channels)
        self._enters = self._entries()
        self._heights = [
            max(len(self._texts[cell]) + 2 if cell.node else 1 for cell in layer)
            for layer in layout.layers
        ]
        self._tops = [0]
        for height, channel in zip(self._heights, channels, strict=False):
            bent = sum(map(self._is_bent, channel))
            self._tops.append(self._tops[-1] + height + bent + 1)
        self._canvas = Canvas(self._lefts[-1] + widths[-1], self._tops[-1] + self._heights[-1])

    def lines(self) -> list[str]:
        """Return the drawing; nothing when its lines cannot be kept apart."""
        for number, channel in enumerate(self._channels):
            bent = [track for track in channel if self._is_bent(track)]
            ordered = in_order(bent, self._columns, self._enters)
            if len(ordered) < len(bent):
                return []
            top = self._tops[number] + self._heights[number]
            straight = [track for track in channel if track not in bent]
            for row, track in enumerate((*ordered, *straight), top):
                self._track(track, min(row, top + len(bent)), self._tops[number + 1] - 1)
        for cell, column in self._columns.items():
            if cell.node is None:
                top = self._tops[cell.layer] - 1
                self._canvas.upright(column, top, top + self._heights[cell.layer] + 1, cell)
        for cell in self._layout.slots:
            if cell.node:
                self._box(cell, cell.node)
        return self._canvas.text()

    def _entries(self) -> dict[tuple[Track, Cell], int]:
        """Return the column in which each track enters each box: they are beside its middle."""
        found = {}
        for cell, led in self._entering.items():
            first = self._columns[cell] - (len(led) - 1) // 2 * 2
            led.sort(key=lambda track: min(self._columns[one] for one in track.before))
            for index, track in enumerate(led):
                found[track, cell] = first + 2 * index
        return found

    def _is_bent(self, track: Track) -> bool:
        """Tell whether a track needs a row of its own, because it leads to another column."""
        columns = {self._columns[cell] for cell in track.before}
        return len(columns | {self._enters[track, cell] for cell in track.after}) > 1

    def _track(self, track: Track, row: int, bottom: int) -> None:
        """Draw the line from some cells to all of some others."""
        leaves = [self._columns[cell] for cell in track.before]
        enters = [self._enters[track, cell] for cell in track.after]
        first, last = min(*leaves, *enters), max(*leaves, *enters)
        if first < last:
            self._canvas.level(row, first, last, track, open_left=False, open_right=False)
        for cell, column in zip(track.before, leaves, strict=True):
            self._canvas.upright(column, self._bottom(cell), row, track)
        for column in enters:
            self._canvas.upright(column, row, bottom, track)

    def _bottom(self, cell: Cell) -> int:
        """Return the row of the lower edge of a box."""
        height = len(self._texts[cell]) + 2 if cell.node else self._heights[cell.layer]
        return self._tops[cell.layer] + height - 1

    def _box(self, cell: Cell, node: Node) -> None:
        slot = self._layout.slots[cell]
        top, left = self._tops[cell.layer], self._lefts[slot]
        self._canvas.box(top, left, self._widths[slot], self._texts[cell], dashed=node.grey)
        for track in self._entering[cell]:
            self._canvas.put(top - 1, self._enters[track, cell], "▼")
        if any(before == cell for before, _ in self._layout.steps):
            self._canvas.put(self._bottom(cell), self._columns[cell], "┬")

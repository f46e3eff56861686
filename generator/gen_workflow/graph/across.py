"""A drawing on a terminal whose layers stand side by side, with lines that lead to the right."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Sequence

from gen_workflow.graph.boxes import FRAME, LEAST, WIDTH, texts, wanted
from gen_workflow.graph.canvas import Canvas
from gen_workflow.graph.layout import Cell, Layout
from gen_workflow.graph.model import Node
from gen_workflow.graph.tracks import Track, entering, in_order, tracks
from gen_workflow.graph.widths import fair


def drawn(layout: Layout) -> list[str]:
    """Return the drawing; nothing when it would be too wide, or its lines not clear."""
    channels = [tracks(layout, number) for number in range(len(layout.layers) - 1)]
    widths = [max(map(wanted, layer)) for layer in layout.layers]
    most = int(fair(widths, WIDTH - sum(map(_room, channels))))
    if most < min(LEAST + FRAME, max(widths, default=0)):
        return []
    return _Drawing(layout, [min(most, width) for width in widths], channels).lines()


class _Drawing:
    """Boxes in columns, and lines in the channels between them."""

    def __init__(self, layout: Layout, widths: list[int], channels: list[list[Track]]) -> None:
        self._layout = layout
        self._widths = widths
        self._channels = channels
        self._lefts = [0]
        for width, channel in zip(widths, channels, strict=False):
            self._lefts.append(self._lefts[-1] + width + _room(channel))
        self._texts = {cell: texts(cell, widths[cell.layer]) for cell in layout.slots}
        self._entering = entering(layout, channels)
        heights = [1] * layout.height
        for cell, slot in layout.slots.items():
            heights[slot] = max(heights[slot], self._height(cell) + 2 if cell.node else 1)
        middles = [sum(heights[:slot]) + (height - 1) // 2 for slot, height in enumerate(heights)]
        self._rows = {cell: middles[slot] for cell, slot in layout.slots.items()}
        self._enters = self._entries()
        self._canvas = Canvas(self._lefts[-1] + widths[-1], sum(heights))

    def lines(self) -> list[str]:
        """Return the drawing; nothing when its lines cannot be kept apart."""
        for number, channel in enumerate(self._channels):
            left = self._lefts[number] + self._widths[number]
            ordered = in_order(channel, self._rows, self._enters)
            if len(ordered) < len(channel):
                return []
            for index, track in enumerate(ordered):
                self._track(track, left, self._lefts[number + 1] - 1, left + 1 + 2 * index)
        for cell, row in self._rows.items():
            if cell.node is None:
                left = self._lefts[cell.layer]
                self._canvas.level(row, left, left + self._widths[cell.layer] - 1, cell)
        for cell in self._layout.slots:
            if cell.node:
                self._box(cell, cell.node)
        return self._canvas.text()

    def _height(self, cell: Cell) -> int:
        """Return how many lines are inside of a box: one for each text, and each line to it."""
        return max(len(self._texts[cell]), len(self._entering[cell]))

    def _entries(self) -> dict[tuple[Track, Cell], int]:
        """Return the row in which each track enters each box: they are beside its middle."""
        found = {}
        for cell, led in self._entering.items():
            first = self._rows[cell] - (len(led) - 1) // 2
            led.sort(key=lambda track: min(self._rows[one] for one in track.before))
            for index, track in enumerate(led):
                found[track, cell] = first + index
        return found

    def _track(self, track: Track, left: int, right: int, column: int) -> None:
        """Draw the line from some cells to all of some others."""
        leaves = [self._rows[cell] for cell in track.before]
        enters = [self._enters[track, cell] for cell in track.after]
        self._canvas.upright(column, min(*leaves, *enters), max(*leaves, *enters), track)
        for row in leaves:
            self._canvas.level(row, left, column, track, open_right=False)
        for row in enters:
            self._canvas.level(row, column, right, track, open_left=False)

    def _box(self, cell: Cell, node: Node) -> None:
        lines = list(self._texts[cell])
        height, width = self._height(cell), self._widths[cell.layer]
        above = (height - len(lines)) // 2
        shown = [*[""] * above, *lines, *[""] * (height - len(lines) - above)]
        top, left = self._rows[cell] - (height + 1) // 2, self._lefts[cell.layer]
        self._canvas.box(top, left, width, shown, dashed=node.grey)
        for track in self._entering[cell]:
            self._canvas.put(self._enters[track, cell], left - 1, "▶")
        if any(before == cell for before, _ in self._layout.steps):
            self._canvas.put(self._rows[cell], left + width - 1, "├")


def _room(channel: Sequence[Track]) -> int:
    """Return how wide a channel is: a column for each track, and one beside each."""
    return 2 * len(channel) + 2

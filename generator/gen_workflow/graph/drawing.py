"""Where the boxes and the lines of an SVG are, in pixels: from left to right, or downwards."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Sequence
from functools import partial

from gen_workflow.graph.layout import Cell, Layout, place
from gen_workflow.graph.model import Graph, Node
from gen_workflow.graph.widths import fair, pixels, wrapped
from gen_workflow.named_tuple import NamedTuple

WIDTH = 800
FONT, SMALL = 13, 11
LINE = 17  # from a line of text to the next
PADDING = 10  # in a box
MARGIN = 12  # around everything
_ACROSS, _BESIDE = 44, 14  # between layers, and between slots
_LEAST = 96  # of a box, so that its text can be read
_POINT = 2 * _BESIDE  # how wide a slot of points alone is


class Box(NamedTuple):
    """The box of a job. Each of its lines has a size; they stand below each other in the middle."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    lines: tuple[tuple[str, int], ...]


class Line(NamedTuple):
    """A line from a cell to the next; `ends` when it leads to a box, and gets the arrow."""

    points: tuple[tuple[float, float], ...]
    ends: bool


class Drawing(NamedTuple):
    """Boxes and lines, and how much room they take."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


def draw(graph: Graph) -> Drawing:
    """Return the places of everything: downwards only when boxes side by side would be narrow."""
    layout = place(graph)
    across, down = _Plan(layout, downwards=False), _Plan(layout, downwards=True)
    plan = across if across.share >= min(_LEAST, down.share) else down
    return plan.drawing()


class _Plan:
    """A layout whose layers are columns, or rows when it goes downwards."""

    def __init__(self, layout: Layout, *, downwards: bool) -> None:
        self._layout = layout
        self._downwards = downwards
        self._gap = (_BESIDE, _ACROSS) if downwards else (_ACROSS, _BESIDE)
        count = layout.height if downwards else len(layout.layers)
        wanted = [0.0] * count
        for cell in layout.slots:
            column = self._at(cell)[0]
            wanted[column] = max(wanted[column], _wanted(cell))
        self.share = fair(wanted, WIDTH - 2 * MARGIN - (count - 1) * self._gap[0])
        most = max(self.share, _LEAST)
        self._widths = [min(most, width) for width in wanted]

    def drawing(self) -> Drawing:
        """Return where everything is."""
        texts = {
            cell: _lines(cell.node, self._widths[self._at(cell)[0]] - 2 * PADDING)
            for cell in self._layout.slots
            if cell.node
        }
        count = len(self._layout.layers) if self._downwards else self._layout.height
        self._heights = [0.0] * count
        for cell, text in texts.items():
            row = self._at(cell)[1]
            self._heights[row] = max(self._heights[row], len(text) * LINE + 2 * PADDING)
        self._heights = [max(height, _POINT / 2) for height in self._heights]
        self._xs, width = _begins(self._widths, self._gap[0])
        self._ys, height = _begins(self._heights, self._gap[1])
        boxes = tuple(self._box(cell, text) for cell, text in texts.items())
        lines = [self._line(before, after) for before, after in self._layout.steps]
        points = [self._through(cell) for cell in self._layout.slots if cell.node is None]
        return Drawing(boxes, (*lines, *points), width, height)

    def _at(self, cell: Cell) -> tuple[int, int]:
        """Return the column and the row of a cell."""
        places = cell.layer, self._layout.slots[cell]
        return places[::-1] if self._downwards else places

    def _box(self, cell: Cell, lines: tuple[tuple[str, int], ...]) -> Box:
        assert cell.node  # noqa: S101 - only jobs have lines
        column, row = self._at(cell)
        x, y, whole = self._xs[column], self._ys[row], self._heights[row]
        height = whole if self._downwards else len(lines) * LINE + 2 * PADDING
        y += (whole - height) / 2
        return Box(cell.node, x, y, self._widths[column], height, lines)

    def _sides(self, cell: Cell) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return where lines come into a cell, and where they leave it."""
        column, row = self._at(cell)
        x, y, width, height = (
            self._xs[column], self._ys[row], self._widths[column], self._heights[row]
        )  # fmt: skip
        if self._downwards:
            return (x + width / 2, y), (x + width / 2, y + height)
        return (x, y + height / 2), (x + width, y + height / 2)

    def _line(self, before: Cell, after: Cell) -> Line:
        """Return a line that leaves and arrives level, or upright when it goes downwards."""
        (x, y), (to_x, to_y) = self._sides(before)[1], self._sides(after)[0]
        if self._downwards:
            middle = (y + to_y) / 2
            bends = ((x, middle), (to_x, middle))
        else:
            middle = (x + to_x) / 2
            bends = ((middle, y), (middle, to_y))
        return Line(((x, y), *bends, (to_x, to_y)), ends=after.node is not None)

    def _through(self, cell: Cell) -> Line:
        return Line(self._sides(cell), ends=False)


def _begins(sizes: Sequence[float], gap: float) -> tuple[list[float], float]:
    """Return where each of some things begins that stand in a row, and how long the row is."""
    found, at = [], 0.0
    for size in sizes:
        found.append(at)
        at += size + gap
    return found, max(at - gap, 0)


def _wanted(cell: Cell) -> float:
    if cell.node is None:
        return _POINT
    below = cell.node.below(cell.node.name)
    text = max(pixels(cell.node.name, FONT), pixels(below, SMALL))
    return max(text + 2 * PADDING + 1, _LEAST)


def _lines(node: Node, width: float) -> tuple[tuple[str, int], ...]:
    texts = ((node.name, FONT), (node.below(node.name), SMALL))
    return tuple(
        (line, size)
        for text, size in texts
        if text
        for line in wrapped(text, width, partial(pixels, size=size))
    )

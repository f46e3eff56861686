"""The boxes of a drawing on a terminal: how wide they are, and what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.graph.widths import cells, wrapped

if TYPE_CHECKING:
    from gen_workflow.graph.layout import Cell

WIDTH = 80  # of a terminal
LEAST = 10  # cells for a text, below which a box cannot be read
FRAME = 4  # the frame of a box, with a blank beside the text


def wanted(cell: Cell) -> int:
    """Return how wide a box is whose texts are in one line each; a point takes one cell."""
    if cell.node is None:
        return 1
    return max(cells(cell.node.id), cells(cell.node.below(cell.node.id))) + FRAME


def texts(cell: Cell, width: int) -> tuple[str, ...]:
    """Return the lines in a box of a width."""
    if cell.node is None:
        return ()
    below = cell.node.below(cell.node.id)
    note = wrapped(below, width - FRAME, cells) if below else []
    return (*wrapped(cell.node.id, width - FRAME, cells), *note)

"""A page of characters on which boxes and lines are drawn; lines that cross stay apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.graph.widths import cells

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

# By the sides that a line leads to: north 1, east 2, south 4, west 8.
_LINES = " ╵╶└╷│┌├╴┘─┴┐┤┬┼"
_NORTH, _EAST, _SOUTH, _WEST = 1, 2, 4, 8
_SOLID, _DASHED = tuple("┌─┐│└┘"), tuple("┌╌┐┆└┘")


class Canvas:
    """The page. Each line has a name: lines of one name meet, those of two names cross."""

    def __init__(self, width: int, height: int) -> None:
        self._rows = [[" "] * width for _ in range(height)]
        self._sides: dict[tuple[int, int], dict[Hashable, int]] = {}

    def text(self) -> list[str]:
        """Return the lines of the page."""
        return ["".join(row) for row in self._rows]

    def upright(self, column: int, top: int, bottom: int, name: Hashable) -> None:
        """Draw a line from a row to another."""
        for row in range(top, bottom):
            self._add(row, column, _SOUTH, name)
            self._add(row + 1, column, _NORTH, name)

    def level(
        self,
        row: int,
        first: int,
        last: int,
        name: Hashable,
        *,
        open_left: bool = True,
        open_right: bool = True,
    ) -> None:
        """Draw a line from a column to another, which goes on at the ends that are open."""
        for column in range(first, last + 1):
            if column > first or open_left:
                self._add(row, column, _WEST, name)
            if column < last or open_right:
                self._add(row, column, _EAST, name)

    def box(self, top: int, left: int, width: int, lines: Sequence[str], *, dashed: bool) -> None:
        """Draw a box with a blank beside its text."""
        first, level, end, upright, below, corner = _DASHED if dashed else _SOLID
        inside = width - 4
        texts = [f"{upright} {line}{' ' * (inside - cells(line))} {upright}" for line in lines]
        edges = first + level * (width - 2) + end, below + level * (width - 2) + corner
        for row, line in enumerate((edges[0], *texts, edges[1]), top):
            self._rows[row][left : left + width] = _columns(line)

    def put(self, row: int, column: int, character: str) -> None:
        """Draw one character."""
        self._rows[row][column] = character

    def _add(self, row: int, column: int, side: int, name: Hashable) -> None:
        there = self._sides.setdefault((row, column), {})
        there[name] = there.get(name, 0) | side
        self._rows[row][column] = _sign(tuple(there.values()))


def _sign(lines: tuple[int, ...]) -> str:
    """Return the character for the lines in a cell: an upright one goes over a level one."""
    shown = 0
    for sides in [one for one in lines if one & (_NORTH | _SOUTH)] or lines:
        shown |= sides  # two upright ones meet at their ends alone
    return _LINES[shown]


def _columns(line: str) -> list[str]:
    """Return a text by the cells that it takes; what has no cell of its own stays with another."""
    found: list[str] = []
    for character in line:
        width = cells(character)
        if width == 0 and found:
            found[-1] += character
        else:
            found += [character, *[""] * (width - 1)]
    return found

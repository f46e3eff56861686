"""The drawing on a terminal: it fits, and its lines lead where the edges lead."""

from __future__ import annotations

import itertools

import pytest

from gen_workflow.graph import across, downwards, terminal
from gen_workflow.graph.boxes import WIDTH
from gen_workflow.graph.layout import place
from gen_workflow.graph.model import Graph, Node
from gen_workflow.graph.widths import cells, wrapped
from unit.generator.graph.made import pipeline, short

GRAPHS = [(seed, 1 + seed % 60, 1 + seed % 9) for seed in range(0, 60, 4)]
LINES = " ╵╶└╷│┌├╴┘─┴┐┤┬┼"
# By the side that is left: how row and column change, and the side that is then entered. No line
# leads back, to the layers before: on one that several jobs share, that way leads to one of them.
MOVES = {1: (-1, 0, 4), 2: (0, 1, 8), 4: (1, 0, 1), 8: (0, -1, 2)}
OPPOSITE = {1: 4, 2: 8, 4: 1, 8: 2}


class Drawing:
    """What a person sees: boxes by their names, and lines to follow."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = [" " * 90, *(f" {line.ljust(88)} " for line in lines), " " * 90]
        # To the right, or down, where the lines of the layers below are.
        self._ahead = 4 if any("▼" in line for line in lines) else 2

    def edges(self, names: list[str]) -> set[tuple[str, str]]:
        """Return where the lines lead that leave the boxes."""
        found = set()
        for name in names:
            left, right, top, bottom = self._box(name)
            begins = [(row, right) for row in range(top, bottom) if self._lines[row][right] == "├"]
            begins += [(bottom, at) for at in range(left, right) if self._lines[bottom][at] == "┬"]
            down, across, entered = MOVES[self._ahead]
            for row, column in begins:
                ends = self._ends(row + down, column + across, entered)
                found |= {(name, self._name(*end)) for end in ends}
        return found

    def _box(self, name: str) -> tuple[int, int, int, int]:
        """Return the columns and the rows of the edges of a box."""
        (row,) = [row for row, line in enumerate(self._lines) if f"│ {name} " in line]
        left = self._lines[row].index(f"│ {name} ")
        return self._around(row, left + 2)

    def _around(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return the edges of the box around a place."""
        line = self._lines[row]
        left = line.rindex("│", 0, column)
        right = min(at for at in range(column, len(line)) if line[at] in "│├")
        top = max(at for at in range(row) if self._lines[at][left] == "┌")
        bottom = min(at for at in range(row, len(self._lines)) if self._lines[at][left] == "└")
        return left, right, top, bottom

    def _name(self, row: int, column: int) -> str:
        """Return the name in the box that a line ends at."""
        left, right, top, bottom = self._around(row, column)
        rows = (self._lines[at][left + 1 : right] for at in range(top + 1, bottom))
        return "".join(rows).strip()

    def _ends(self, row: int, column: int, entered: int) -> set[tuple[int, int]]:
        """Follow a line to all of its ends, and return a place inside of the box of each."""
        moves = {side: move for side, move in MOVES.items() if move[2] != self._ahead}
        todo, seen, found = [(row, column, entered)], set(), set()
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen.add(at)
            row, column, entered = at
            sign = self._lines[row][column]
            if sign in "▶▼":
                found.add((row, column + 2) if sign == "▶" else (row + 2, column))
                continue
            sides = LINES.index(sign)
            assert sides, f"a line ends at {row}, {column}"
            if not sides & entered:  # it goes below an upright line
                assert sign == "│"
                sides = OPPOSITE[entered]
            for side, (down, right, enters) in moves.items():
                if sides & side and side != entered:
                    todo.append((row + down, column + right, enters))
        return found


@pytest.mark.parametrize(("seed", "jobs", "stages"), GRAPHS)
def test_no_line_is_wider_than_80_cells(seed: int, jobs: int, stages: int) -> None:
    text = terminal.text([pipeline(seed, jobs, stages)])
    assert [line for line in text.splitlines() if cells(line) > WIDTH] == []
    assert all(node.id.split("-")[-1] in text for node in pipeline(seed, jobs, stages).nodes)


@pytest.mark.parametrize("seed", range(50))
def test_the_lines_of_a_drawing_lead_where_the_edges_lead(seed: int) -> None:
    graph = short(seed, 2 + seed % 14, 1 + seed % 4)
    for draw in (across.drawn, downwards.drawn):
        if lines := draw(place(graph)):
            found = Drawing(lines).edges([node.id for node in graph.nodes])
            assert found == set(graph.edges), "\n".join(lines)


def test_a_drawing_shows_what_does_not_run_and_where_a_job_deploys() -> None:
    nodes = (Node("build", "Build"), Node("web", "Web", "production", grey=True))
    assert (
        terminal.text([Graph("Shop", nodes, (("build", "web"),))])
        == """\
Shop

┌───────┐    ┌╌╌╌╌╌╌╌╌╌╌╌╌┐
│ build ├───▶┆ web        ┆
└───────┘    ┆ production ┆
             └╌╌╌╌╌╌╌╌╌╌╌╌┘

Dashed: does not run.
"""
    )


def test_a_long_chain_leads_down() -> None:
    names = ("lint", "test", "build", "deploy-to-staging", "smoke-test", "deploy-to-production")
    edges = tuple(itertools.pairwise(names))
    text = terminal.text([Graph("Chain", tuple(Node(name, "") for name in names), edges)])
    assert text.count("▼") == len(edges)
    assert max(map(len, text.splitlines())) == len("deploy-to-production") + 4


def test_a_graph_that_is_too_wide_is_a_list() -> None:
    names = [[f"a-long-name-{row}-{column}" for column in range(7)] for row in range(7)]
    edges = tuple(edge for row in names for edge in itertools.pairwise(row))
    nodes = tuple(Node(name, "") for row in names for name in row)
    lines = terminal.text([Graph("Wide", nodes, edges)]).splitlines()
    assert lines[2] == "  1 │ a-long-name-0-0"
    assert lines[9] == "  2 │ a-long-name-0-1, after a-long-name-0-0"


def test_wide_characters_take_two_cells() -> None:
    text = terminal.text([Graph("", (Node("日本", "x"), Node("e\u0301", "x")), ())])
    assert "│ 日本 │" in text
    assert "│ e\u0301    │" in text


def test_a_long_word_is_broken_behind_a_dash_when_one_is_near() -> None:
    assert wrapped("deploy-production-eu", 12, cells) == ["deploy-", "production-", "eu"]
    assert wrapped("abcdefgh ij", 3, cells) == ["abc", "def", "gh", "ij"]
    assert wrapped("", 3, cells) == [""]

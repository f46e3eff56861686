"""Places the jobs of a graph in layers, so that every edge leads to a later one.

The steps are those of Sugiyama, Tagawa and Toda (1981): layers by the longest way, points on the
way of an edge that leaves layers out, an order with few crossings, and then the places.
"""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Iterable, Mapping

from gen_workflow.graph.model import Graph, Node
from gen_workflow.named_tuple import NamedTuple

_SWEEPS = 12


class Cell(NamedTuple):
    """A place in a layer: of a job, or without `node` of a point that edges of `id` go through."""

    id: str
    layer: int
    node: Node | None = None


class Layout(NamedTuple):
    """The cells in their layers, the slot of each in its layer, and the steps of edges."""

    layers: tuple[tuple[Cell, ...], ...]
    slots: Mapping[Cell, int]
    steps: tuple[tuple[Cell, Cell], ...]

    @property
    def height(self) -> int:
        """How many slots there are."""
        return 1 + max(self.slots.values(), default=-1)


def place(graph: Graph) -> Layout:
    """Return the places of all jobs."""
    layer = _layers(graph)
    cells = {one.id: Cell(one.id, layer[one.id], one) for one in graph.nodes}
    steps = dict.fromkeys(_steps(graph, cells))
    found: list[list[Cell]] = [[] for _ in range(1 + max(layer.values(), default=-1))]
    joined = dict.fromkeys(end for step in steps for end in step)
    alone = (cell for cell in cells.values() if cell not in joined)
    for cell in (*joined, *alone):
        found[cell.layer].append(cell)
    ordered = _ordered(found, tuple(steps))
    for cells_of_one in ordered:  # a job that is joined to none is below all others
        cells_of_one.sort(key=lambda cell: cell not in joined)
    return Layout(tuple(map(tuple, ordered)), _slots(ordered, tuple(steps)), tuple(steps))


def _layers(graph: Graph) -> dict[str, int]:
    """Return the layer of each job: one behind the last that it waits for."""
    layer = {one.id: 0 for one in graph.nodes}
    for _ in graph.nodes:  # a way has no more jobs than there are
        moved = False
        for before, after in graph.edges:
            if layer[after] <= layer[before] < len(graph.nodes):
                layer[after], moved = layer[before] + 1, True
        if not moved:
            break
    return layer


def _steps(graph: Graph, cells: Mapping[str, Cell]) -> Iterable[tuple[Cell, Cell]]:
    """Yield each edge as steps from a layer to the next; those of one job share their points."""
    for before, after in graph.edges:
        cell, end = cells[before], cells[after]
        while cell.layer < end.layer - 1:
            point = Cell(before, cell.layer + 1)
            yield cell, point
            cell = point
        yield cell, end


def _ordered(layers: list[list[Cell]], steps: tuple[tuple[Cell, Cell], ...]) -> list[list[Cell]]:
    """Return the layers in the order with the fewest crossings that some sweeps find."""
    best, least = layers, crossings(layers, steps)
    for sweep in range(_SWEEPS):
        if least == 0:
            break
        forward = sweep % 2 == 0
        layers = _swept(layers, steps, forward=forward)
        if (found := crossings(layers, steps)) < least:
            best, least = layers, found
    return best


def _swept(
    layers: list[list[Cell]], steps: tuple[tuple[Cell, Cell], ...], *, forward: bool
) -> list[list[Cell]]:
    """Return the layers with each cell in the middle of those that it is joined to."""
    place = {cell: index for layer in layers for index, cell in enumerate(layer)}
    found = list(layers)
    joined = _joined(steps, forward=forward)
    for number in range(len(layers))[:: 1 if forward else -1]:
        middles = {
            cell: _middle([place[one] for one in joined.get(cell, ())], place[cell])
            for cell in layers[number]
        }
        found[number] = sorted(layers[number], key=middles.__getitem__)
        place |= {cell: index for index, cell in enumerate(found[number])}
    return found


def _joined(steps: Iterable[tuple[Cell, Cell]], *, forward: bool) -> dict[Cell, list[Cell]]:
    """Return the cells before each one, or behind it."""
    found: dict[Cell, list[Cell]] = {}
    for before, after in steps:
        cell, other = (after, before) if forward else (before, after)
        found.setdefault(cell, []).append(other)
    return found


def _middle(places: list[int], usual: float) -> float:
    return sum(places) / len(places) if places else usual


def crossings(layers: list[list[Cell]], steps: Iterable[tuple[Cell, Cell]]) -> int:
    """Return how often steps cross each other."""
    place = {cell: index for layer in layers for index, cell in enumerate(layer)}
    by_layer: dict[int, list[tuple[int, int]]] = {}
    for before, after in steps:
        by_layer.setdefault(before.layer, []).append((place[before], place[after]))
    return sum(
        (one[0] - other[0]) * (one[1] - other[1]) < 0
        for found in by_layer.values()
        for index, one in enumerate(found)
        for other in found[:index]
    )


def _slots(layers: list[list[Cell]], steps: tuple[tuple[Cell, Cell], ...]) -> dict[Cell, int]:
    """Return the slot of each cell: near those that it waits for, and then near the next ones."""
    slots: dict[Cell, int] = {}
    for forward in (True, False):
        joined = _joined(steps, forward=forward)
        for layer in layers[:: 1 if forward else -1]:
            free = 0
            for cell in layer:
                near = [slots[one] for one in joined.get(cell, ())]
                slots[cell] = max(free, int(_middle(near, slots.get(cell, free))))
                free = slots[cell] + 1
    used = {slot: index for index, slot in enumerate(sorted(set(slots.values())))}
    return {cell: used[slot] for cell, slot in slots.items()}

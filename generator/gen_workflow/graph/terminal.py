"""A graph as a drawing of box characters, or as a list where a drawing would be too wide."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Iterator, Sequence

from gen_workflow.graph import across, downwards
from gen_workflow.graph.boxes import WIDTH
from gen_workflow.graph.layout import Layout, place
from gen_workflow.graph.model import Graph
from gen_workflow.graph.widths import cells, wrapped


def text(graphs: Sequence[Graph]) -> str:
    """Return the graphs one below the other, in lines of at most 80 cells."""
    return "\n".join(f"{_title(graph)}\n\n{_one(graph)}" for graph in graphs)


def _title(graph: Graph) -> str:
    return "\n".join(wrapped(graph.title, WIDTH, cells))


def _one(graph: Graph) -> str:
    layout = place(graph)
    lines = across.drawn(layout) or downwards.drawn(layout) or list(_listed(graph, layout))
    if any(node.grey for node in graph.nodes):
        lines += ["", "Dashed: does not run."]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _listed(graph: Graph, layout: Layout) -> Iterator[str]:
    """Yield the jobs one below the other, each with those that it waits for."""
    for number, layer in enumerate(layout.layers, 1):
        for node in (cell.node for cell in layer if cell.node):
            before = ", ".join(one for one, after in graph.edges if after == node.id)
            mark = "┆" if node.grey else "│"
            note = node.below(node.id)
            shown = f"{node.id} ({note})" if note else node.id
            said = f"{shown}, after {before}" if before else shown
            first, *more = wrapped(said, WIDTH - 8, cells)
            yield f"{number:>3} {mark} {first}"
            yield from (f"    {mark}   {line}" for line in more)

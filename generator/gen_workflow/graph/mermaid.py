"""A graph in the language of Mermaid, which GitHub draws in Markdown and in job summaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_workflow.graph.model import Graph, Node

# All that could end a text, begin a directive, or become HTML or Markdown is written as its number:
# a text that begins as an item of a list would be one.
_NOT_PLAIN = re.compile(r"^[+-]|(?<=^\d)\.|(?<=^\d\d)\.|[^A-Za-z0-9 .,/+-]")


def text(graphs: Sequence[Graph]) -> str:
    """Return the graphs, each in a frame of its own when there are several."""
    lines = ["flowchart LR"]
    for number, graph in enumerate(graphs):
        prefix = f"w{number}" if len(graphs) > 1 else ""
        if prefix:
            lines.append(f'  subgraph {prefix}["{_escaped(graph.title)}"]')
        indent = "    " if prefix else "  "
        lines += (f"{indent}{line}" for line in _graph(graph, prefix))
        if prefix:
            lines.append("  end")
    if any(node.grey for graph in graphs for node in graph.nodes):
        lines.append("  classDef grey fill:none,stroke-dasharray:4,color:#888,stroke:#888")
    return "".join(f"{line}\n" for line in lines)


def _graph(graph: Graph, prefix: str) -> Iterator[str]:
    # The name of a job could be a word of Mermaid, such as `end`.
    names = {node.id: f"{prefix}j{number}" for number, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        yield f'{names[node.id]}["{_label(node)}"]{":::grey" if node.grey else ""}'
    for before, after in graph.edges:
        yield f"{names[before]} --> {names[after]}"


def _label(node: Node) -> str:
    below = node.below(node.name)
    return _escaped(node.name) + (f"<br>{_escaped(below)}" if below else "")


def _escaped(text: str) -> str:
    """Return a text that Mermaid shows as it is."""
    printable = "".join(one if one.isprintable() else " " for one in text)
    return _NOT_PLAIN.sub(lambda found: _code(found[0]), " ".join(printable.split()))


def _code(character: str) -> str:
    return f"#{ord(character)};" if character.isascii() else character

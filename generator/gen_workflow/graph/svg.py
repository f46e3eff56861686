"""A graph as SVG: for light and dark pages, with words for screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.graph import drawing
from gen_workflow.graph.drawing import FONT, LINE, MARGIN
from gen_workflow.graph.widths import pixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_workflow.graph.drawing import Box, Line
    from gen_workflow.graph.model import Graph

_TITLE = 30  # the height of the title of a workflow
# The colours of GitHub's own pages. The background is that of the page.
_STYLE = f"""\
<style>
text {{ font: {FONT}px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; \
text-anchor: middle; fill: #1f2328 }}
.title {{ font-weight: 600; text-anchor: start; fill: #6e7781 }}
.note {{ font-size: {drawing.SMALL}px; fill: #59636e }}
rect {{ fill: #f6f8fa; stroke: #818b98 }}
.deploy rect {{ fill: #ddf4ff; stroke: #0969da }}
.grey rect {{ fill: none; stroke: #818b98; stroke-dasharray: 4 }}
.grey text {{ fill: #818b98 }}
path {{ fill: none; stroke: #818b98; stroke-width: 1.5 }}
marker path {{ fill: #818b98; stroke: none }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #f0f6fc }}
.note {{ fill: #9198a1 }}
rect {{ fill: #212830 }}
.deploy rect {{ fill: #121d2f; stroke: #4493f8 }}
}}
</style>
<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" \
markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>
"""


def text(graphs: Sequence[Graph]) -> str:
    """Return one picture of all graphs, one below the other."""
    parts, top, width = [], float(MARGIN), 0.0
    for graph in graphs:
        drawn = drawing.draw(graph)
        title = _escaped(graph.title)
        parts.append(f'<text class="title" x="{MARGIN}" y="{top + FONT:g}">{title}</text>')
        top += _TITLE
        parts.append(f'<g transform="translate({MARGIN} {top:g})">')
        parts += map(_line, drawn.lines)
        parts += (part for box in drawn.boxes for part in _box(box))
        parts.append("</g>")
        top += drawn.height + 2 * MARGIN
        # The title is bold, and so a little wider.
        width = max(width, drawn.width, pixels(graph.title, FONT) * 1.1)
    size = f"{width + 2 * MARGIN:.0f}", f"{top - MARGIN:.0f}"
    said = f"<desc>{_escaped(' '.join(_said(graphs)))}</desc>\n"
    titles = _escaped(", ".join(graph.title for graph in graphs))
    begin = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" '
        f'width="{size[0]}" role="img">\n<title>{titles}</title>\n'
    )
    return "".join((begin, said, _STYLE, *(f"{part}\n" for part in parts), "</svg>\n"))


def _said(graphs: Sequence[Graph]) -> Iterator[str]:
    """Yield a sentence for each job, for those who do not see the picture."""
    for graph in graphs:
        names = {node.id: node.name for node in graph.nodes}
        for node in graph.nodes:
            before = [names[one] for one, after in graph.edges if after == node.id]
            after = f" runs after {' and '.join(before)}" if before else " waits for no other"
            yield f"{node.name}{' (does not run)' if node.grey else ''}{after}."


def _line(line: Line) -> str:
    first, *rest = [f"{x:.1f} {y:.1f}" for x, y in line.points]
    kind = "C" if len(rest) > 1 else "L"
    arrow = ' marker-end="url(#arrow)"' if line.ends else ""
    return f'<path d="M{first}{kind}{" ".join(rest)}"{arrow}/>'


def _box(box: Box) -> Iterator[str]:
    kind = "grey" if box.node.grey else "deploy" if box.node.note else ""
    yield f'<g class="{kind}">' if kind else "<g>"
    yield (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="6"/>'
    )
    top = box.y + (box.height - len(box.lines) * LINE) / 2
    for number, (line, size) in enumerate(box.lines):
        baseline = top + number * LINE + (LINE + size) / 2 - 2
        kind = ' class="note"' if size < FONT else ""
        middle = box.x + box.width / 2
        yield f'<text{kind} x="{middle:.1f}" y="{baseline:.1f}">{_escaped(line)}</text>'
    yield "</g>"


def _escaped(text: str) -> str:
    """Return a text as XML has it, without the characters that XML cannot hold."""
    shown = "".join(one if one.isprintable() else " " for one in text)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

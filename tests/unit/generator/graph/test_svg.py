"""The picture: nothing overlaps, no text is cut, and it can be read at 800 pixels."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest

from gen_workflow.graph import drawing, svg
from gen_workflow.graph.drawing import LINE, PADDING, WIDTH, Box, Line
from gen_workflow.graph.model import Graph, Node
from gen_workflow.graph.widths import pixels
from unit.generator.graph.made import pipeline

SVG = "{http://www.w3.org/2000/svg}"
GRAPHS = [(seed, 1 + seed % 60, 1 + seed % 9) for seed in range(0, 60, 5)] + [
    (100, 60, 1),
    (101, 60, 3),
    (102, 60, 6),
    (103, 60, 20),
    (104, 60, 60),
]
of_many_graphs = pytest.mark.parametrize(("seed", "jobs", "stages"), GRAPHS)


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def along(line: Line) -> list[tuple[float, float]]:
    """Return points of a line, which is straight or a Bézier curve, without its ends."""
    found = []
    for step in range(1, 30):
        t = step / 30
        points = list(line.points)
        while len(points) > 1:
            points = [
                (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
                for a, b in itertools.pairwise(points)
            ]
        found.append(points[0])
    return found


@of_many_graphs
def test_no_two_boxes_overlap(seed: int, jobs: int, stages: int) -> None:
    boxes = drawing.draw(pipeline(seed, jobs, stages)).boxes
    assert len(boxes) == jobs
    pairs = itertools.combinations(boxes, 2)
    assert [(a.node.id, b.node.id) for a, b in pairs if overlap(a, b)] == []


@of_many_graphs
def test_no_line_goes_through_a_box(seed: int, jobs: int, stages: int) -> None:
    drawn = drawing.draw(pipeline(seed, jobs, stages))
    for line in drawn.lines:
        for x, y in along(line):
            inside = [
                box.node.id
                for box in drawn.boxes
                if box.x < x < box.x + box.width and box.y < y < box.y + box.height
            ]
            assert inside == []


@of_many_graphs
def test_every_text_is_whole_and_fits_into_its_box(seed: int, jobs: int, stages: int) -> None:
    for box in drawing.draw(pipeline(seed, jobs, stages)).boxes:
        for text, size in box.lines:
            assert pixels(text, size) <= box.width - 2 * PADDING + 0.01
        assert len(box.lines) * LINE <= box.height - 2 * PADDING
        shown = "".join(text for text, _ in box.lines).replace(" ", "")
        node = box.node
        assert shown == (node.name + node.below(node.name)).replace(" ", "")


@of_many_graphs
def test_everything_is_inside_of_the_picture(seed: int, jobs: int, stages: int) -> None:
    drawn = drawing.draw(pipeline(seed, jobs, stages))
    for box in drawn.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= drawn.width + 0.01
        assert box.y + box.height <= drawn.height + 0.01
    for line in drawn.lines:
        for x, y in line.points:
            assert 0 <= x <= drawn.width + 0.01
            assert 0 <= y <= drawn.height + 0.01


@pytest.mark.parametrize("stages", range(1, 7))
@pytest.mark.parametrize("jobs", [1, 5, 20, 60])
def test_a_pipeline_of_up_to_six_stages_is_at_most_800_pixels_wide(jobs: int, stages: int) -> None:
    root = ET.fromstring(svg.text([pipeline(jobs, jobs, stages)]))  # noqa: S314 - our own
    assert float(root.attrib["width"]) <= WIDTH
    assert root.attrib["viewBox"].split()[2] == root.attrib["width"]


def test_names_of_all_kinds_are_whole_in_a_picture_that_is_xml() -> None:
    names = ("<b>&\"'", "日本語のジョブ", "🚀 go", "x" * 200, "", "a\x1b[31m\tb\u2028c", "]]>")
    nodes = tuple(Node(str(number), name) for number, name in enumerate(names))
    root = ET.fromstring(svg.text([Graph("A & B <c>", nodes, (("0", "3"),))]))  # noqa: S314
    texts = [each.text or "" for each in root.iter(f"{SVG}text")]
    assert texts[0] == "A & B <c>"
    shown = "".join(texts[1:]).replace(" ", "")
    for name in names:
        assert re.sub(r"[\x1b\s]", "", name) in shown


def test_a_screen_reader_gets_a_title_and_a_sentence_for_each_job() -> None:
    nodes = (Node("a", "Build"), Node("b", "Deploy", grey=True))
    root = ET.fromstring(svg.text([Graph("Build and deploy", nodes, (("a", "b"),))]))  # noqa: S314
    assert root.attrib["role"] == "img"
    assert [root[0].tag, root[0].text] == [f"{SVG}title", "Build and deploy"]
    said = "Build waits for no other. Deploy (does not run) runs after Build."
    assert [root[1].tag, root[1].text] == [f"{SVG}desc", said]


def test_the_colours_are_those_of_the_page_it_is_on() -> None:
    text = svg.text([Graph("", (Node("a", "A"),), ())])
    assert "prefers-color-scheme: dark" in text
    assert 'fill="#' not in text

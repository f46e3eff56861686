"""Mermaid: each text is written so that it is shown as it is, and nothing else."""

from __future__ import annotations

import re

import pytest

from gen_workflow.graph import mermaid
from gen_workflow.graph.model import Graph, Node
from unit.generator.graph.made import pipeline

# What real Mermaid would take for something else in a label; all of these were tried with it.
NAMES = (
    "end", 'a "b" `c` <b>x</b> & #35; #quot;', '%%{init: {"theme":"dark"}}%%', "1. list", "- item",
    'a];j0-->j1;click j0 "javascript:alert(1)"', "--- title: x ---", "`md **b** _i_ __init__`",
    "subgraph x", "style j0 fill:red;", "x:::grey", "$$x^2$$", "@{ shape: x }", "12. x", "+ x",
    "https://a.b/c?d=e", "graph TD; a-->b", "日本 🚀 (y) [z] |p|", "\\n", "x", "",
)  # fmt: skip
NODE = re.compile(r'  j\d+\["([A-Za-z0-9 .,/+#;-]|[^\x00-\x7f]|<br>)*"\](:::grey)?')
EDGE = re.compile(r"  j\d+ --> j\d+")


def decoded(label: str) -> str:
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    graph = Graph("", (Node("end", name, name + "!", grey=True),), ())
    head, node, style = mermaid.text([graph]).splitlines()
    assert head == "flowchart LR"
    assert NODE.fullmatch(node)
    label = node.partition('"')[2].rpartition('"')[0]
    assert [decoded(part) for part in label.split("<br>")] == [name, name + "!"]
    assert style.startswith("  classDef grey ")
    assert not re.search(r'"(\d+\.|[-+])', node), "it would be an item of a list"


def test_blanks_and_control_characters_end_no_line() -> None:
    graph = Graph("", (Node("a", "x\n  y\x1bz\u2028w\t"),), ())
    assert mermaid.text([graph]) == 'flowchart LR\n  j0["x y z w"]\n'


@pytest.mark.parametrize("seed", range(20))
def test_every_line_is_a_node_or_an_edge(seed: int) -> None:
    graph = pipeline(seed, 60, 6)
    lines = mermaid.text([graph]).splitlines()[1:]
    assert all(NODE.fullmatch(line) or EDGE.fullmatch(line) or "classDef" in line for line in lines)
    assert sum(map(bool, map(EDGE.fullmatch, lines))) == len(graph.edges)


def test_several_workflows_have_frames_of_their_own() -> None:
    one = Graph("Build", (Node("a", "A"), Node("b", "B")), (("a", "b"),))
    assert (
        mermaid.text([one, Graph('Roll "back"', (Node("a", "A"),), ())])
        == """\
flowchart LR
  subgraph w0["Build"]
    w0j0["A"]
    w0j1["B"]
    w0j0 --> w0j1
  end
  subgraph w1["Roll #34;back#34;"]
    w1j0["A"]
  end
"""
    )

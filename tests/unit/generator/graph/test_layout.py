"""The layers of a graph, and which edges are left out."""

from __future__ import annotations

import pytest

from gen_workflow.graph.layout import crossings, place
from gen_workflow.graph.model import Graph, Node, reduced
from unit.generator.graph.made import pipeline


def graph(needs: dict[str, list[str]]) -> Graph:
    return Graph("", tuple(Node(name, name) for name in needs), tuple(reduced(needs)))


def layers(needs: dict[str, list[str]]) -> list[list[str]]:
    return [[cell.id for cell in layer if cell.node] for layer in place(graph(needs)).layers]


def test_a_job_is_one_layer_behind_the_last_that_it_waits_for() -> None:
    needs = {"last": ["b", "a"], "b": ["a"], "a": [], "alone": []}
    assert layers(needs) == [["a", "alone"], ["b"], ["last"]]


def test_an_edge_is_left_out_where_a_longer_way_leads() -> None:
    needs = {"a": [], "b": ["a"], "c": ["a", "b"], "d": ["c", "a", "b", "b"]}
    assert list(reduced(needs)) == [("a", "b"), ("b", "c"), ("c", "d")]


def test_an_order_without_crossings_is_found() -> None:
    needs = {"a": [], "b": [], "c": [], "x": ["c"], "y": ["b"], "z": ["a"]}
    layout = place(graph(needs))
    assert crossings([list(layer) for layer in layout.layers], layout.steps) == 0


def test_jobs_that_wait_for_each_other_have_no_edges() -> None:
    (found,) = layers({"a": ["b"], "b": ["a"]})
    assert sorted(found) == ["a", "b"]


def test_a_long_chain_has_a_layer_for_each_job() -> None:
    needs = {f"j{number}": [f"j{number - 1}"] if number else [] for number in range(1500)}
    assert len(layers(needs)) == len(needs)


def test_nothing_has_no_layers() -> None:
    assert layers({}) == []


@pytest.mark.parametrize("seed", range(0, 40, 3))
def test_every_step_leads_to_the_next_layer_and_no_place_is_taken_twice(seed: int) -> None:
    made = pipeline(seed, seed + 1, 1 + seed % 7)
    layout = place(made)
    assert all(before.layer + 1 == after.layer for before, after in layout.steps)
    places = [(cell.layer, slot) for cell, slot in layout.slots.items()]
    assert len(set(places)) == len(places)
    assert set(layout.slots.values()) == set(range(layout.height))
    assert {cell.id for cell in layout.slots if cell.node} == {node.id for node in made.nodes}

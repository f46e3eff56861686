"""Graphs that chance has made, as pipelines are: jobs in stages that wait for earlier ones."""

from __future__ import annotations

import random

from gen_workflow.graph.model import Graph, Node, reduced

WORDS = ("build", "test", "deploy", "api", "web", "staging", "production", "lint", "scan-image")


def pipeline(seed: int, jobs: int, stages: int) -> Graph:
    """Return a graph of some jobs in at most so many stages."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    needs: dict[str, list[str]] = {}
    stage: dict[str, int] = {}
    nodes = []
    for number in range(jobs):
        name = f"{'-'.join(chance.sample(WORDS, chance.randint(1, 3)))}-{number}"
        stage[name] = chance.randrange(stages)
        before = [each for each in needs if stage[each] < stage[name]]
        needs[name] = chance.sample(before, min(len(before), chance.choice((0, 1, 1, 2, 3))))
        note = chance.choice(("", "", "production", "an environment with a longer name"))
        words = name.replace("-", " ").capitalize()
        nodes.append(Node(name, words, note, grey=chance.random() < 0.2))
    return Graph(f"Seed {seed}", tuple(nodes), tuple(reduced(needs)))


def short(seed: int, jobs: int, stages: int) -> Graph:
    """Return the same with names that need no second line."""
    graph = pipeline(seed, jobs, stages)
    names = {node.id: f"j{number}j" for number, node in enumerate(graph.nodes)}
    nodes = tuple(Node(name, name) for name in names.values())
    return Graph("", nodes, tuple((names[one], names[other]) for one, other in graph.edges))

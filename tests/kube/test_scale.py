"""Many pods and many nodes: more than real ones could be here, so the nodes are fake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.errors import Unavailable
from bed.kube.cluster import Cluster
from bed.waiting import wait_until
from kube.app import ABSENT, App
from kube.fake_nodes import FakeNodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.needs("packages", "engine", "engine-forky", "kubebed"),
    pytest.mark.test_all,
]
ROLLED_BACK = 4
NODES = 12


@pytest.fixture(scope="module")
def plane() -> Iterator[Cluster]:
    """A control plane without a node; one that is not heard of is soon lost."""
    try:
        cluster = Cluster(nodes=0, quick_loss=True).open()
    except Unavailable as error:
        pytest.skip(str(error))
    with cluster:
        yield cluster


@pytest.fixture
def nodes(plane: Cluster) -> Iterator[FakeNodes]:
    with FakeNodes(plane, NODES) as nodes:
        yield nodes


@pytest.fixture
def many(plane: Cluster, nodes: FakeNodes, tmp_path: Path) -> Iterator[App]:  # noqa: ARG001
    """A Deployment of 200 pods."""
    with plane.namespace() as namespace:
        app = App(plane, namespace, tmp_path)
        app.create(replicas=200)
        yield app


def test_two_hundred_pods_are_rolled_out(many: App) -> None:
    done = many.update(many.image("ok2"), stability="0")
    assert done.code == 0, done.log
    assert len(many.ready_pods(many.image("ok2"))) == 200
    # A person can follow it: a line for each change of the numbers, and no more.
    assert done.log.count("new pods ready") < 100


def test_a_bad_version_of_two_hundred_pods_goes_back(many: App, nodes: FakeNodes) -> None:
    nodes.missing.add(ABSENT)
    done = many.update(f"app={ABSENT}")
    assert done.code == ROLLED_BACK, done.log
    assert done.outputs["cause"] == "image-not-found"
    many.wait_ready()
    assert len(many.ready_pods(many.image("ok"))) == 200


def test_nodes_that_are_lost_by_the_half_dozen_are_no_failure(many: App, nodes: FakeNodes) -> None:
    step = many.start(many.image("ok2"))
    wait_until(
        lambda: len(many.ready_pods(many.image("ok2"))) > 20, "some pods are new", seen=step.log
    )
    nodes.lost.update(nodes.names[:6])
    done = step.result()
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"

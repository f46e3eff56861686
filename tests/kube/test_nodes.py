"""Nodes that are lost, drained and closed while a rollout is watched: no failure of the version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.waiting import wait_until
from kube.app import App

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed.kube.cluster import Cluster
    from bed.step import RunningStep

pytestmark = [
    pytest.mark.needs("packages", "engine", "engine-forky", "kubebed"),
    pytest.mark.test_all,
]
NODES = ("n1", "n2")
SPREAD = {
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": "web"}},
        }
    ]
}


@pytest.fixture
def spread(two_nodes: Cluster, tmp_path: Path) -> Iterator[App]:
    """A Deployment on two nodes, both of which are well again afterwards."""
    with two_nodes.namespace() as namespace:
        app = App(two_nodes, namespace, tmp_path)
        app.create(replicas=4, pod=SPREAD)
        yield app
        for name in NODES:
            two_nodes.regain_node(name)
            close(two_nodes, name, closed=False)
            wait_until(lambda n=name: ready(two_nodes, n), f"{name} is ready")  # type: ignore[misc]


def close(cluster: Cluster, name: str, *, closed: bool) -> None:
    cluster.api("PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": closed or None}})


def ready(cluster: Cluster, name: str) -> bool:
    conditions = cluster.api("GET", f"/api/v1/nodes/{name}")["status"]["conditions"]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def await_image(app: App, image: str, step: RunningStep) -> None:
    wait_until(lambda: app.images() == {"app": image}, "the image is set", seen=step.log)


def test_a_node_that_is_lost_meanwhile_is_no_failure(spread: App) -> None:
    step = spread.start(spread.image("slow"))
    await_image(spread, spread.image("slow"), step)
    spread.cluster.lose_node("n2")
    done = step.result()
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"


def test_a_node_that_drains_meanwhile_is_no_failure(spread: App) -> None:
    step = spread.start(spread.image("slow"), stability="8")
    await_image(spread, spread.image("slow"), step)
    spread.cluster.kubectl(
        "drain", "n2", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s",
        "--pod-selector=app=web",
    )  # fmt: skip
    done = step.result()
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"


def test_a_daemon_set_does_not_wait_for_a_node_that_is_lost(
    two_nodes: Cluster, tmp_path: Path
) -> None:
    with two_nodes.namespace() as namespace:
        app = App(two_nodes, namespace, tmp_path)
        # With less, the controller itself would wait: the lost pod is not available either.
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
        app.create("DaemonSet", ready=False, spec={"updateStrategy": rolling})
        wait_until(lambda: len(app.ready_pods(app.image("ok"))) == 2, "a pod on each node")
        two_nodes.lose_node("n2")
        wait_until(lambda: not ready(two_nodes, "n2"), "n2 is lost")
        done = app.update(app.image("ok2"), workload="daemonset/web")
        two_nodes.regain_node("n2")
        wait_until(lambda: ready(two_nodes, "n2"), "n2 is ready")
        assert done.code == 0, done.log
        assert done.outputs["status"] == "updated"

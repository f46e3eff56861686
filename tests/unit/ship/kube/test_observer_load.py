"""Looking at a workload: what is asked for, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kube_api import KubeApi, Request
from ship.kube.client import Client
from ship.kube.kinds import DEPLOYMENT
from ship.kube.observer import MOST_PODS, Observer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABELS = {"app": "web"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def api(tmp_path: Path) -> Iterator[KubeApi]:
    with KubeApi(tmp_path / "s") as server:
        spec = {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": {}}
        server.put(made("Deployment", "web", "", spec))
        server.put(made("ReplicaSet", "web-1", "Deployment web", {"replicas": 1, "template": {}}))
        server.put(made("Pod", "web-1-x", "ReplicaSet web-1", {"containers": []}))
        yield server


def made(kind: str, name: str, owner: str, spec: Any) -> Any:
    owners = [{"uid": owner, "controller": True}] if owner else []
    meta = {"name": name, "uid": f"{kind} {name}", "labels": LABELS, "ownerReferences": owners}
    return {"kind": kind, "metadata": meta, "spec": spec}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def observer(api: KubeApi, clock: Clock) -> Iterator[Observer]:
    client = Client(api.path)
    yield Observer(client, DEPLOYMENT, "shop", "web", clock)
    client.close()


def test_a_look_asks_for_the_events_of_the_workload_and_of_pods_that_are_not_ready(
    api: KubeApi, observer: Observer
) -> None:
    observer.look()
    asked = [each.query["fieldSelector"] for each in api.sent("GET", "/events")]
    assert asked == [f"involvedObject.uid={of}" for of in ("Deployment web", "Pod web-1-x")]


@pytest.mark.parametrize(
    ("seconds", "looks_with_events"), [(0.01, 20), (0.25, 14), (0.5, 4), (3.0, 1)]
)
def test_a_server_that_is_slow_with_events_is_asked_for_them_less_often(
    api: KubeApi, observer: Observer, clock: Clock, seconds: float, looks_with_events: int
) -> None:
    def work(request: Request) -> None:
        if request.path.endswith("/events"):
            clock.now += seconds

    api.before = work
    event = {"kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"uid": "Pod web-1-x"}}
    api.put(event)
    started = clock.now
    looks = []
    while clock.now - started < 20:
        looks.append(observer.look())
        clock.now += 1
    assert all(each.events for each in looks)
    assert len(api.sent("GET", "/events")) == 2 * looks_with_events


def test_pods_of_others_with_the_same_labels_do_not_push_ours_out(
    api: KubeApi, observer: Observer
) -> None:
    for number in range(MOST_PODS):
        api.put(made("Pod", f"job-{number}", "Job job", {"containers": []}))
    assert [each["metadata"]["name"] for each in observer.look().pods] == ["web-1-x"]


def test_of_a_long_log_the_end_is_kept(api: KubeApi, observer: Observer) -> None:
    api.logs["web-1-x app"] = "x" * 200_000 + "\nfatal: no database\n"
    log = observer.log("web-1-x", "app", previous=False, lines=40)
    assert log.endswith("fatal: no database\n")
    assert len(log) < 100_000
    [request] = api.sent("GET", "/log")
    assert int(request.query["limitBytes"]) > 200_000

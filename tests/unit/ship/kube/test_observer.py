"""A look at a workload sees all that belongs to it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kube_api import Fault, KubeApi, status
from ship.kube import observer as module
from ship.kube.client import Client, Refused
from ship.kube.kinds import CRON_JOB, DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Kind
from ship.kube.observer import Observer, selector_of

if TYPE_CHECKING:
    from ship.kube.snapshot import Snapshot

Json = dict[str, Any]


def put(api: KubeApi, kind: str, name: str, owner: str = "", **labels: str) -> Json:
    meta: Json = {"name": name, "uid": f"uid-{name}", "labels": labels or {"app": "web"}}
    if owner:
        meta["ownerReferences"] = [{"uid": "other"}, {"uid": owner, "controller": True}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    spec: Json = {"selector": {"matchLabels": {"app": "web"}}, "template": template, "replicas": 1}
    return api.put({"kind": kind, "metadata": meta, "spec": spec})


def names(found: tuple[Any, ...]) -> list[str]:
    return [each["metadata"]["name"] for each in found]


def look(client: Client, kind: Kind) -> Snapshot:
    return Observer(client, kind, "shop", "web", lambda: 7.0).look()


def test_the_pods_of_a_deployment_are_those_of_its_replica_sets(
    client: Client, api: KubeApi
) -> None:
    put(api, "Deployment", "web")
    put(api, "ReplicaSet", "ours", "uid-web")
    put(api, "ReplicaSet", "foreign", "uid-other")
    put(api, "Pod", "one", "uid-ours")
    put(api, "Pod", "two", "uid-foreign")
    put(api, "Pod", "three")
    put(api, "Pod", "four", "uid-web")
    found = look(client, DEPLOYMENT)
    assert (found.at, names(found.replica_sets), names(found.pods)) == (7.0, ["ours"], ["one"])
    assert found.kind == "Deployment"


@pytest.mark.parametrize("kind", [STATEFUL_SET, DAEMON_SET])
def test_the_pods_of_other_kinds_are_their_own(client: Client, api: KubeApi, kind: Kind) -> None:
    put(api, kind.name, "web")
    put(api, "Pod", "one", "uid-web")
    put(api, "Pod", "two", "uid-other")
    assert names(look(client, kind).pods) == ["one"]


def test_of_a_cron_job_only_itself_is_looked_at(client: Client, api: KubeApi) -> None:
    put(api, "CronJob", "web")
    assert look(client, CRON_JOB).pods == ()
    assert len(api.asked) == 1


def test_a_workload_that_is_gone_is_a_refusal(client: Client) -> None:
    with pytest.raises(Refused) as raised:
        look(client, DEPLOYMENT)
    assert raised.value.status == 404


def test_of_very_many_pods_not_all_are_read(
    client: Client, api: KubeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PODS", 3)
    put(api, "StatefulSet", "web")
    for number in range(9):
        put(api, "Pod", f"p{number}", "uid-web")
    assert names(look(client, STATEFUL_SET).pods) == ["p0", "p1", "p2"]


def test_events_are_those_of_the_workload_and_its_pods_and_not_of_others(
    client: Client, api: KubeApi
) -> None:
    put(api, "Deployment", "web")
    put(api, "ReplicaSet", "ours", "uid-web")
    put(api, "Pod", "one", "uid-ours")
    for number, of in enumerate(("uid-web", "uid-ours", "uid-one", "uid-gone")):
        event = {"kind": "Event", "metadata": {"name": f"e{number}"}, "involvedObject": {"uid": of}}
        api.put(event)
    assert sorted(names(look(client, DEPLOYMENT).events)) == ["e0", "e2"]


def test_a_fault_in_a_look_is_tried_again(client: Client, api: KubeApi) -> None:
    put(api, "Deployment", "web")
    api.fail(Fault(cut="within", path="replicasets"), Fault(status(503, "busy"), path="pods"))
    assert look(client, DEPLOYMENT).pods == ()


@pytest.mark.parametrize(
    ("selector", "text", "fits"),
    [
        (
            {"matchLabels": {"app": "web", "tier": "x"}},
            "app=web,tier=x",
            [{"app": "web", "tier": "x"}],
        ),
        (
            {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "web"]}]},
            "app in (a,web)",
            [{"app": "a"}, {"app": "web"}],
        ),
        (
            {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]},
            "app notin (a)",
            [{"app": "web"}, {"x": "y"}],
        ),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, "app", [{"app": "web"}]),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, "!app", [{"x": "y"}]),
        ({"matchLabels": {"example.com/app": ""}}, "example.com/app=", [{"example.com/app": ""}]),
    ],
)
def test_a_selector_is_asked_for_as_it_is_written(
    client: Client, api: KubeApi, selector: Json, text: str, fits: list[dict[str, str]]
) -> None:
    assert selector_of({"spec": {"selector": selector}}) == text
    for number, labels in enumerate(fits):
        put(api, "Pod", f"p{number}", **labels)
    found = client.items("/api/v1/namespaces/shop/pods", labelSelector=text)
    assert len(list(found)) == len(fits)


def test_a_log_is_asked_for_with_its_limits(client: Client, api: KubeApi) -> None:
    put(api, "Pod", "p")
    api.any_log = "x\n"
    observer = Observer(client, DEPLOYMENT, "shop", "web")
    assert observer.log("p", "app", previous=False, lines=40) == "x\n"
    observer.log("p", "app", previous=True, lines=40)
    asked = {"container": "app", "tailLines": "40", "limitBytes": str(4 * 1024 * 1024)}
    assert [each.query for each in api.asked] == [asked, {**asked, "previous": "true"}]


def test_of_a_log_with_long_lines_the_end_is_kept(client: Client, api: KubeApi) -> None:
    """The end says why it crashed; the kubelet would cut it off."""
    put(api, "Pod", "p")
    api.any_log = "x" * 500_000 + "\npanic: no database\n"
    said = Observer(client, DEPLOYMENT, "shop", "web").log("p", "app", previous=False, lines=40)
    assert said.endswith("panic: no database\n")
    assert len(said) == 40_000


def test_a_pod_is_deleted_by_its_uid(client: Client, api: KubeApi) -> None:
    pod = put(api, "Pod", "p")
    observer = Observer(client, STATEFUL_SET, "shop", "web")
    observer.delete_pod({"metadata": {**pod["metadata"], "uid": "before"}})
    assert api.of_kind("Pod")
    observer.delete_pod(pod)
    assert not api.of_kind("Pod")

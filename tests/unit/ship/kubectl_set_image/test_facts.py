"""What the cluster says before anything is changed: rights, workloads, and what really runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kube_world import World, crashes, is_not_found
from ship.kube.kinds import CRON_JOB, DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Kind
from ship.kubectl_set_image.facts import Asker, Facts, Found
from ship.runner.errors import UserError
from unit.ship.kubectl_set_image.given import NEW, OLD, OTHER, read, template, workload

if TYPE_CHECKING:
    from kube_api import KubeApi, Object
    from ship.kube.client import Client


def asked(client: Client, *objects: Object, **changes: str) -> Facts:
    return Asker(client, read(**{"JOB_TOKEN": "x", **changes}), "shop").facts(objects)


def found(client: Client, **changes: str) -> Found:
    [only] = asked(client, **changes).found
    return only


def refusal(client: Client, *objects: Object, **changes: str) -> str:
    with pytest.raises(UserError) as raised:
        asked(client, *objects, **changes)
    return str(raised.value)


RIGHTS: list[tuple[Kind, set[str]]] = [
    (DEPLOYMENT, {"list replicasets"}),
    (STATEFUL_SET, {"list controllerrevisions", "delete pods"}),
    (DAEMON_SET, {"list controllerrevisions"}),
]
WATCH = {"list pods", "list events", "get pods/log"}
CASES = [
    (kind, right)
    for kind, more in RIGHTS
    for right in (f"get {kind.plural}", f"patch {kind.plural}", *sorted(WATCH | more))
]


@pytest.fixture
def world(api: KubeApi) -> World:
    return World(api)


@pytest.mark.parametrize(("kind", "right"), CASES)
def test_each_right_that_is_missing_is_named(
    api: KubeApi, client: Client, kind: Kind, right: str
) -> None:
    there = api.put(workload(template(app=OLD), kind))
    there["status"] = {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1}
    name = f"{kind.word}/web"
    assert asked(client, workload=name), "with all rights nothing is wrong"
    api.forbidden.add(right)
    said = refusal(client, workload=name)
    assert (
        f"the login of the kubeconfig may not {right} in namespace 'shop', which the step" in said
    )
    assert said.count("may not") == 1


@pytest.mark.parametrize("right", ["create secrets", "patch secrets"])
def test_the_rights_for_secrets_are_needed_only_where_some_are_written(
    api: KubeApi, client: Client, right: str
) -> None:
    api.put(workload(template(app=OLD)))
    api.forbidden.add(right)
    assert asked(client)
    assert f"may not {right}" in refusal(client, pull_secret="ghcr")


def test_a_cron_job_needs_no_right_to_watch(api: KubeApi, client: Client) -> None:
    api.put(workload(template(app=OLD), CRON_JOB))
    api.forbidden |= {*WATCH, "list replicasets", "delete pods"}
    assert asked(client, workload="cj/web").found[0].is_healthy


def test_all_missing_rights_are_named_at_once(api: KubeApi, client: Client) -> None:
    api.put(workload(template(app=OLD)))
    api.forbidden |= {"list pods", "patch deployments", "get pods/log"}
    assert refusal(client).count("may not") == 3


def test_a_role_may_be_limited_to_the_workload(api: KubeApi, client: Client) -> None:
    api.put(workload(template(app=OLD)))
    asked(client)
    reviews = [each.body["spec"]["resourceAttributes"] for each in api.sent("POST")]
    assert [each["name"] for each in reviews if each["verb"] == "patch"] == ["web"]


def test_where_a_login_has_no_right_at_all_the_namespace_may_be_wrong(
    api: KubeApi, client: Client
) -> None:
    api.put(workload(template(app=OLD)))
    api.forbidden |= {right for kind, right in CASES if kind == DEPLOYMENT}
    assert "hint: it has no right there: check `namespace` and `context`, or bind" in refusal(
        client
    )


@pytest.mark.parametrize(
    ("started", "lately"),
    [("2026-01-01T00:00:00Z", False), ("9999-01-01T00:00:00Z", True), ("", True)],
)
def test_a_restart_of_long_ago_is_forgotten(
    api: KubeApi, client: Client, world: World, started: str, *, lately: bool
) -> None:
    def restarted(_: int, __: str) -> dict[str, Any]:
        state = {"running": {"startedAt": started}}
        last = {"terminated": {"exitCode": 1}}
        return {"state": state, "lastState": last, "restartCount": 3, "ready": True}

    world.images[OLD] = restarted
    api.put(workload(template(app=OLD)))
    world.settle(3)
    assert found(client, image=f"app={NEW}").has_restarted is lately


@pytest.mark.parametrize("right", sorted({*WATCH, "list replicasets", "patch deployments"}))
def test_a_workload_that_the_manifests_make_needs_the_same_rights(
    api: KubeApi, client: Client, right: str
) -> None:
    """Nothing of it could be looked at, so that no look has shown a right."""
    api.forbidden.add(right)
    new = workload(template(app=OLD))
    assert f"may not {right}" in refusal(client, new, workload="", apply=".")


def test_a_workload_that_is_not_there_has_a_near_match(api: KubeApi, client: Client) -> None:
    api.put(workload(template(app=OLD), name="website"))
    said = refusal(client, workload="deploy/webiste\nds/agent")
    assert "there is no deployment/webiste in namespace 'shop'" in said
    assert "did you mean 'website'?" in said
    assert "there is no daemonset/agent in namespace 'shop'" in said
    assert "no daemonset is there, or we may not list them" in said


def test_a_workload_that_is_being_deleted_is_refused(api: KubeApi, client: Client) -> None:
    there = workload(template(app=OLD))
    there["metadata"]["deletionTimestamp"] = "2026-11-30T12:00:00Z"
    api.put(there)
    said = refusal(client)
    assert "deployment/web in namespace 'shop' is being deleted since 2026-11-30T12:00:00Z" in said
    assert "hint: wait until it is gone and create it again" in said


def test_a_workload_of_the_manifests_may_be_new(client: Client) -> None:
    [new] = asked(client, workload(template(app=OLD)), workload="", apply=".").found
    assert new.before is None
    assert new.template == template(app=OLD)
    assert new.live == {}


def test_workloads_of_the_manifests_are_watched_beside_those_that_are_named(
    api: KubeApi, client: Client
) -> None:
    api.put(workload(template(app=OLD)))
    there = asked(client, workload(template(app=OLD), name="new"), apply=".").found
    assert [str(each.target) for each in there] == ["deployment/web", "deployment/new"]


def change(api: KubeApi, image: str, kind: str = "Deployment") -> None:
    api.edit(
        kind, "web",
        lambda it: it["spec"]["template"]["spec"]["containers"][0].update(image=image),
    )  # fmt: skip


def serving(client: Client, workload: str = "deploy/web") -> str:
    one = found(client, workload=workload, image=f"app={NEW}")
    return str(one.serving["spec"]["containers"][0]["image"]) if one.serving else ""


def test_a_healthy_workload_serves_what_it_says(api: KubeApi, client: Client, world: World) -> None:
    api.put(workload(template(app=OLD)))
    world.settle(3)
    assert found(client).is_healthy
    assert serving(client) == OLD


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET])
def test_after_a_release_that_failed_the_version_before_serves(
    api: KubeApi, client: Client, world: World, kind: Kind
) -> None:
    there = workload(template(app=OLD), kind)
    there["spec"]["replicas"] = 2
    api.put(there)
    world.settle(5)
    world.images[OTHER] = is_not_found
    change(api, OTHER, kind.name)
    world.settle(5)
    name = f"{kind.word}/web"
    assert not found(client, workload=name, image=f"app={NEW}").is_healthy
    assert serving(client, name) == OLD


def test_a_version_that_is_ready_before_each_crash_does_not_serve(
    api: KubeApi, client: Client, world: World
) -> None:
    """As without a readiness probe: https://kubernetes.io/docs/concepts/workloads/pods/probes/."""

    def flaps(age: int, image: str) -> dict[str, Any]:
        ended = crashes(age, image)
        return {**ended, "state": {"running": {}}, "lastState": ended["state"], "ready": age > 4}

    api.put(workload(template(app=OLD)))
    world.settle(3)
    world.images[OTHER] = flaps
    change(api, OTHER)
    world.settle(5)
    pod = next(each for each in api.of_kind("Pod") if OTHER in str(each))
    api.put(
        {**pod, "status": {**pod["status"], "conditions": [{"type": "Ready", "status": "True"}]}}
    )
    assert not found(client, image=f"app={NEW}").is_healthy
    assert serving(client) == OLD


def test_pods_that_have_restarted_once_serve_where_nothing_else_does(
    api: KubeApi, client: Client, world: World
) -> None:
    def restarted(_: int, __: str) -> dict[str, Any]:
        ended = {"terminated": {"exitCode": 1}}
        return {"state": {"running": {}}, "lastState": ended, "restartCount": 1, "ready": True}

    there = workload(template(app=OLD))
    there["spec"]["replicas"] = 2
    world.images[OLD] = restarted
    api.put(there)
    world.settle(3)
    lost = api.of_kind("Pod")[0]
    api.put({**lost, "status": {**lost["status"], "conditions": []}})
    api.edit("Deployment", "web", lambda it: it["status"].update(availableReplicas=1))
    assert not found(client).is_healthy
    assert serving(client) == OLD


def test_where_no_pod_is_ready_nothing_serves(api: KubeApi, client: Client, world: World) -> None:
    world.images[OLD] = is_not_found
    api.put(workload(template(app=OLD)))
    world.settle(3)
    assert serving(client) == ""

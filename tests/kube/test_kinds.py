"""What is different for StatefulSets, DaemonSets and CronJobs, and what is no success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.waiting import wait_until

if TYPE_CHECKING:
    from kube.app import App

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
ROLLED_BACK, SUPERSEDED, PAUSED, NO_PODS = 4, 5, 6, 7


@pytest.mark.parametrize(
    "kind", ["StatefulSet", pytest.param("DaemonSet", marks=pytest.mark.test_all)]
)
def test_a_good_image_is_rolled_out(app: App, kind: str) -> None:
    app.create(kind)
    done = app.update(app.image("ok2"), workload=f"{kind.lower()}/web")
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"
    assert {pod["spec"]["containers"][0]["image"] for pod in app.pods()} == {app.image("ok2")}


@pytest.mark.parametrize(
    "policy", ["OrderedReady", pytest.param("Parallel", marks=pytest.mark.test_all)]
)
def test_the_pods_of_a_stateful_set_come_back_from_a_bad_version(app: App, policy: str) -> None:
    # Without help the pod of the bad version stays: https://github.com/kubernetes/kubernetes/issues/67250
    app.create("StatefulSet", spec={"podManagementPolicy": policy})
    first = app.pods()[0]["metadata"]["uid"]
    done = app.update(app.image("crash"), workload="statefulset/web")
    assert done.code == ROLLED_BACK, done.log
    app.wait_ready("StatefulSet")
    pods = app.pods()
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {app.image("ok")}
    if policy == "OrderedReady":
        # The bad version got as far as the last pod: the first was never touched.
        assert first in {pod["metadata"]["uid"] for pod in pods}


@pytest.mark.test_all
def test_a_stateful_set_that_is_stuck_in_a_bad_version_takes_the_next_one(app: App) -> None:
    app.create("StatefulSet")
    app.patch(_image(app, "crash"), "StatefulSet")
    wait_until(
        lambda: any(_restarts(pod) for pod in app.pods()),
        "the bad version has crashed",
        seconds=120,
    )
    done = app.update(app.image("ok2"), workload="statefulset/web")
    assert done.code == 0, done.log
    assert {pod["spec"]["containers"][0]["image"] for pod in app.pods()} == {app.image("ok2")}


def test_a_cron_job_gets_the_image_for_its_next_run(app: App) -> None:
    app.create("CronJob")
    done = app.update(app.image("ok2"), workload="cronjob/web")
    assert done.code == 0, done.log
    assert app.images("CronJob") == {"app": app.image("ok2")}
    assert done.outputs["status"] == "updated"


def test_zero_replicas_are_no_success_unless_that_is_allowed(app: App) -> None:
    app.create(replicas=0)
    done = app.update(app.image("ok2"))
    assert done.code == NO_PODS, done.log
    assert done.outputs["status"] == "no-pods"
    assert app.images() == {"app": app.image("ok2")}
    done = app.update(app.image("ok3"), no_pods="allow")
    assert done.code == 0, done.log
    assert done.outputs["status"] == "no-pods"


@pytest.mark.test_all
def test_a_daemon_set_without_a_node_is_no_success(app: App) -> None:
    app.create("DaemonSet", pod={"nodeSelector": {"bed": "nowhere"}}, ready=False)
    done = app.update(app.image("ok2"), workload="daemonset/web")
    assert done.code == NO_PODS, done.log
    assert done.outputs["status"] == "no-pods"


def test_a_paused_deployment_is_told_before_anything_is_changed(app: App) -> None:
    app.create()
    app.patch({"spec": {"paused": True}})
    done = app.update(app.image("ok2"))
    assert done.code == PAUSED, done.log
    assert done.outputs["status"] == "paused"
    assert "kubectl rollout resume deployment/web" in done.errors[0]
    assert app.images() == {"app": app.image("ok")}


@pytest.mark.test_all
def test_a_pause_while_it_is_watched_is_told(app: App) -> None:
    app.create()
    step = app.start(app.image("slow"))
    wait_until(
        lambda: app.images() == {"app": app.image("slow")}, "the image is set", seen=step.log
    )
    app.patch({"spec": {"paused": True}})
    done = step.result()
    assert done.code == PAUSED, done.log
    assert done.outputs["status"] == "paused"


@pytest.mark.test_all
def test_a_job_is_refused_with_the_reason(app: App) -> None:
    done = app.update(app.image("ok2"), workload="job/migrate")
    assert done.code == 2, done.log
    assert "the template of a Job cannot be changed" in done.errors[0]


def test_an_init_container_is_only_changed_by_its_name(app: App) -> None:
    once = {"name": "init", "image": app.image("done")}
    app.create(pod={"initContainers": [once]})
    done = app.update(f"*={app.image('ok2')}")
    assert done.code == 0, done.log
    assert app.template()["spec"]["initContainers"][0]["image"] == app.image("done")
    done = app.update(f"init={app.image('crash')}")
    assert done.code == ROLLED_BACK, done.log
    assert done.outputs["cause"] == "crashed"
    assert "container init" in done.errors[0]
    assert app.template()["spec"]["initContainers"][0]["image"] == app.image("done")


@pytest.mark.test_all
def test_pods_restart_when_that_is_asked_for_and_the_image_is_the_same(app: App) -> None:
    app.create()
    before = set(app.ready_pods(app.image("ok")))
    done = app.update(app.image("ok"), restart_on_no_change="true")
    assert done.code == 0, done.log
    assert done.outputs["changed"] == "true"
    assert not before & set(app.ready_pods(app.image("ok")))


def _image(app: App, tag: str) -> object:
    containers = [{"name": "app", "image": app.image(tag)}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def _restarts(pod: dict[str, dict[str, list[dict[str, int]]]]) -> int:
    return sum(each["restartCount"] for each in pod["status"].get("containerStatuses", ()))

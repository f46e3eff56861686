"""kubectl-set-image on a real cluster: a good rollout, a bad one, and what users meet first.

Then what is different for StatefulSets, DaemonSets and CronJobs, and what is no success.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.waiting import wait_until
from kube.app import ABSENT

if TYPE_CHECKING:
    from kube.app import App

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
ROLLED_BACK, PAUSED, NO_PODS = 4, 6, 7


def test_a_good_image_is_rolled_out_and_told(app: App) -> None:
    app.create()
    done = app.update(app.image("ok2"))
    assert done.code == 0, done.log
    assert app.images() == {"app": app.image("ok2")}
    assert len(app.ready_pods(app.image("ok2"))) == 2
    assert done.outputs["status"] == "updated"
    assert done.outputs["changed"] == "true"
    assert done.outputs["previous-image"] == app.image("ok")
    assert done.outputs["revision"] == "2"
    assert "deployment/web" in done.summary
    cause = app.get()["metadata"]["annotations"]["kubernetes.io/change-cause"]
    assert app.image("ok2") in cause
    assert "/actions/runs/4711" in cause


def test_a_second_run_changes_nothing(app: App) -> None:
    app.create(tag="ok2")
    before, pods = app.get()["spec"], app.ready_pods(app.image("ok2"))
    done = app.update(app.image("ok2"))
    assert done.code == 0, done.log
    assert done.outputs["status"] == "unchanged"
    assert done.outputs["changed"] == "false"
    assert app.get()["spec"] == before
    assert app.ready_pods(app.image("ok2")) == pods


def test_a_crash_is_named_with_its_log_and_the_version_before_comes_back(app: App) -> None:
    app.create()
    before = app.template()
    pods = app.ready_pods(app.image("ok"))
    done = app.update(app.image("crash"))
    assert done.code == ROLLED_BACK, done.log
    assert done.outputs["status"] == "rolled-back"
    assert done.outputs["cause"] == "crashed"
    assert "exit code 3" in done.errors[0]
    assert "cannot reach database db:5432" in done.log
    assert "cannot reach database db:5432" in done.summary
    assert app.template() == before
    # Healthy pods were never touched.
    assert set(app.ready_pods(app.image("ok"))) <= set(pods)
    assert len(app.ready_pods(app.image("ok"))) == 2


@pytest.mark.test_all
def test_an_image_that_does_not_exist_is_named(app: App) -> None:
    app.create()
    done = app.update(ABSENT)
    assert done.code == ROLLED_BACK, done.log
    assert done.outputs["cause"] == "image-not-found"
    assert ABSENT in done.errors[0]
    assert app.images() == {"app": app.image("ok")}


@pytest.mark.test_all
def test_two_workloads_go_back_together(app: App) -> None:
    app.create(name="web")
    app.create(name="worker")
    workloads = f"deployment/web app={app.image('ok2')}\ndeployment/worker app={app.image('crash')}"
    done = app.update(workload=workloads)
    assert done.code == ROLLED_BACK, done.log
    assert app.images(name="web") == app.images(name="worker") == {"app": app.image("ok")}
    statuses = {each["workload"]: each["status"] for each in json.loads(done.outputs["workloads"])}
    assert statuses == {"deployment/web": "rolled-back", "deployment/worker": "rolled-back"}


@pytest.mark.test_all
def test_the_second_bad_version_in_a_row_goes_back_to_what_really_runs(app: App) -> None:
    app.create()
    kept = app.update(app.image("crash"), on_failure="keep")
    assert kept.code == 1, kept.log
    assert app.images() == {"app": app.image("crash")}
    done = app.update(app.image("segv"))
    assert done.code == ROLLED_BACK, done.log
    assert app.images() == {"app": app.image("ok")}


def what_was_asked_for(app: App) -> dict[str, object]:
    """Return all that a step could change; the controller may still write to the status."""
    workload = app.get()
    names = ("generation", "annotations", "labels")
    return {name: workload["metadata"].get(name) for name in names} | {"spec": workload["spec"]}


def test_a_dry_run_shows_the_patch_and_changes_nothing(app: App) -> None:
    app.create()
    before = what_was_asked_for(app)
    done = app.update(app.image("ok2"), dry_run="true")
    assert done.code == 0, done.log
    assert f'"image": "{app.image("ok2")}"' in done.log
    assert what_was_asked_for(app) == before


def test_a_misspelt_workload_and_container_are_told_with_what_is_there(app: App) -> None:
    app.create()
    done = app.update(app.image("ok2"), workload="deployment/wep")
    assert done.code == 2, done.log
    assert "did you mean 'web'?" in done.errors[0]
    done = app.update(f"ap={app.image('ok2')}")
    assert done.code == 2, done.log
    assert "did you mean 'app'?" in done.errors[0]
    assert app.images() == {"app": app.image("ok")}


@pytest.mark.test_all
def test_a_version_that_crashes_is_not_called_unchanged(app: App) -> None:
    # Without a probe it is ready each time before it crashes.
    app.create(tag="crash", probe=False, ready=False)
    done = app.update(app.image("crash"))
    assert done.code == 1, done.log
    assert done.outputs["cause"] == "crashed"
    assert done.outputs["changed"] == "false"


@pytest.mark.parametrize(
    "kind", ["StatefulSet", pytest.param("DaemonSet", marks=pytest.mark.test_all)]
)
def test_a_good_image_is_rolled_out_for_each_kind(app: App, kind: str) -> None:
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
    assert done.outputs["cause"] == "crashed"
    assert "exit code 3" in done.errors[0]
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


@pytest.mark.test_all
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

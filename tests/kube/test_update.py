"""kubectl-set-image on a real cluster: a good rollout, a bad one, and what users meet first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kube.app import ABSENT

if TYPE_CHECKING:
    from kube.app import App

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
ROLLED_BACK = 4


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


def test_an_image_that_does_not_exist_is_named(app: App) -> None:
    app.create()
    done = app.update(ABSENT)
    assert done.code == ROLLED_BACK, done.log
    assert done.outputs["cause"] == "image-not-found"
    assert ABSENT in done.errors[0]
    assert app.images() == {"app": app.image("ok")}


def test_two_workloads_go_back_together(app: App) -> None:
    app.create(name="web")
    app.create(name="worker")
    workloads = f"deployment/web app={app.image('ok2')}\ndeployment/worker app={app.image('crash')}"
    done = app.update(workload=workloads)
    assert done.code == ROLLED_BACK, done.log
    assert app.images(name="web") == app.images(name="worker") == {"app": app.image("ok")}
    statuses = {each["workload"]: each["status"] for each in json.loads(done.outputs["workloads"])}
    assert statuses == {"deployment/web": "rolled-back", "deployment/worker": "rolled-back"}


def test_the_second_bad_version_in_a_row_goes_back_to_what_really_runs(app: App) -> None:
    app.create()
    kept = app.update(app.image("crash"), on_failure="keep")
    assert kept.code == 1, kept.log
    assert app.images() == {"app": app.image("crash")}
    done = app.update(app.image("segv"))
    assert done.code == ROLLED_BACK, done.log
    assert app.images() == {"app": app.image("ok")}


def test_a_dry_run_shows_the_patch_and_changes_nothing(app: App) -> None:
    app.create()
    before = app.get()["metadata"]["resourceVersion"]
    done = app.update(app.image("ok2"), dry_run="true")
    assert done.code == 0, done.log
    assert f'"image": "{app.image("ok2")}"' in done.log
    assert app.get()["metadata"]["resourceVersion"] == before


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

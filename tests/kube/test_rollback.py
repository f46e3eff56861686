"""`rollback` on a real cluster: an earlier version comes back from the revisions that it keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bed.step import StepResult
    from kube.app import App

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
ROLLED_BACK, REFUSED = 4, 2
NOTES = "io.github.gen-workflow"


def roll_back(app: App, to: str = "previous", **more: str) -> StepResult:
    return app.update(rollback=to, stability="1", **more)


def edit(app: App, kind: str, tag: str) -> Any:
    """Change more than the image, as a person or another tool does, and wait for it."""
    container = {"name": "app", "image": app.image(tag), "env": [{"name": "A", "value": "1"}]}
    app.patch({"spec": {"template": {"spec": {"containers": [container]}}}}, kind)
    return app.template(kind)


def test_the_version_before_comes_back_whole_and_once(app: App) -> None:
    app.create(replicas=1)
    before = app.template()
    edit(app, "Deployment", "ok2")
    done = roll_back(app)
    assert done.code == 0, done.log
    assert (done.outputs["status"], done.outputs["cause"]) == ("updated", "rollback")
    assert (done.outputs["image"], done.outputs["previous-image"]) == (
        app.image("ok"), app.image("ok2")
    )  # fmt: skip
    assert done.outputs["revision"] == "3"
    assert app.template() == before
    assert len(app.ready_pods(app.image("ok"))) == 1
    notes = app.get()["metadata"]["annotations"]
    assert notes["kubernetes.io/change-cause"].startswith(f"rollback to {app.image('ok')}")
    # Not to the version that was left a moment ago, as `kubectl rollout undo` would.
    again = roll_back(app)
    assert again.code == REFUSED, again.log
    assert "put back or left by a rollback before" in again.errors[0]
    assert app.template() == before


@pytest.mark.test_all
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_each_kind_goes_back_past_a_version_that_has_failed_and_then_to_a_digest(
    app: App, kind: str
) -> None:
    target = f"{kind.lower()}/web"
    app.create(kind, replicas=1)
    failed = app.update(app.image("crash"), workload=target)
    assert failed.code == ROLLED_BACK, failed.log
    before = app.template(kind)
    changed = edit(app, kind, "ok2")
    done = roll_back(app, workload=target)
    assert done.code == 0, done.log
    assert done.outputs["cause"] == "rollback"
    assert app.template(kind) == before
    digest = app.image("ok2").partition("@")[2]
    done = roll_back(app, digest, workload=target)
    assert done.code == 0, done.log
    assert app.images(kind) == {"app": app.image("ok2")}
    # The image alone: a digest does not say which settings it had.
    assert app.template(kind) != changed
    assert f"{NOTES}/left" in app.get(kind)["metadata"]["annotations"]


@pytest.mark.test_all
def test_the_manifests_of_the_next_deploy_have_the_last_word(app: App) -> None:
    def deploy(tag: str, *names: str) -> StepResult:
        env = [{"name": name, "value": "1"} for name in names]
        made = app.manifest("Deployment", "web", app.image(tag), container={"env": env})
        (app.folder / "web.json").write_text(json.dumps(made))
        return app.update(app.image(tag), apply="web.json", stability="1")

    def variables() -> list[str]:
        [container] = app.template()["spec"]["containers"]
        return [each["name"] for each in container.get("env", ())]

    for tag, names in (("ok", ["A", "B"]), ("ok2", ["B"])):
        done = deploy(tag, *names)
        assert done.code == 0, done.log
    done = roll_back(app)
    assert done.code == 0, done.log
    assert variables() == ["A", "B"]
    done = deploy("ok2", "B")
    assert done.code == 0, done.log
    assert variables() == ["B"]

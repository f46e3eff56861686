"""Others who change the same: autoscalers, GitOps, people, other runs; and what is no failure."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest

from bed.step import Run
from bed.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.step import RunningStep
    from kube.app import App

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
ROLLED_BACK, SUPERSEDED = 4, 5


def has_image(app: App, tag: str, step: RunningStep) -> None:
    wait_until(lambda: app.images() == {"app": app.image(tag)}, f"{tag} is set", seen=step.log)


def set_image(app: App, image: str) -> None:
    app.cluster.kubectl("-n", app.namespace, "set", "image", "deployment/web", f"app={image}")


def test_another_run_that_is_newer_makes_this_one_superseded(app: App) -> None:
    app.create()
    first = app.start(app.image("slow"), run=Run(run_number="7", sha="a" * 40))
    has_image(app, "slow", first)
    second = app.update(app.image("ok2"), run=Run(run_number="8", sha="b" * 40))
    done = first.result()
    assert second.code == 0, second.log
    assert done.code == SUPERSEDED, done.log
    assert done.outputs["status"] == "superseded"
    assert app.images() == {"app": app.image("ok2")}


@pytest.mark.test_all
def test_an_older_commit_is_refused_unless_it_is_wanted(app: App) -> None:
    app.create()
    newer, older = Run(run_number="8", sha="b" * 40), Run(run_number="7", sha="a" * 40)
    assert app.update(app.image("ok2"), run=newer).code == 0
    done = app.update(app.image("ok3"), run=older)
    assert done.code == 2, done.log
    assert "newer commit" in done.errors[0]
    assert app.images() == {"app": app.image("ok2")}
    done = app.update(app.image("ok3"), run=older, older_commit="deploy")
    assert done.code == 0, done.log


@pytest.mark.test_all
def test_two_runs_at_once_leave_one_healthy_version(app: App) -> None:
    app.create()
    runs = [app.start(app.image(tag)) for tag in ("ok2", "ok3")]
    done = [each.result() for each in runs]
    assert sorted(each.outputs["status"] for each in done) in (
        ["superseded", "updated"],
        # One was so fast that it had ended before the other began.
        ["updated", "updated"],
        # Both saw the same version, and one was too late to change it.
        ["failed", "updated"],
    ), [each.log for each in done]
    app.wait_ready()
    assert app.images()["app"] in {app.image("ok2"), app.image("ok3")}


@pytest.fixture
def mirror(app: App) -> Iterator[None]:
    """A policy of the cluster that gives each image of a Deployment a tag, as for a mirror."""
    api, place = app.cluster.api, "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolic"
    image = "/spec/template/spec/containers/0/image"
    value = "object.spec.template.spec.containers[0].image.replace('app@', 'app:mirrored@')"
    change = f"[JSONPatch{{op: 'replace', path: '{image}', value: {value}}}]"
    spec = {
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": app.namespace}},
            "resourceRules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["deployments"],
                }
            ],
        },
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": change}}],
    }
    meta = {"name": app.namespace}
    api("POST", f"{place}ies", {"metadata": meta, "spec": spec})
    api("POST", f"{place}ybindings", {"metadata": meta, "spec": {"policyName": app.namespace}})
    yield
    api("DELETE", f"{place}ybindings/{app.namespace}")
    api("DELETE", f"{place}ies/{app.namespace}")


@pytest.mark.test_all
@pytest.mark.usefixtures("mirror")
def test_an_image_that_the_cluster_rewrites_is_ours(app: App) -> None:
    def mirrored(tag: str) -> dict[str, str]:
        return {"app": app.image(tag).replace("app@", "app:mirrored@")}

    def is_at_work() -> bool:
        name = f"probe-{secrets.token_hex(4)}"
        made = app.manifest("Deployment", name, app.image("ok"), replicas=0)
        app.cluster.api("POST", app.path("Deployment"), made)
        return app.images(name=name) == mirrored("ok")

    wait_until(is_at_work, "the policy is at work")
    app.create()
    done = app.update(app.image("ok2"))
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"
    assert app.images() == mirrored("ok2")
    done = app.update(app.image("crash"))
    assert done.code == ROLLED_BACK, done.log
    assert done.outputs["cause"] == "crashed"
    assert app.images() == mirrored("ok2")


@pytest.mark.test_all
def test_an_autoscaler_that_scales_meanwhile_is_no_failure(app: App) -> None:
    app.create()
    step = app.start(app.image("slow"))
    has_image(app, "slow", step)
    app.patch({"spec": {"replicas": 3}})
    done = step.result()
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"
    assert len(app.ready_pods(app.image("slow"))) == 3


@pytest.mark.test_all
def test_another_field_that_changes_meanwhile_is_no_failure_and_stays(app: App) -> None:
    app.create()
    step = app.start(app.image("slow"))
    has_image(app, "slow", step)
    annotated = {"metadata": {"annotations": {"by": "a person"}}}
    app.patch({"spec": {"template": annotated}})
    done = step.result()
    assert done.code == 0, done.log
    assert app.template()["metadata"]["annotations"] == {"by": "a person"}


def test_a_rollback_keeps_what_another_has_changed_meanwhile(app: App) -> None:
    app.create()
    step = app.start(app.image("unready"), progress_timeout="10")
    has_image(app, "unready", step)
    app.patch({"spec": {"template": {"metadata": {"annotations": {"by": "a person"}}}}})
    done = step.result()
    assert done.code == ROLLED_BACK, done.log
    assert app.images() == {"app": app.image("ok")}
    assert app.template()["metadata"]["annotations"] == {"by": "a person"}


def test_an_owner_who_applies_the_image_is_named_before_the_change(app: App) -> None:
    app.create()
    owned = app.manifest("Deployment", "web", app.image("ok"))
    kubectl = ("-n", app.namespace, "apply", "--server-side", "--field-manager=argocd-controller")
    app.cluster.kubectl(*kubectl, "--force-conflicts", "-f", "-", stdin=json.dumps(owned))
    done = app.update(app.image("ok2"))
    assert done.code == 0, done.log
    assert "argocd-controller applies the image of app" in done.log
    assert "argocd-controller" in done.summary


@pytest.mark.test_all
def test_a_controller_that_sets_the_image_back_is_told(app: App) -> None:
    app.create()
    step = app.start(app.image("slow"))
    has_image(app, "slow", step)
    set_image(app, app.image("ok"))
    done = step.result()
    assert done.code == SUPERSEDED, done.log
    assert app.image("ok") in done.errors[0]


@pytest.mark.test_all
def test_an_evicted_pod_is_no_failure(app: App) -> None:
    app.create()
    step = app.start(app.image("slow"), stability="8")
    has_image(app, "slow", step)
    wait_until(lambda: app.ready_pods(app.image("slow")), "a new pod is ready", seen=step.log)
    pod = next(
        each for each in app.pods() if each["spec"]["containers"][0]["image"] == app.image("slow")
    )
    name = pod["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": app.namespace},
    }
    path = f"/api/v1/namespaces/{app.namespace}/pods/{name}/eviction"
    app.cluster.api("POST", path, eviction)
    done = step.result()
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"


def test_a_transient_pull_error_is_no_failure(app: App) -> None:
    app.create()
    repository = f"acme/{app.namespace}"
    app.cluster.registry.fault(f"* /v2/{repository}/manifests/*", 503, times=2)
    done = app.update(f"app={app.image('ok2', repository)}")
    app.cluster.registry.clear_faults()
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"


@pytest.mark.test_all
def test_a_workload_that_is_deleted_meanwhile_is_told(app: App) -> None:
    app.create()
    step = app.start(app.image("slow"))
    has_image(app, "slow", step)
    app.cluster.api("DELETE", app.path("Deployment", "web"))
    done = step.result()
    assert done.code == 1, done.log
    assert done.outputs["cause"] == "deleted"


@pytest.mark.test_all
def test_a_namespace_that_is_being_deleted_is_told(app: App) -> None:
    app.create()
    # As a controller that cleans up outside of the cluster does, it holds the workload.
    app.patch({"metadata": {"finalizers": ["bed.test/held"]}})
    app.cluster.api("DELETE", f"/api/v1/namespaces/{app.namespace}")
    wait_until(lambda: app.get()["metadata"].get("deletionTimestamp"), "it is being deleted")
    done = app.update(app.image("ok2"))
    app.patch({"metadata": {"finalizers": None}})
    assert done.code == 2, done.log
    assert done.outputs["status"] == "refused"
    assert "is being deleted since" in done.errors[0]


@pytest.mark.test_all
def test_a_pull_secret_that_is_no_longer_good_is_named_when_the_rollback_needs_it(app: App) -> None:
    app.cluster.registry.allow("short-lived", "team/*:pull")
    first = app.image("ok", "team/app")
    app.cluster.kubectl(
        "-n", app.namespace, "create", "secret", "docker-registry", "reg",
        "--docker-server=ghcr.io", "--docker-username=u", "--docker-password=short-lived",
    )  # fmt: skip
    # The one node has the image: as on another node, it has to ask the registry each time.
    made = app.manifest(
        "Deployment", "web", first, pod={"imagePullSecrets": [{"name": "reg"}]},
        container={"imagePullPolicy": "Always"}, spec={"strategy": {"type": "Recreate"}},
    )  # fmt: skip
    app.cluster.api("POST", app.path("Deployment"), made)
    app.wait_ready()
    # The new image is public; with a token that is unknown it could not be pulled either.
    app.cluster.registry.allow("short-lived", "acme/*:pull")
    done = app.update(f"app={app.image('crash')}", rollback_timeout="90")
    assert done.code == 1, done.log
    assert done.outputs["status"] == "failed"
    assert done.outputs["cause"] == "crashed"
    told = next(each for each in done.errors if "was put back, and is not seen healthy" in each)
    assert "does not let the cluster pull the image" in told
    assert first in told
    assert app.images() == {"app": first}

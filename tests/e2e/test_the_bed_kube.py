"""The cluster itself: its nodes, containers and messages are real, and nothing of it stays."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bed import lease
from bed.command import CommandFailed
from bed.kube.api import Refused
from bed.kube.cluster import Cluster
from bed.kube.workloads import PORT, deployment
from bed.traces import traces
from bed.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Bed, Registry, Runner

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")

TESTS = Path(__file__).parents[1]
STATUS = ("rollout", "status", "deployment/web", "--timeout=600s")


def apply(cluster: Cluster, namespace: str, *objects: dict[str, Any]) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(listed))


def pods(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cluster.api("GET", f"/api/v1/namespaces/{namespace}/pods")[
        "items"
    ]
    return found


def states(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    """Return what the status of each container says, now and of the time before."""
    return [
        state
        for pod in pods(cluster, namespace)
        for container in pod["status"].get("containerStatuses", ())
        for state in (container["state"], container["lastState"])
    ]


def reason(cluster: Cluster, namespace: str, wanted: str) -> dict[str, Any]:
    """Wait until a container has a reason, and return the state with it."""

    def look() -> dict[str, Any]:
        inner = (each for state in states(cluster, namespace) for each in state.values())
        return next((each for each in inner if each.get("reason") == wanted), {})

    return wait_until(look, f"a container is {wanted}", seen=lambda: states(cluster, namespace))


@pytest.mark.test_all
def test_a_deployment_is_rolled_out_on_a_real_node_and_serves(
    kube: Cluster, namespace: str
) -> None:
    apply(kube, namespace, deployment("web", "ghcr.io/acme/web:ok2", replicas=2))
    kube.kubectl("-n", namespace, *STATUS)
    addresses = [pod["status"]["podIP"] for pod in pods(kube, namespace)]
    assert len(addresses) == 2
    for ip in addresses:
        with urllib.request.urlopen(f"http://{ip}:{PORT}/version") as answer:
            assert answer.read() == b"ok2\n"
    assert "ok2 is ready" in kube.kubectl("-n", namespace, "logs", "deployment/web")
    inside = kube.kubectl("-n", namespace, "exec", "deployment/web", "--", "cat", "/etc/repository")
    assert inside == "acme/web"


@pytest.mark.test_all
def test_a_crash_shows_with_its_exit_code_and_its_log(kube: Cluster, namespace: str) -> None:
    apply(kube, namespace, deployment("web", "ghcr.io/acme/web:crash"))
    assert reason(kube, namespace, "Error")["exitCode"] == 3
    assert "cannot reach database" in kube.kubectl("-n", namespace, "logs", "deployment/web")


def pull_secret(token: str) -> dict[str, Any]:
    login = base64.b64encode(f"octocat:{token}".encode()).decode()
    content = json.dumps({"auths": {"ghcr.io": {"auth": login}}})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "ghcr"},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": content},
    }


@pytest.mark.test_all
def test_a_private_image_is_pulled_only_with_a_secret_that_is_valid(
    kube: Cluster, namespace: str
) -> None:
    image = "ghcr.io/private/web:ok"
    apply(kube, namespace, deployment("web", image))
    refused = reason(kube, namespace, "ErrImagePull")["message"]
    assert "failed to fetch anonymous token" in refused
    assert "401 Unauthorized" in refused

    kube.registry.allow("ghs_node", "private/*:pull")
    apply(kube, namespace, pull_secret("ghs_node"), deployment("web", image, pull_secret="ghcr"))
    kube.kubectl("-n", namespace, *STATUS)

    kube.registry.revoke("ghs_node")
    later = deployment("web", "ghcr.io/private/later:ok", pull_secret="ghcr")
    apply(kube, namespace, later)
    wait_until(
        lambda: "403 Forbidden" in str(states(kube, namespace)), "the secret is no longer valid"
    )


@pytest.mark.test_all
@pytest.mark.parametrize(
    ("tag", "wanted", "said"),
    [
        ("done", "Completed", ""),
        ("segv", "Error", ""),
        ("oom", "OOMKilled", ""),
        ("noexec", "StartError", 'exec: "/bin/app": permission denied'),
        ("nocmd", "StartError", "stat /bin/nothere: no such file or directory"),
        ("empty", "CreateContainerError", "no command specified"),
        ("baduser", "CreateContainerError", "no users found"),
        ("arm-index", "ErrImagePull", "no match for platform"),
        ("nothere", "ErrImagePull", "not found"),
    ],
)
def test_an_image_is_ill_in_the_way_that_its_tag_says(
    kube: Cluster, namespace: str, tag: str, wanted: str, said: str
) -> None:
    ill = deployment("web", f"ghcr.io/acme/web:{tag}", probe=False)
    (container,) = ill["spec"]["template"]["spec"]["containers"]
    container["resources"] = {"limits": {"memory": "64Mi"}}
    apply(kube, namespace, ill)
    assert said in reason(kube, namespace, wanted).get("message", "")


@pytest.mark.test_all
def test_an_image_of_another_processor_says_so_in_its_log_alone(
    kube: Cluster, namespace: str
) -> None:
    apply(kube, namespace, deployment("web", "ghcr.io/acme/web:arm-plain", probe=False))
    assert reason(kube, namespace, "Error")["exitCode"] == 1
    log = kube.kubectl("-n", namespace, "logs", "deployment/web")
    assert log == "exec /bin/app: exec format error\n"


@pytest.mark.test_all
def test_other_ill_images_run_without_being_ready_or_end_later(
    kube: Cluster, namespace: str
) -> None:
    late = deployment("late", "ghcr.io/acme/web:late")
    apply(kube, namespace, late, deployment("unready", "ghcr.io/acme/web:unready"))
    assert reason(kube, namespace, "Error")["exitCode"] == 4
    events = f"/api/v1/namespaces/{namespace}/events"
    said = "Readiness probe failed: HTTP probe failed with statuscode: 404"
    wait_until(lambda: said in str(kube.api("GET", events)), "the probe has failed")


@pytest.mark.test_all
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (401, "401 Unauthorized"),
        (403, "403 Forbidden"),
        (429, "429 Too Many Requests"),
        (503, "503 Service Unavailable"),
        ("drop", "EOF"),
    ],
)
def test_a_fault_of_the_registry_is_seen_by_the_node_and_passes(
    kube: Cluster, namespace: str, answer: Any, said: str
) -> None:
    repository = f"acme/fault-{answer}"
    kube.registry.fault(f"* /v2/{repository}/manifests/*", answer)
    apply(kube, namespace, deployment("web", f"ghcr.io/{repository}:ok"))
    assert said in reason(kube, namespace, "ErrImagePull")["message"]
    kube.registry.clear_faults()
    kube.kubectl("-n", namespace, *STATUS)


@pytest.mark.test_all
@pytest.mark.parametrize(
    ("answer", "said"),
    [("cut", "short read: expected"), ("damage", "unexpected commit digest sha256:")],
)
def test_a_broken_blob_is_seen_by_the_node_and_passes(
    kube: Cluster, namespace: str, answer: Any, said: str
) -> None:
    repository = f"acme/{answer}"
    kube.registry.fault(f"GET /v2/{repository}/blobs/*", answer)
    apply(kube, namespace, deployment("web", f"ghcr.io/{repository}:ok"))
    assert said in reason(kube, namespace, "ErrImagePull")["message"]
    kube.registry.clear_faults()
    kube.kubectl("-n", namespace, *STATUS)


@pytest.mark.test_all
def test_a_registry_that_hangs_shows_in_no_status(kube: Cluster, namespace: str) -> None:
    kube.registry.clear_requests()
    kube.registry.fault("* /v2/acme/hang/manifests/*", "hang")
    apply(kube, namespace, deployment("web", "ghcr.io/acme/hang:ok"))
    wait_until(
        lambda: any("acme/hang/manifests" in each.path for each in kube.registry.requests()),
        "the node asks for the image",
    )
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    assert wait_until(lambda: states(kube, namespace), "the pod has a status") == [waiting, {}]
    kube.registry.clear_faults()
    kube.kubectl("-n", namespace, *STATUS)


@pytest.mark.test_all
def test_a_user_may_do_only_what_a_role_allows(kube: Cluster, namespace: str) -> None:
    deployer = kube.kubeconfig_for("deployer", namespace)
    with pytest.raises(CommandFailed, match=r'User "deployer" cannot list resource "pods"'):
        kube.kubectl("get", "pods", kubeconfig=deployer)
    kube.kubectl("-n", namespace, "create", "role", "reader", "--verb=list", "--resource=pods")
    bind = ("create", "rolebinding", "reader", "--role=reader", "--user=deployer")
    kube.kubectl("-n", namespace, *bind)
    assert kube.kubectl("get", "pods", "-o", "name", kubeconfig=deployer) == ""
    with pytest.raises(CommandFailed, match="forbidden"):
        kube.kubectl("get", "pods", "-n", "default", kubeconfig=deployer)


@pytest.mark.test_all
def test_a_service_account_has_a_token_until_it_is_deleted(kube: Cluster, namespace: str) -> None:
    config = kube.kubeconfig_for(kube.account_token(namespace, "ci"), namespace)
    who = ("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert kube.kubectl(*who, kubeconfig=config) == f"system:serviceaccount:{namespace}:ci"
    kube.api("DELETE", f"/api/v1/namespaces/{namespace}/serviceaccounts/ci")

    def is_refused() -> bool:
        try:
            kube.kubectl(*who, kubeconfig=config)
        except CommandFailed as failed:
            return "Unauthorized" in str(failed)
        return False

    wait_until(is_refused, "the token is no longer valid")


@pytest.mark.test_all
@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_the_api_fails_as_often_as_was_asked(kube: Cluster, status: int) -> None:
    ask = ("get", "--raw", "/version")
    kube.faults.clear_requests()
    # kubectl itself tries again after these, so a test may need more of them.
    times = 2 if status in {429, 503} else 1
    kube.faults.fault("GET /version*", status, times=times)
    with contextlib.suppress(CommandFailed):
        kube.kubectl(*ask, kubeconfig=kube.kubeconfig_through_faults)
    said = kube.kubectl(*ask, kubeconfig=kube.kubeconfig_through_faults)
    assert json.loads(said)["gitVersion"].startswith("v1.")
    statuses = [each.status for each in kube.faults.requests() if "/version" in each.path]
    assert statuses.count(status) == times


@pytest.mark.test_all
def test_the_api_hangs_until_the_fault_is_cleared(kube: Cluster) -> None:
    ask = ("get", "--raw", "/version")
    kube.faults.fault("GET /version*", "hang")
    with pytest.raises(CommandFailed, match=r"context deadline exceeded|Client\.Timeout exceeded"):
        kube.kubectl(*ask, "--request-timeout=1s", kubeconfig=kube.kubeconfig_through_faults)
    kube.faults.clear_faults()
    assert kube.kubectl(*ask, kubeconfig=kube.kubeconfig_through_faults)


@pytest.fixture
def watch(kube: Cluster, namespace: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A watch of the pods of a namespace, through the proxy with faults, which has begun."""
    config = tmp_path / "kubeconfig"
    config.write_text(kube.kubeconfig_through_faults)
    path = f"/api/v1/namespaces/{namespace}/configmaps?watch=true"
    with subprocess.Popen(
        (str(kube.programs.kubectl), "get", "--raw", path),
        env={**os.environ, "KUBECONFIG": str(config), "HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        first: dict[str, Any] = json.loads(process.stdout.readline())
        assert first["type"] == "ADDED"
        yield process
        process.kill()


@pytest.mark.test_all
def test_all_connections_to_the_api_can_be_cut(kube: Cluster, watch: subprocess.Popen[str]) -> None:
    assert watch.poll() is None
    kube.faults.cut()
    watch.communicate()


@pytest.mark.test_all
def test_all_connections_to_the_api_can_end_soon(
    kube: Cluster, watch: subprocess.Popen[str]
) -> None:
    kube.faults.limit = 1
    watch.communicate()


@pytest.mark.test_all
def test_the_api_server_comes_back_with_what_it_knew(kube: Cluster, namespace: str) -> None:
    kube.stop_api()
    try:
        with pytest.raises(ConnectionRefusedError):
            kube.api("GET", "/readyz")
    finally:
        kube.start_api()
    assert kube.api("GET", f"/api/v1/namespaces/{namespace}")["status"]["phase"] == "Active"
    apply(kube, namespace, deployment("web", "ghcr.io/acme/web:ok"))
    kube.kubectl("-n", namespace, *STATUS)


@pytest.mark.test_all
def test_a_part_that_is_frozen_does_nothing_until_it_thaws(kube: Cluster, namespace: str) -> None:
    kube.freeze("controller-manager")
    try:
        apply(kube, namespace, deployment("web", "ghcr.io/acme/web:ok"))
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
        assert kube.api("GET", path)["status"] == {}
    finally:
        kube.thaw("controller-manager")
    kube.kubectl("-n", namespace, *STATUS)


@pytest.mark.test_all
def test_a_node_that_is_lost_is_noticed_and_its_pods_are_replaced(two_nodes: Cluster) -> None:
    with two_nodes.namespace() as namespace:
        apply(two_nodes, namespace, deployment("web", "ghcr.io/acme/web:ok", replicas=1))
        two_nodes.kubectl("-n", namespace, *STATUS)
        (lost,) = {pod["spec"]["nodeName"] for pod in pods(two_nodes, namespace)}
        two_nodes.lose_node(lost)
        try:
            replaced = ("rollout", "status", "deployment/web", "--timeout=600s")
            wait_until(
                lambda: (
                    {"n1", "n2"} == {pod["spec"]["nodeName"] for pod in pods(two_nodes, namespace)}
                ),
                "another pod runs elsewhere",
            )
            two_nodes.kubectl("-n", namespace, *replaced)
        finally:
            two_nodes.regain_node(lost)


@pytest.mark.test_all
def test_a_node_that_was_switched_off_comes_back_with_its_images(two_nodes: Cluster) -> None:
    two_nodes.stop_node("n2")
    two_nodes.start_node("n2")
    with two_nodes.namespace() as namespace:
        apply(two_nodes, namespace, deployment("web", "ghcr.io/acme/web:ok", replicas=4))
        two_nodes.kubectl("-n", namespace, *STATUS)


@pytest.mark.test_all
def test_two_clusters_know_nothing_of_each_other_and_one_ends_without_a_trace(
    kube: Cluster, namespace: str
) -> None:
    apply(kube, namespace, deployment("web", "ghcr.io/acme/web:ok"))
    with Cluster(quick_restarts=True) as other:
        with pytest.raises(Refused):
            other.api("GET", f"/api/v1/namespaces/{namespace}")
        with other.namespace() as there:
            apply(other, there, deployment("web", "ghcr.io/acme/web:crash"))
            wait_until(lambda: restarts(other, there) > 3, "it starts again and again")
        ended = other.lease
        assert traces(ended)
    assert traces(ended) == []
    kube.kubectl("-n", namespace, *STATUS)


@pytest.mark.test_all
def test_an_image_that_the_runner_pushed_runs_on_a_node_that_the_runner_reaches(
    bed: Bed, kube_beside_the_bed: Cluster, runner: Runner, registry: Registry
) -> None:
    cluster = kube_beside_the_bed
    registry.allow("ghs_runner", "acme/*:pull,push")
    registry.allow("", "acme/kube:pull")
    image = "ghcr.io/acme/kube:1"
    context = bed.work / "kube"
    context.mkdir()
    shutil.copy("/bin/busybox", context)
    (context / "Dockerfile").write_text(DOCKERFILE)
    runner.run("docker", "login", "ghcr.io", "-u", "any", "--password-stdin", input="ghs_runner")
    runner.docker("build", "--quiet", "--push", "--tag", image, str(context))
    (context / "kubeconfig").write_text(cluster.kubeconfig)
    (context / "web.json").write_text(json.dumps(deployment("web", image, probe=False)))
    kubectl = (str(cluster.programs.kubectl), f"--kubeconfig={context}/kubeconfig")
    runner.run(*kubectl, "apply", "-f", f"{context}/web.json")
    runner.run(*kubectl, *STATUS)
    assert runner.run(*kubectl, "logs", "deployment/web").stdout == "built by the runner\n"


DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
CMD ["/bin/busybox", "sh", "-c", "echo built by the runner; exec /bin/busybox sleep 600"]
"""


@pytest.mark.test_all
@pytest.mark.needs("kubebed-1.33")
def test_an_old_kubernetes_waits_for_the_next_start_by_another_name(old_kube: Cluster) -> None:
    version: str = old_kube.api("GET", "/version")["gitVersion"]
    assert version.startswith("v1.33.")
    with old_kube.namespace() as namespace:
        web = deployment("web", "ghcr.io/acme/web:ok")
        apply(old_kube, namespace, web, deployment("ill", "ghcr.io/acme/web:crash"))
        old_kube.kubectl("-n", namespace, *STATUS)
        waits = reason(old_kube, namespace, "CrashLoopBackOff")
        assert "back-off 10s restarting failed container=app" in waits["message"]


def restarts(cluster: Cluster, namespace: str) -> int:
    return sum(
        container["restartCount"]
        for pod in pods(cluster, namespace)
        for container in pod["status"].get("containerStatuses", ())
    )


OWNER = """\
import json, time
from bed.kube.cluster import Cluster
from bed.kube.workloads import deployment
cluster = Cluster().open()
cluster.kubectl("apply", "-f", "-", stdin=json.dumps(deployment("web", "ghcr.io/acme/web:ok")))
cluster.kubectl("rollout", "status", "deployment/web")
print(cluster.lease.id, flush=True)
time.sleep(600)
"""


@pytest.mark.test_all
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_the_owner_of_a_cluster_ends(end: signal.Signals) -> None:
    with subprocess.Popen(
        (sys.executable, "-c", OWNER),
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as owner:  # fmt: skip
        try:
            assert owner.stdout
            name = owner.stdout.readline().strip()
            [ended] = [found for found in lease.leases() if found.id == name]
            assert any("kubepods" in line or "group" in line for line in traces(ended))
        finally:
            owner.send_signal(end)
    wait_until(lambda: ended not in lease.leases(), "the bed is removed")
    wait_until(lambda: not traces(ended), "nothing is left", seen=lambda: traces(ended))

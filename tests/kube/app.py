"""An app in a namespace of a real cluster, and the action that updates it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bed.kube.workloads import PORT
from bed.step import machine_path, run_action, start_action
from bed.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bed.kube.cluster import Cluster
    from bed.step import Run, RunningStep, StepResult

# The change itself, and not its rehearsal, which has the option dryRun.
PATCH = "PATCH *deployments/web?fieldManager=gen-workflow&fieldValidation=Strict"
ABSENT = "ghcr.io/acme/app@sha256:" + "0" * 64
PLURALS = {
    "Deployment": "apis/apps/v1/{}/deployments",
    "StatefulSet": "apis/apps/v1/{}/statefulsets",
    "DaemonSet": "apis/apps/v1/{}/daemonsets",
    "CronJob": "apis/batch/v1/{}/cronjobs",
}
PROBE = {"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1}


class App:
    """The workloads of a namespace."""

    def __init__(self, cluster: Cluster, namespace: str, folder: Path) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.folder = folder

    def image(self, tag: str, repository: str = "acme/app") -> str:
        """Return an image by its digest."""
        return f"ghcr.io/{repository}@{self.cluster.registry.digest(repository, tag)}"

    def create(
        self,
        kind: str = "Deployment",
        name: str = "web",
        *,
        tag: str = "ok",
        replicas: int = 2,
        probe: bool = True,
        pod: Mapping[str, Any] | None = None,
        container: Mapping[str, Any] | None = None,
        spec: Mapping[str, Any] | None = None,
        ready: bool = True,
    ) -> None:
        """Create a workload, and wait until it is ready."""
        made = self.manifest(
            kind, name, self.image(tag), replicas=replicas, probe=probe, pod=pod,
            container=container, spec=spec,
        )  # fmt: skip
        self.cluster.api("POST", self.path(kind), made)
        if ready and kind != "CronJob":
            self.wait_ready(kind, name)

    def manifest(
        self,
        kind: str,
        name: str,
        image: str,
        *,
        replicas: int = 1,
        probe: bool = True,
        pod: Mapping[str, Any] | None = None,
        container: Mapping[str, Any] | None = None,
        spec: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return a workload whose pods end quickly."""
        runs: dict[str, Any] = {"name": "app", "image": image, **(container or {})}
        if probe and kind != "CronJob":
            runs.setdefault("readinessProbe", PROBE)
        labels = {"app": name}
        inside = {"containers": [runs], "terminationGracePeriodSeconds": 1, **(pod or {})}
        template = {"metadata": {"labels": labels}, "spec": inside}
        body: dict[str, Any] = {"selector": {"matchLabels": labels}, "template": template}
        if kind in {"Deployment", "StatefulSet"}:
            body["replicas"] = replicas
        if kind == "StatefulSet":
            body["serviceName"] = name
        if kind == "CronJob":
            inside["restartPolicy"] = "Never"
            body = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template}}}
        version = "batch/v1" if kind == "CronJob" else "apps/v1"
        meta = {"name": name, "labels": labels}
        return {
            "apiVersion": version,
            "kind": kind,
            "metadata": meta,
            "spec": {**body, **(spec or {})},
        }

    def path(self, kind: str, name: str = "") -> str:
        end = f"/{name}" if name else ""
        return "/" + PLURALS[kind].format(f"namespaces/{self.namespace}") + end

    def get(self, kind: str = "Deployment", name: str = "web") -> Any:
        return self.cluster.api("GET", self.path(kind, name))

    def patch(self, body: object, kind: str = "Deployment", name: str = "web") -> Any:
        return self.cluster.api("PATCH", self.path(kind, name), body)

    def template(self, kind: str = "Deployment", name: str = "web") -> Any:
        spec = self.get(kind, name)["spec"]
        return spec["jobTemplate"]["spec"]["template"] if kind == "CronJob" else spec["template"]

    def images(self, kind: str = "Deployment", name: str = "web") -> dict[str, str]:
        """Return the images that the workload has, by container."""
        found = self.template(kind, name)["spec"]["containers"]
        return {each["name"]: each["image"] for each in found}

    def pods(self, name: str = "web") -> list[Any]:
        """Return the pods that are not being deleted."""
        query = f"/api/v1/namespaces/{self.namespace}/pods?labelSelector=app%3D{name}"
        found: list[Any] = self.cluster.api("GET", query)["items"]
        return [each for each in found if not each["metadata"].get("deletionTimestamp")]

    def ready_pods(self, image: str, name: str = "web") -> list[str]:
        """Return the uids of the pods that are ready and have an image."""
        return [
            each["metadata"]["uid"]
            for each in self.pods(name)
            if each["spec"]["containers"][0]["image"] == image and _is_ready(each)
        ]

    def wait_ready(self, kind: str = "Deployment", name: str = "web") -> None:
        """Wait until all pods that a workload wants are ready and there are no others."""

        def is_ready() -> bool:
            found = self.get(kind, name)
            wanted = found["spec"].get("replicas", 1)
            pods = self.pods(name)
            return len(pods) == wanted and all(map(_is_ready, pods))

        wait_until(is_ready, f"{kind} {name} is ready", seen=lambda: self._shown(name))

    def _shown(self, name: str) -> str:
        """Return the states of the containers, as far as a person wants to read them."""
        found = [each.get("status", {}).get("containerStatuses") for each in self.pods(name)[:3]]
        return json.dumps(found)[:3000]

    def wait_gone(self, name: str = "web") -> None:
        """Wait until no pod of a workload is being deleted any more."""
        query = f"/api/v1/namespaces/{self.namespace}/pods?labelSelector=app%3D{name}"
        wait_until(
            lambda: (
                not any(
                    each["metadata"].get("deletionTimestamp")
                    for each in self.cluster.api("GET", query)["items"]
                )
            ),
            "the old pods are gone",
        )

    def update(self, *images: str, workload: str = "deployment/web", **more: Any) -> StepResult:
        """Run the action until it ends; `more` are further inputs, with `_` for `-`."""
        run, env, inputs, machine = self._given(images, workload, more)
        return run_action(
            "kubectl-set-image", inputs, workspace=self.folder, machine=machine, env=env, run=run
        )

    def start(self, *images: str, workload: str = "deployment/web", **more: Any) -> RunningStep:
        """Start the action, and return while it runs."""
        run, env, inputs, machine = self._given(images, workload, more)
        return start_action(
            "kubectl-set-image", inputs, workspace=self.folder, machine=machine, env=env, run=run
        )

    def _given(
        self, images: tuple[str, ...], workload: str, more: dict[str, Any]
    ) -> tuple[Run | None, Mapping[str, str] | None, dict[str, str], dict[str, str]]:
        run, env = more.pop("run", None), more.pop("env", None)
        inputs = {
            "workload": workload,
            "image": "\n".join(images),
            "kubeconfig": self.cluster.kubeconfig,
            "namespace": self.namespace,
            "stability": "3",
            **{name.replace("_", "-"): str(value) for name, value in more.items()},
        }
        return run, env, inputs, machine(self.cluster)


def machine(cluster: Cluster) -> dict[str, str]:
    """Return the PATH of a runner that has kubectl."""
    return {"PATH": f"{cluster.programs.kubernetes}:{machine_path()}"}


def _is_ready(pod: Any) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

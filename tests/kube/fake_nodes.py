"""Nodes that only say what real ones would, for what those cannot do here: hundreds of pods.

The API server, the scheduler and the controllers are real. Pods of an image in `missing` cannot
pull it; all others run and are ready at once.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from bed.kube.api import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from bed.kube.cluster import Cluster

ROOM = {"cpu": "100", "memory": "100Gi", "pods": "250"}
EVERY_SECONDS = 0.5
NOT_THERE = "rpc error: code = NotFound desc = failed to resolve image: {0}: not found"


class FakeNodes:
    """Nodes of a cluster that has none of its own; a context manager."""

    def __init__(self, cluster: Cluster, count: int) -> None:
        self._api = cluster.api
        self.names = [f"fake-{number}" for number in range(1, count + 1)]
        self.missing: set[str] = set()
        # Nobody hears of these any more.
        self.lost: set[str] = set()
        self._ended = threading.Event()
        # A node that has many pods to see to must still be heard of.
        self._threads = [threading.Thread(target=each) for each in (self._hearts, self._pods)]
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        for name in self.names:
            self._api("POST", "/api/v1/nodes", {"metadata": {"name": name}})
            self._say_ready(name)
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._ended.set()
        for each in self._threads:
            each.join()
        for name in self.names:
            self._api("DELETE", f"/api/v1/nodes/{name}")
        if self.error and not error:
            raise self.error

    def _hearts(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            for name in set(self.names) - self.lost:
                self._guarded(self._say_ready, name)

    def _pods(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self._guarded(self._see_to_all)

    def _guarded(self, do: Callable[..., None], *arguments: str) -> None:
        try:
            do(*arguments)
        except Refused as error:
            # A pod may have gone since it was listed.
            if error.status not in {404, 409}:
                self.error = error
        except Exception as error:  # noqa: BLE001 - raised by the test
            self.error = error

    def _see_to_all(self) -> None:
        for pod in self._api("GET", "/api/v1/pods")["items"]:
            node = pod["spec"].get("nodeName")
            if node in self.names and node not in self.lost:
                self._see_to(pod)

    def _say_ready(self, name: str) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "fake",
                 "lastHeartbeatTime": now}  # fmt: skip
        status = {"capacity": ROOM, "allocatable": ROOM, "conditions": [ready]}
        self._api("PATCH", f"/api/v1/nodes/{name}/status", {"status": status})

    def _see_to(self, pod: dict[str, Any]) -> None:
        """Bring a pod one step on."""
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        image = pod["spec"]["containers"][0]["image"]
        if meta.get("deletionTimestamp"):
            self._api("DELETE", f"{path}?gracePeriodSeconds=0")
        elif pod["status"].get("phase") == "Pending" and not pod["status"].get("containerStatuses"):
            status = _waiting(image) if image in self.missing else _running(image)
            self._api("PATCH", f"{path}/status", {"status": status})


def _waiting(image: str) -> dict[str, Any]:
    state = {"waiting": {"reason": "ErrImagePull", "message": NOT_THERE.format(image)}}
    return {"phase": "Pending", "containerStatuses": [_container(image, state, ready=False)]}


def _running(image: str) -> dict[str, Any]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    ready = [{"type": each, "status": "True"} for each in ("Ready", "ContainersReady")]
    container = _container(image, {"running": {"startedAt": now}}, ready=True)
    return {"phase": "Running", "conditions": ready, "containerStatuses": [container]}


def _container(image: str, state: dict[str, Any], *, ready: bool) -> dict[str, Any]:
    return {"name": "app", "image": image, "imageID": "", "restartCount": 0, "ready": ready,
            "state": state}  # fmt: skip

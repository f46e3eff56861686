"""Reads a pod: its containers, whether it is ready, whether it leaves or its node is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.kube.snapshot import condition
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ship.kube.snapshot import Object

ALWAYS = "Always"
INIT, SIDECAR, MAIN = "init", "sidecar", "main"


class Container(NamedTuple):
    """A container of a pod: what is asked for, and how it is."""

    role: str
    spec: Object
    status: Object

    @property
    def name(self) -> str:
        return str(self.status["name"])

    @property
    def image(self) -> str:
        return str(self.spec.get("image") or self.status.get("image") or "")

    @property
    def is_ready(self) -> bool:
        return bool(self.status.get("ready"))

    @property
    def is_running(self) -> bool:
        return "running" in self._state

    @property
    def runs_since(self) -> str:
        """When it was started, as the API writes times; empty while it does not run."""
        return str((self._state.get("running") or {}).get("startedAt") or "")

    @property
    def waits_for(self) -> str:
        """The reason for which it waits; empty where it does not wait, or for no reason."""
        return str((self._state.get("waiting") or {}).get("reason") or "")

    @property
    def message(self) -> str:
        """What the kubelet says of the reason for which it waits."""
        return str((self._state.get("waiting") or {}).get("message") or "")

    @property
    def ended(self) -> Object:
        """How it ended the last time that is known; empty where it never did."""
        last: Any = self.status.get("lastState") or {}
        found: Object = self._state.get("terminated") or last.get("terminated") or {}
        return found

    @property
    def ends(self) -> int:
        """How often it has ended.

        While it waits for a restart, the run that the number of restarts counts is over as well.
        The word CrashLoopBackOff is seen too seldom to count by it.
        """
        return int(self.status.get("restartCount") or 0) + (
            not self.is_running and bool(self.ended)
        )

    @property
    def _state(self) -> Any:
        return self.status.get("state") or {}


def containers(pod: Object) -> Iterator[Container]:
    """Yield the containers of a pod that have a status, those that start first first."""
    spec, status = pod["spec"], pod.get("status") or {}
    specs = {each["name"]: each for each in spec.get("containers") or ()}
    inits = {each["name"]: each for each in spec.get("initContainers") or ()}
    for each in status.get("initContainerStatuses") or ():
        of_init = inits.get(each["name"], {})
        role = SIDECAR if of_init.get("restartPolicy") == ALWAYS else INIT
        yield Container(role, of_init, each)
    for each in status.get("containerStatuses") or ():
        yield Container(MAIN, specs.get(each["name"], {}), each)


def phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def is_finished(pod: Object) -> bool:
    """Return whether it will never run again."""
    return phase(pod) in ("Failed", "Succeeded")


def is_leaving(pod: Object) -> bool:
    """Return whether it is being deleted."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_alive(pod: Object) -> bool:
    return not is_finished(pod) and not is_leaving(pod)


def is_ready(pod: Object) -> bool:
    return is_alive(pod) and condition(pod, "Ready").get("status") == "True"


def is_lost(pod: Object) -> bool:
    """Return whether the pod looks as on a lost node.

    There the node controller says that the pod is not ready and gives no reason, and nobody
    changes what the kubelet has said of the containers.
    """
    ready = condition(pod, "Ready")
    return (pod.get("status") or {}).get("reason") == "NodeLost" or (
        ready.get("status") in ("False", "Unknown")
        and not ready.get("reason")
        and condition(pod, "ContainersReady").get("status") == "True"
    )


def node(pod: Object) -> str:
    """Return the node that it was given; empty while it has none."""
    return str(pod["spec"].get("nodeName") or "")

"""Finds containers that cannot be made, and pods whose volumes or sandbox are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube.causes.container_states import CONFIGS, CREATES, OTHER_WAIT
from ship.kube.causes.finding import Finding
from ship.kube.causes.pod_states import CREATING, SANDBOXES, VOLUMES
from ship.kube.causes.rows import row_for
from ship.kube.snapshot import condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.kube.causes.finding import State
    from ship.kube.events import Event
    from ship.kube.pod import Container
    from ship.kube.snapshot import Object

# These are no more than a word, or are judged elsewhere: by how often a container has ended.
_NOT_HERE = frozenset({
    "", "ContainerCreating", "PodInitializing", "CrashLoopBackOff", "RunContainerError",
    "PostStartHookError", "RestartingAllContainers",
})  # fmt: skip
_OF_REASONS = {
    "CreateContainerConfigError": CONFIGS,
    "CreateContainerError": CREATES,
    "PreCreateHookError": CREATES,
    "PreStartHookError": CREATES,
}
_OF_EVENTS: dict[str, tuple[State, ...]] = {
    "FailedMount": VOLUMES,
    "FailedMapVolume": VOLUMES,
    "FailedAttachVolume": VOLUMES,
    "FailedCreatePodSandBox": SANDBOXES,
}
_GETS_ON = frozenset({"Pulling", "Pulled", "Created", "Started"})


def creation_finding(pod: Object, container: Container) -> Finding | None:
    """Return why a container cannot be made, if it cannot."""
    if container.waits_for in _NOT_HERE:
        return None
    rows = _OF_REASONS.get(container.waits_for, (OTHER_WAIT,))
    said = container.message or container.waits_for
    return Finding(
        row_for(rows, said),
        pod["metadata"]["uid"],
        pod["metadata"]["name"],
        container.name,
        said,
        on_node=True,
    )


def pod_creation_finding(pod: Object, events: Sequence[Event]) -> Finding | None:
    """Return why nothing of a pod starts, of which only events tell."""
    ready = condition(pod, "PodReadyToStartContainers").get("status") == "True"
    if ready or any(each.reason in _GETS_ON for each in events):
        return None
    told = [each for each in events if each.reason in _OF_EVENTS]
    if not told:
        return _pod_finding(CREATING, pod, "")
    last = told[-1]
    row = row_for(_OF_EVENTS[last.reason], last.message)
    # Their messages have random parts, so that each may be an event of its own.
    times = sum(each.times for each in told if each.reason == last.reason)
    return _pod_finding(row, pod, last.message)._replace(times=times)


def _pod_finding(state: State, pod: Object, said: str) -> Finding:
    uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
    return Finding(state, uid, name, "", said, on_node=True)

"""Finds what a container that runs is waiting for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube import events as of
from ship.kube.causes.container_states import INIT_RUNS, NOT_READY, READINESS, STARTING_UP
from ship.kube.causes.finding import Finding
from ship.kube.causes.pod_states import READINESS_GATE
from ship.kube.pod import INIT
from ship.kube.snapshot import condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.kube.events import Event
    from ship.kube.pod import Container
    from ship.kube.snapshot import Object

_GATES = "ReadinessGatesNotReady"


def waiting_finding(pod: Object, container: Container, events: Sequence[Event]) -> Finding | None:
    """Return what a container that runs is waiting for, if it is not ready."""
    if not container.is_running or container.is_ready:
        return None
    state, told = NOT_READY, of.NEVER
    if container.role == INIT:
        state = INIT_RUNS
    elif probe := of.last_of(events, "Unhealthy", "Readiness probe", container.name):
        state, told = (READINESS, probe) if probe.message else (state, told)
    if container.status.get("started") is False and container.role != INIT:
        probe = of.last_of(events, "Unhealthy", "Startup probe", container.name)
        state, told = (STARTING_UP, probe) if probe.message else (state, told)
    return Finding(
        state,
        pod["metadata"]["uid"],
        pod["metadata"]["name"],
        container.name,
        told.message,
        times=told.times,
        logs="current",
    )


def gate_finding(pod: Object) -> Finding | None:
    """Return the readiness gate that a pod waits for, if it does."""
    ready = condition(pod, "Ready")
    if ready.get("reason") != _GATES:
        return None
    said = str(ready.get("message") or "")
    return Finding(READINESS_GATE, pod["metadata"]["uid"], pod["metadata"]["name"], "", said)

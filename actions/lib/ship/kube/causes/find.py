"""Finds all that hinders a rollout in one snapshot. What was before, the judge remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube.causes.creation import creation_finding, pod_creation_finding
from ship.kube.causes.ends import end_finding
from ship.kube.causes.finding import HARD, NEVER, Finding
from ship.kube.causes.images import image_finding
from ship.kube.causes.placing import failed_finding, lost_finding, placing_finding
from ship.kube.causes.pod_states import OLD_POD
from ship.kube.causes.refusals import refusal_finding
from ship.kube.causes.waiting import gate_finding, waiting_finding
from ship.kube.events import by_object
from ship.kube.pod import containers, is_leaving, is_ready, node, phase
from ship.kube.progress import is_away
from ship.kube.snapshot import DEPLOYMENT, STATEFUL_SET, name, uid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ship.kube.events import Event, Events
    from ship.kube.snapshot import Object, Snapshot


def find(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return what hinders the rollout that a snapshot shows."""
    events = by_object(snapshot.events)
    refused = refusal_finding(snapshot, events)
    found = [refused] if refused else []
    for pod in snapshot.new_pods:
        if not is_away(pod, snapshot) and not is_leaving(pod):
            found += _of_pod(pod, events.get(uid(pod), ()))
    # Another pod of a Deployment takes the place of a lost one. The other kinds wait for its end.
    waited_for = snapshot.new_pods if snapshot.kind == DEPLOYMENT else snapshot.pods
    found += [lost_finding(pod) for pod in waited_for if is_away(pod, snapshot)]
    return (*found, *_stuck(snapshot, events))


def _of_pod(pod: Object, events: Sequence[Event]) -> Iterator[Finding]:
    if phase(pod) == "Failed":
        yield failed_finding(pod)
    elif phase(pod) == "Succeeded":
        return
    elif not node(pod):
        yield from _some(placing_finding(pod, events))
    else:
        yield from _of_containers(pod, events)


def _of_containers(pod: Object, events: Sequence[Event]) -> Iterator[Finding]:
    started = False
    for each in containers(pod):
        started |= bool(each.ends or each.is_running)
        yield from _some(
            image_finding(pod, each, events) or creation_finding(pod, each),
            end_finding(pod, each, events),
            waiting_finding(pod, each, events),
        )
    yield from _some(None if started else pod_creation_finding(pod, events), gate_finding(pod))


def _some(*found: Finding | None) -> Iterator[Finding]:
    return (each for each in found if each)


def _stuck(snapshot: Snapshot, events: Events) -> Iterator[Finding]:
    """Yield the old pods of a StatefulSet that are broken: it waits for them for ever.

    See https://github.com/kubernetes/kubernetes/issues/67250. The policy Parallel does not wait.
    """
    parallel = snapshot.workload["spec"].get("podManagementPolicy") == "Parallel"
    if snapshot.kind != STATEFUL_SET or parallel:
        return
    for pod in snapshot.old_pods:
        if is_leaving(pod) or is_ready(pod):
            continue
        for why in _of_pod(pod, events.get(uid(pod), ())):
            if why.state.rank == HARD and why.state.grace != NEVER:
                fields = {"why": why.cause().text}
                yield Finding(OLD_POD, uid(pod), name(pod), "", why.message, fields)
                break

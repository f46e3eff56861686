"""Finds pods that get no node, pods that have failed as a whole, and pods of lost nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube import events as of
from ship.kube.causes.finding import Finding
from ship.kube.causes.pod_states import (
    EVICTED,
    GATED,
    NO_SCHEDULER,
    NODE_LOST,
    REJECTED,
    REPLACED,
    SCALING_UP,
    UNSCHEDULABLE,
)
from ship.kube.causes.rows import row_for
from ship.kube.pod import node
from ship.kube.snapshot import condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.kube.causes.finding import State
    from ship.kube.events import Event
    from ship.kube.snapshot import Object

# The cluster autoscaler, and Karpenter.
_NODE_COMES = ("TriggeredScaleUp", "Nominated")
# A pod that ends for these is replaced, and the next one may fare better.
_OUTSIDE = frozenset({
    "Preempting", "Preempted", "NodeLost", "NodeShutdown", "Shutdown", "Terminated",
    "UnexpectedAdmissionError", "UnexpectedPredicateFailureType", "UnknownReason",
    "InvalidNodeInfo", "NodeAffinity", "NodeName", "NodePorts", "TaintToleration",
    "TopologyAffinityError", "SMTAlignmentError",
})  # fmt: skip
_OUT_OF = "OutOf"
_NODE_IS_LOW = "node was low on"


def placing_finding(pod: Object, events: Sequence[Event]) -> Finding | None:
    """Return why a pod has no node yet."""
    scheduled = condition(pod, "PodScheduled")
    said = str(scheduled.get("message") or "")
    if scheduled.get("reason") == "SchedulingGated":
        gates = ", ".join(each["name"] for each in pod["spec"].get("schedulingGates") or ())
        return _finding(GATED, pod, said, gates=gates)
    for reason in _NODE_COMES:
        if told := of.last_of(events, reason).message:
            return _finding(SCALING_UP, pod, told)
    if scheduled.get("status") == "False":
        # Others are being stopped to make room for it; or nobody can tell whether a node comes, as
        # events may not be read: there is always one of the scheduler.
        unsure = bool(pod["status"].get("nominatedNodeName")) or not events
        return _finding(row_for(UNSCHEDULABLE, said), pod, said)._replace(held=unsure)
    scheduler = str(pod["spec"].get("schedulerName") or "default-scheduler")
    return _finding(NO_SCHEDULER, pod, "", scheduler=scheduler)


def failed_finding(pod: Object) -> Finding:
    """Return why a pod has failed as a whole: its own fault, or that of something outside."""
    status = pod["status"]
    reason, said = str(status.get("reason") or ""), str(status.get("message") or "")
    if reason == "Evicted":
        # A node that is low on something may evict all it has: then it counts as one.
        who = node(pod) if _NODE_IS_LOW in said else pod["metadata"]["uid"]
        return _finding(EVICTED, pod, said)._replace(who=who)
    outside = reason in _OUTSIDE or reason.startswith(_OUT_OF)
    if outside or condition(pod, "DisruptionTarget").get("status") == "True":
        return _finding(REPLACED, pod, said or reason)
    return _finding(REJECTED, pod, said or reason or "it has failed, and nothing says why")


def lost_finding(pod: Object) -> Finding:
    """Return that the node of a pod is lost, which is no fault of the pod."""
    return _finding(NODE_LOST, pod, "", node=node(pod))


def _finding(state: State, pod: Object, said: str, **fields: str) -> Finding:
    return Finding(state, pod["metadata"]["uid"], pod["metadata"]["name"], "", said, fields)

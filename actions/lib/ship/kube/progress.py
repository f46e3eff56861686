"""How far a rollout is: counts, whether it is done, and whether anything takes the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.kube.pod import is_alive, is_leaving, is_lost, is_ready, node
from ship.kube.snapshot import CRON_JOB, DAEMON_SET, DEPLOYMENT, STATEFUL_SET, is_observed
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ship.kube.snapshot import Object, Snapshot

# Why no pod takes the new template by itself.
ZERO_REPLICAS, NO_NODE, ON_DELETE = "zero replicas", "no node", "OnDelete"
PARTITION, SCHEDULE = "partition", "schedule"


class Progress(NamedTuple):
    """How far a rollout is.

    `wanted` pods are to take the template; `updated` and `available` are what the controller
    counts, `ready` the new pods that are. `old` pods are of other templates and still wanted,
    `leaving` are being deleted. `note` says what does not count, if anything.
    """

    wanted: int
    updated: int = 0
    ready: int = 0
    available: int = 0
    old: int = 0
    leaving: int = 0
    is_done: bool = False
    is_observed: bool = True
    is_paused: bool = False
    note: str = ""
    nothing_runs: str = ""

    @property
    def shown(self) -> str:
        """A short line for a person."""
        if not self.is_observed:
            return "the cluster has not taken up the change yet"
        parts = [f"{self.ready} of {self.wanted} new pods ready"]
        parts += [f"{self.old} old"] if self.old else []
        parts += [f"{self.leaving} stopping"] if self.leaving else []
        return ", ".join(parts) + (f" ({self.note})" if self.note else "")


def progress_of(snapshot: Snapshot) -> Progress:
    """Return how far the rollout is that a snapshot shows."""
    observed = is_observed(snapshot)
    found = _OF_KIND[snapshot.kind](snapshot)._replace(
        ready=sum(map(is_ready, snapshot.new_pods)),
        old=sum(map(is_alive, snapshot.old_pods)),
        leaving=sum(map(is_leaving, snapshot.pods)),
        is_observed=observed,
        is_paused=bool(snapshot.workload["spec"].get("paused")),
    )
    # Before that the counts are of the template before.
    return found if observed else found._replace(is_done=False, nothing_runs="")


def _deployment(snapshot: Snapshot) -> Progress:
    status = _status(snapshot)
    wanted = replicas(snapshot)
    updated, available = _number(status, "updatedReplicas"), _number(status, "availableReplicas")
    done = updated == wanted == _number(status, "replicas") == available
    why = "" if wanted else ZERO_REPLICAS
    return Progress(wanted, updated, available=available, is_done=done, nothing_runs=why)


def _stateful_set(snapshot: Snapshot) -> Progress:
    status, strategy = _status(snapshot), snapshot.workload["spec"].get("updateStrategy") or {}
    all_pods = replicas(snapshot)
    partition = _number(strategy.get("rollingUpdate") or {}, "partition")
    wanted = max(0, all_pods - partition)
    updated, ready = _number(status, "updatedReplicas"), _number(status, "readyReplicas")
    # Not in the status before 1.22.
    available = _number(status, "availableReplicas") if "availableReplicas" in status else ready
    return Progress(
        wanted,
        updated,
        available=available,
        is_done=updated >= wanted and min(ready, available) >= all_pods,
        note=f"pods below number {partition} keep the old template" if partition else "",
        nothing_runs=_why_no_stateful_pod(strategy, all_pods, wanted, updated),
    )


def _why_no_stateful_pod(strategy: Object, all_pods: int, wanted: int, updated: int) -> str:
    if not all_pods:
        return ZERO_REPLICAS
    if not wanted:
        return PARTITION
    return ON_DELETE if strategy.get("type") == ON_DELETE and updated < all_pods else ""


def _daemon_set(snapshot: Snapshot) -> Progress:
    status, strategy = _status(snapshot), snapshot.workload["spec"].get("updateStrategy") or {}
    wanted = _number(status, "desiredNumberScheduled")
    updated = _number(status, "updatedNumberScheduled")
    available = _number(status, "numberAvailable")
    ready = sum(map(is_ready, snapshot.new_pods))
    away = len(_without_a_node(snapshot))
    by_hand = strategy.get("type") == ON_DELETE and updated < wanted
    return Progress(
        wanted,
        updated,
        available=available,
        is_done=(updated >= wanted and available >= wanted)
        or (bool(ready) and ready + away >= wanted and available + away >= wanted),
        note=f"{away} on nodes that are not ready or take no pods" if away else "",
        nothing_runs=NO_NODE if not wanted else ON_DELETE if by_hand else "",
    )


def _without_a_node(snapshot: Snapshot) -> list[Object]:
    """Return the pods of a DaemonSet that do not count, as their node is lost or takes no pods."""
    new = {id(pod) for pod in snapshot.new_pods}
    return [
        pod
        for pod in snapshot.pods
        if is_away(pod, snapshot) and not (id(pod) in new and is_ready(pod))
    ]


def is_away(pod: Object, snapshot: Snapshot) -> bool:
    """Return whether the node of a pod is known as not ready or closed, or the pod looks so."""
    closed = snapshot.nodes is not None and not snapshot.nodes.get(node(pod), True)
    return is_lost(pod) or (closed and snapshot.kind == DAEMON_SET)


def _cron_job(_: Snapshot) -> Progress:
    return Progress(0, nothing_runs=SCHEDULE)


_OF_KIND = {
    DEPLOYMENT: _deployment,
    STATEFUL_SET: _stateful_set,
    DAEMON_SET: _daemon_set,
    CRON_JOB: _cron_job,
}


def _status(snapshot: Snapshot) -> Object:
    found: Any = snapshot.workload.get("status") or {}
    return dict(found)


def _number(status: Object, field: str) -> int:
    return int(status.get(field) or 0)


def replicas(snapshot: Snapshot) -> int:
    """Return how many pods there are to be, of all templates."""
    if snapshot.kind == DAEMON_SET:
        return _number(_status(snapshot), "desiredNumberScheduled")
    wanted = snapshot.workload["spec"].get("replicas")
    return 1 if wanted is None else int(wanted)

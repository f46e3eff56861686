"""Finds out why the API server makes no further pods of a template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube import events as of
from ship.kube.causes.finding import Finding
from ship.kube.causes.pod_states import REFUSALS
from ship.kube.causes.rows import row_for
from ship.kube.pod import is_finished
from ship.kube.progress import replicas
from ship.kube.snapshot import DEPLOYMENT, condition, uid

if TYPE_CHECKING:
    from ship.kube.events import Events
    from ship.kube.snapshot import Object, Snapshot


def refusal_finding(snapshot: Snapshot, events: Events) -> Finding | None:
    """Return why there are fewer pods than are wanted, if the API server refuses them."""
    said = (_of_deployment if snapshot.kind == DEPLOYMENT else _of_events)(snapshot, events)
    if not said:
        return None
    return Finding(row_for(REFUSALS, said), uid(snapshot.workload), message=said)


def _of_deployment(snapshot: Snapshot, _: Events) -> str:
    """Return what its new ReplicaSet is told, or the Deployment when it can make none.

    The condition of the Deployment alone may be that of an older ReplicaSet.
    """
    replica_set = snapshot.new_replica_set
    if replica_set is None:
        progressing = condition(snapshot.workload, "Progressing")
        failed = progressing.get("reason") == "ReplicaSetCreateError"
        return str(progressing.get("message") or "") if failed else ""
    if _number(snapshot.new_pods) >= replicas(snapshot):
        return ""
    failure = condition(replica_set, "ReplicaFailure")
    failed = failure.get("status") == "True" and failure.get("reason") == "FailedCreate"
    return str(failure.get("message") or "") if failed else ""


def _of_events(snapshot: Snapshot, events: Events) -> str:
    """Return what the last event says; their workloads have no condition for it."""
    if _number(snapshot.pods) >= replicas(snapshot):
        return ""
    told = events.get(uid(snapshot.workload), ())
    failed, made = of.last_of(told, "FailedCreate"), of.last_of(told, "SuccessfulCreate")
    # An event stays for an hour, and a set makes its pods one after another.
    return failed.message if failed.last > made.last else ""


def _number(pods: tuple[Object, ...]) -> int:
    return sum(not is_finished(pod) for pod in pods)

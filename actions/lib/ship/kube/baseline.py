"""What was there before a change. It never counts against the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube.events import count, last_time
from ship.kube.pod import containers, is_finished
from ship.kube.snapshot import uid

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from ship.kube.snapshot import Object, Snapshot


class Baseline:
    """The events, conditions and restarts before a change; nothing where no look was taken."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self._events = {_event(each) for each in snapshot.events} if snapshot else set()
        pods = snapshot.pods if snapshot else ()
        owners = (snapshot.workload, *snapshot.replica_sets) if snapshot else ()
        self._conditions = {fact for each in owners for _, fact in _conditions(each)}
        # Pods that have failed stay until the cluster cleans them away.
        self._finished = {uid(pod) for pod in pods if is_finished(pod)}
        # By pod and container, how often it had ended: pods may be of the new template already.
        self.ends = {(uid(pod), each.name): each.ends for pod in pods for each in containers(pod)}

    def fresh(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot without what was there before: events, conditions, failed pods."""
        return snapshot._replace(
            workload=self._fresh(snapshot.workload),
            replica_sets=tuple(self._fresh(each) for each in snapshot.replica_sets),
            pods=tuple(each for each in snapshot.pods if uid(each) not in self._finished),
            events=tuple(each for each in snapshot.events if _event(each) not in self._events),
        )

    def _fresh(self, found: Object) -> Object:
        left = [each for each, fact in _conditions(found) if fact not in self._conditions]
        return {**found, "status": {**(found.get("status") or {}), "conditions": left}}


def _event(event: Object) -> Hashable:
    return event["metadata"].get("uid"), count(event), last_time(event)


def _conditions(found: Object) -> Iterator[tuple[Object, Hashable]]:
    for each in (found.get("status") or {}).get("conditions") or ():
        facts = ("type", "status", "reason", "message", "lastTransitionTime")
        yield each, (uid(found), *(each.get(fact) for fact in facts))

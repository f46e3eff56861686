"""Looks at a workload and at all that belongs to it."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from ship.kube.client import FORBIDDEN, NOT_FOUND, Refused
from ship.kube.kinds import DAEMON_SET, DEPLOYMENT, path
from ship.kube.pod import is_ready
from ship.kube.snapshot import Snapshot, condition, owner_uid, uid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ship.kube.client import Client
    from ship.kube.kinds import Kind
    from ship.kube.snapshot import Object

NODES = "/api/v1/nodes"
# Of pods that are replaced again and again there may be hundreds, and each takes kilobytes.
MOST_PODS = 2000
# Events are asked for one object at a time: a namespace may have thousands of them. The server
# reads all of these for each request. Where that takes longer than the way to a server far away, we
# ask less often: for a fifth of the time at most, as long as the pause is not too long for us.
MOST_PODS_WITH_EVENTS = 5
LONGEST_WAY_SECONDS = 0.3
PAUSE_FOR_EACH_SECOND = 4
LONGEST_PAUSE_SECONDS = 15.0
# The last words of a program are those that tell, and each of its lines may be long.
LOG_BYTES = 4 * 1024 * 1024
LOG_CHARACTERS = 40_000


class Observer:
    """Looks at one workload. Each look is whole: nothing of an earlier one is needed.

    Raises Refused, with status 404 when the workload was deleted, or Unanswered.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        namespace: str,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._kind = kind
        self._namespace = namespace
        self._path = kind.path(namespace, name)
        self._clock = clock
        self._may_read_nodes = True
        self._events: tuple[Object, ...] = ()
        self._events_due = 0.0

    def workload(self) -> dict[str, Any]:
        """Return the workload alone."""
        return self._client.get(self._path)

    def look(self, workload: Object | None = None) -> Snapshot:
        """Return the workload, its ReplicaSets, its pods and their events as they are now."""
        found = workload or self.workload()
        if not self._kind.has_rollout:
            return Snapshot(self._clock(), found, (), ())
        selector = selector_of(found)
        sets = tuple(self._replica_sets(found, selector))
        owners = {uid(each) for each in sets} if self._kind == DEPLOYMENT else {uid(found)}
        listed = self._list("api/v1", "pods", selector)
        pods = tuple(islice((pod for pod in listed if owner_uid(pod) in owners), MOST_PODS))
        bare = Snapshot(self._clock(), found, sets, pods, nodes=self._nodes())
        self._read_events(bare)
        return bare._replace(events=self._events)

    def _nodes(self) -> dict[str, bool] | None:
        """Say of each node whether it is ready and takes pods; None where we may not look.

        Only a DaemonSet needs it, and a login for one namespace mostly has no right to it.
        """
        if self._kind != DAEMON_SET or not self._may_read_nodes:
            return None
        try:
            return {
                str(each["metadata"]["name"]): _is_open(each) for each in self._client.items(NODES)
            }
        except Refused as error:
            if error.status not in (FORBIDDEN, NOT_FOUND):
                raise
            self._may_read_nodes = False
            return None

    def _replica_sets(self, workload: Object, selector: str) -> Iterator[Object]:
        if self._kind != DEPLOYMENT:
            return
        for each in self._list("apis/apps/v1", "replicasets", selector):
            if owner_uid(each) == uid(workload):
                yield each

    def revisions(self, workload: Object) -> list[Object]:
        """Return the ControllerRevisions of a StatefulSet or a DaemonSet."""
        listed = self._list("apis/apps/v1", "controllerrevisions", selector_of(workload))
        return [each for each in listed if owner_uid(each) == uid(workload)]

    def _list(self, api: str, plural: str, selector: str) -> Iterator[dict[str, Any]]:
        return self._client.items(path(api, self._namespace, plural), labelSelector=selector)

    def _read_events(self, snapshot: Snapshot) -> None:
        begun = self._clock()
        if begun < self._events_due:
            return
        sick = [pod for pod in snapshot.new_pods if not is_ready(pod) or _has_restarted(pod)]
        objects = (snapshot.workload, *sick[:MOST_PODS_WITH_EVENTS])
        self._events = tuple(event for each in objects for event in self._events_of(each))
        now = self._clock()
        if now - begun > LONGEST_WAY_SECONDS * len(objects):
            pause = min((now - begun) * PAUSE_FOR_EACH_SECOND, LONGEST_PAUSE_SECONDS)
            self._events_due = now + pause

    def _events_of(self, found: Object) -> Iterator[Object]:
        where = path("api/v1", self._namespace, "events")
        return self._client.items(where, fieldSelector=f"involvedObject.uid={uid(found)}")

    def log(self, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """Return the last lines of the log of a container."""
        text = self._client.text(
            path("api/v1", self._namespace, "pods", pod) + "/log",
            container=container,
            tailLines=str(lines),
            # The server cuts the end off, and we the beginning.
            limitBytes=str(LOG_BYTES),
            **({"previous": "true"} if previous else {}),
        )
        return text[-LOG_CHARACTERS:]

    def delete_pod(self, pod: Object) -> None:
        """Delete a pod, so that its controller makes a new one."""
        name = str(pod["metadata"]["name"])
        self._client.delete(path("api/v1", self._namespace, "pods", name), uid(pod))


def _is_open(node: Object) -> bool:
    is_closed = bool((node.get("spec") or {}).get("unschedulable"))
    return not is_closed and condition(node, "Ready").get("status") == "True"


def _has_restarted(pod: Object) -> bool:
    listed = (pod.get("status") or {}).get("containerStatuses") or ()
    return any(each.get("restartCount") for each in listed)


def selector_of(workload: Object) -> str:
    """Return the selector of a workload as a query has it."""
    selector = (workload.get("spec") or {}).get("selector") or {}
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    return ",".join((*parts, *_expressions(selector.get("matchExpressions") or ())))


def _expressions(found: Iterable[Object]) -> Iterator[str]:
    forms = {"In": "{key} in ({values})", "NotIn": "{key} notin ({values})",
             "Exists": "{key}", "DoesNotExist": "!{key}"}  # fmt: skip
    for each in found:
        form = forms[str(each.get("operator"))]
        yield form.format(key=each.get("key"), values=",".join(each.get("values") or ()))

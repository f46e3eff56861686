"""What happens in a cluster while a step watches it: a clock, controllers, and what a test adds.

Time goes on only when the step sleeps. Then each Deployment and StatefulSet does what its
controller would do within a second: pods of a new template come up as their image lets them, one
after the other, and old ones go when the new ones are ready.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from kube_api import KubeApi, Object

HASH, REVISION = "pod-template-hash", "controller-revision-hash"
NOT_FOUND = "rpc error: code = NotFound desc = failed to resolve image: {}: not found"


def runs(_: int, __: str) -> Object:
    return {"state": {"running": {}}, "ready": True, "restartCount": 0}


def is_not_found(age: int, image: str) -> Object:
    waiting = {"reason": "ErrImagePull", "message": NOT_FOUND.format(image)}
    if not age:
        waiting = {"reason": "ContainerCreating"}
    return {"state": {"waiting": waiting}, "ready": False, "restartCount": 0}


def crashes(age: int, _: str) -> Object:
    ended = {"terminated": {"exitCode": 3, "reason": "Error"}}
    return {
        "state": ended, "lastState": ended if age else {}, "ready": False, "restartCount": age,
    }  # fmt: skip


def starts_slowly(age: int, _: str) -> Object:
    return {"state": {"running": {}}, "ready": age > 20, "restartCount": 0}


class World:
    """Moves on when the step sleeps.

    `then` are acts of a test, by the second in which they come; `once` are those that come when
    their condition holds. `images` says how a container of an image does; by itself it runs and is
    ready.
    """

    def __init__(self, api: KubeApi) -> None:
        self.api = api
        self.now = 1000.0
        # Seconds of the clock for each that the step sleeps.
        self.pace = 1.0
        self.images: dict[str, Callable[[int, str], Object]] = {}
        self.then: dict[int, Callable[[], object]] = {}
        self.once: list[tuple[Callable[[], object], Callable[[], object]]] = []
        self._seconds, self._slept = 0, 0.0
        self._ages: dict[str, int] = {}
        self._made = 0
        # By the uid of a workload: the hashes of its templates, that of now last.
        self._hashes: dict[str, list[str]] = {}

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds * self.pace
        self._slept += seconds
        while self._seconds + 1 <= self._slept:
            self._seconds += 1
            self._second()

    def _second(self) -> None:
        act = self.then.pop(self._seconds, None)
        if act:
            act()
        for condition, come in tuple(self.once):
            if condition():
                self.once.remove((condition, come))
                come()
        self.settle()

    def settle(self, times: int = 1) -> None:
        """Let the controllers act."""
        for _ in range(times):
            for each in self.api.of_kind("Deployment"):
                self._deployment(each)
            for each in self.api.of_kind("StatefulSet"):
                self._stateful_set(each)

    def pods(self) -> list[str]:
        """Return the images that run, in order of the names of the pods."""
        found = sorted(self.api.of_kind("Pod"), key=lambda each: each["metadata"]["name"])
        return [each["spec"]["containers"][0]["image"] for each in found]

    def _deployment(self, owner: Object) -> None:
        template, name = owner["spec"]["template"], owner["metadata"]["name"]
        label = _hash(template)
        sets = [each for each in self.api.of_kind("ReplicaSet") if _owns(owner, each)]
        new = next((each for each in sets if _label(each, HASH) == label), None)
        if new is None and not owner["spec"].get("paused"):
            self._made += 1
            new = self._make("ReplicaSet", f"{name}-{label}", owner, template, {HASH: label})
            new["metadata"]["creationTimestamp"] = f"2026-11-30T12:00:{self._made:02}Z"
            sets.append(new)
        if new:
            self._number(new, owner, label)
        wanted = owner["spec"]["replicas"]
        if new:
            for number in range(wanted):
                pod = f"{new['metadata']['name']}-{number}"
                self._run(pod, new, template, {HASH: label})
            if all(_is_ready(each) for each in self._of(new)):
                for each in sets:
                    self._stop(each if each is not new else None)
        counts = {each["metadata"]["name"]: len(self._of(each)) for each in sets}
        for each in sets:
            ready = sum(map(_is_ready, self._of(each)))
            self._status("ReplicaSet", each, replicas=ready, readyReplicas=ready)
        ready = sum(_is_ready(pod) for each in sets for pod in self._of(each))
        updated = len(self._of(new)) if new else 0
        self._status(
            "Deployment", owner, replicas=sum(counts.values()), updatedReplicas=updated,
            readyReplicas=ready, availableReplicas=ready,
        )  # fmt: skip

    def _stateful_set(self, owner: Object) -> None:
        """Replace pods from the last one on; one that is not ready stops this, as in a real one."""
        template, name = owner["spec"]["template"], owner["metadata"]["name"]
        label = f"{name}-{_hash(template)}"
        revision = self._make("ControllerRevision", label, owner, template, {REVISION: label})
        revision["data"] = {"spec": {"template": {**template, "$patch": "replace"}}}
        self._number(revision, owner, label)
        wanted = owner["spec"]["replicas"]
        there = {each["metadata"]["name"]: each for each in self._of(owner)}
        for each in there.values():
            self._run(each["metadata"]["name"], owner, {}, {})
        if all(map(_is_ready, self._of(owner))):
            names = [f"{name}-{number}" for number in reversed(range(wanted))]
            old = [n for n in names if n in there and _label(there[n], REVISION) != label]
            if old:
                self.api.remove("Pod", old[0])
        for number in range(wanted):
            if f"{name}-{number}" not in {e["metadata"]["name"] for e in self._of(owner)}:
                self._run(f"{name}-{number}", owner, template, {REVISION: label})
                break
        pods = self._of(owner)
        ready = sum(map(_is_ready, pods))
        updated = sum(_label(each, REVISION) == label for each in pods)
        self._status(
            "StatefulSet", owner, replicas=len(pods), updatedReplicas=updated, readyReplicas=ready,
            availableReplicas=ready, updateRevision=label,
        )  # fmt: skip

    def _number(self, new: Object, owner: Object, label: str) -> None:
        """Give a revision its number, which is the highest again when its template comes back."""
        hashes = self._hashes.setdefault(owner["metadata"]["uid"], [])
        if hashes[-1:] != [label]:
            hashes.append(label)
        if new["kind"] == "ControllerRevision":
            new["revision"] = len(hashes)
            return
        name, notes = (
            new["metadata"]["name"],
            {"deployment.kubernetes.io/revision": str(len(hashes))},
        )
        if self.api.get("ReplicaSet", name)["metadata"].get("annotations") != notes:
            self.api.edit("ReplicaSet", name, lambda it: it["metadata"].update(annotations=notes))

    def _of(self, owner: Object) -> list[Object]:
        return [each for each in self.api.of_kind("Pod") if _owns(owner, each)]

    def _make(
        self, kind: str, name: str, owner: Object, template: Object, labels: dict[str, str]
    ) -> Object:
        labels = {**template["metadata"]["labels"], **labels}
        owners = [{"uid": owner["metadata"]["uid"], "controller": True}]
        meta = {"name": name, "labels": labels, "ownerReferences": owners}
        made: Object = {"kind": kind, "metadata": meta, "spec": {"replicas": 1}}
        if kind == "ReplicaSet":
            pods = {**template, "metadata": {**template["metadata"], "labels": labels}}
            made["spec"]["template"] = pods
        return self.api.put(made)

    def _run(self, name: str, owner: Object, template: Object, labels: dict[str, str]) -> None:
        """Make a pod, or let it go on for a second."""
        there = [each for each in self._of(owner) if each["metadata"]["name"] == name]
        if not there:
            there = [self._make("Pod", name, owner, template, labels)]
            there[0]["spec"] = {**template["spec"], "nodeName": "n1"}
        pod, uid = there[0], there[0]["metadata"]["uid"]
        age = self._ages[uid] = self._ages.get(uid, -1) + 1
        statuses = [
            {"name": each["name"], **self.images.get(each["image"], runs)(age, each["image"])}
            for each in pod["spec"]["containers"]
        ]
        ready = all(each["ready"] for each in statuses)
        condition = {"type": "Ready", "status": str(ready)}
        status = {"phase": "Running", "containerStatuses": statuses, "conditions": [condition]}
        self.api.put({**pod, "status": status})

    def _stop(self, owner: Object | None) -> None:
        for each in self._of(owner) if owner else ():
            self.api.remove("Pod", each["metadata"]["name"])

    def _status(self, kind: str, owner: Object, **counts: Any) -> None:
        now = self.api.get(kind, owner["metadata"]["name"])
        seen = now["metadata"]["generation"]
        # A controller that has nothing to tell writes nothing.
        new = {**(now.get("status") or {}), "observedGeneration": seen, **counts}
        if new != now.get("status"):
            self.api.edit(kind, now["metadata"]["name"], lambda it: it.update(status=new))


def _hash(template: Object) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:8]


def _label(found: Object, label: str) -> str:
    return str((found["metadata"].get("labels") or {}).get(label))


def _owns(owner: Object, found: Object) -> bool:
    owners = found["metadata"].get("ownerReferences") or [{}]
    return bool(owners[0].get("uid") == owner["metadata"]["uid"])


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or [{}]
    return bool(conditions[0].get("status") == "True")

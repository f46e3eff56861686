"""What one look at a workload has seen, and which of its pods are of its template of now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ship.kube.kinds import KINDS
from ship.kube.templates import HASH
from ship.runner.named_tuple import NamedTuple

# An object of the API, as JSON.
Object = Mapping[str, Any]
DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CRON_JOB = (each.name for each in KINDS)
# The label of pods that says which revision they are of.
REVISION_HASH = "controller-revision-hash"

_GENERATION = "pod-template-generation"
# The server writes it, and raises it whenever the template changes.
_GENERATION_NOW = "deprecated.daemonset.template.generation"


class Snapshot(NamedTuple):
    """What one look has seen.

    `at` is of a monotonic clock, in seconds. `replica_sets` are those that the Deployment owns,
    `pods` those of the workload, for a Deployment through its ReplicaSets. `events` are of v1, of
    all of these, and may be absent. `nodes` says of each node whether it is ready and takes pods;
    None where nodes may not be read.
    """

    at: float
    workload: Object
    replica_sets: tuple[Object, ...]
    pods: tuple[Object, ...]
    events: tuple[Object, ...] = ()
    nodes: Mapping[str, bool] | None = None

    @property
    def kind(self) -> str:
        return str(self.workload.get("kind", ""))

    @property
    def template(self) -> Object:
        """The template of the pods that the workload has now."""
        spec = self.workload.get("spec", {})
        if self.kind == CRON_JOB:
            spec = spec.get("jobTemplate", {}).get("spec", {})
        found: Object = spec.get("template", {})
        return found

    @property
    def new_replica_set(self) -> Object | None:
        """The ReplicaSet of the template of now, as the controller chooses it: the oldest."""
        wanted = _comparable(self.template)
        same = [
            each for each in self.replica_sets if _comparable(each["spec"]["template"]) == wanted
        ]
        return min(same, key=_age, default=None)

    @property
    def new_pods(self) -> tuple[Object, ...]:
        """The pods of the template that the workload has now."""
        new = self._new
        return tuple(pod for pod in self.pods if uid(pod) in new)

    @property
    def old_pods(self) -> tuple[Object, ...]:
        """The pods of all other templates."""
        new = self._new
        return tuple(pod for pod in self.pods if uid(pod) not in new)

    @property
    def _new(self) -> set[str]:
        if self.kind == DEPLOYMENT:
            owner = self.new_replica_set
            return {uid(pod) for pod in self.pods if owner and owner_uid(pod) == uid(owner)}
        if self.kind == STATEFUL_SET:
            # Until the controller has seen the change, its revision is the one before.
            status = self.workload.get("status") or {}
            now = status.get("updateRevision") if is_observed(self) else None
            return {uid(pod) for pod in self.pods if now and _label(pod, REVISION_HASH) == now}
        return self._new_of_daemon_set() if self.kind == DAEMON_SET else set()

    def _new_of_daemon_set(self) -> set[str]:
        """Return the pods of the generation of now, and those of the same revision.

        After a rollback to a template of before, its pods stay, with the number of before.
        """
        annotations = self.workload["metadata"].get("annotations") or {}
        now = annotations.get(_GENERATION_NOW)
        sure = [pod for pod in self.pods if now and _label(pod, _GENERATION) == now]
        if not sure:
            images = _images(self.template["spec"])
            sure = [pod for pod in self.pods if _images(pod["spec"]) == images]
        revisions = {_label(pod, REVISION_HASH) for pod in sure} - {""}
        known = {uid(pod) for pod in sure}
        return known | {uid(pod) for pod in self.pods if _label(pod, REVISION_HASH) in revisions}


def is_observed(snapshot: Snapshot) -> bool:
    """Return whether the controller has seen the workload as it is now."""
    if snapshot.kind == CRON_JOB:  # whose status does not say
        return True
    observed = int((snapshot.workload.get("status") or {}).get("observedGeneration") or 0)
    return observed >= int(snapshot.workload["metadata"].get("generation") or 0)


def uid(found: Object) -> str:
    return str(found["metadata"]["uid"])


def name(found: Object) -> str:
    return str(found["metadata"]["name"])


def owner_uid(found: Object) -> str:
    """Return the uid of the controller that owns an object; empty where none does."""
    owners = found["metadata"].get("ownerReferences") or ()
    return next((str(each["uid"]) for each in owners if each.get("controller")), "")


def condition(found: Object, of_type: str) -> Object:
    """Return a condition of an object; empty where it has none of this type."""
    listed = (found.get("status") or {}).get("conditions") or ()
    return next((each for each in listed if each.get("type") == of_type), {})


def _label(found: Object, label: str) -> str:
    return str((found["metadata"].get("labels") or {}).get(label, ""))


def _age(found: Object) -> tuple[str, str]:
    return str(found["metadata"].get("creationTimestamp", "")), name(found)


def _comparable(template: Object) -> Object:
    """Return a template without the label that the controller adds to it."""
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    annotations = metadata.get("annotations") or {}
    return {"labels": labels, "annotations": annotations, "spec": template.get("spec")}


def _images(spec: Object) -> dict[str, str]:
    return {each["name"]: each.get("image", "") for each in spec.get("containers") or ()}

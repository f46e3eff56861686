"""Objects of a cluster, as small as a rollout needs them: for the tests of the judge."""

from __future__ import annotations

from typing import Any

from ship.kube.snapshot import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Snapshot

Json = dict[str, Any]

KINDS = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)
GOOD, BAD = "ghcr.io/acme/app:ok", "ghcr.io/acme/app:nope"
OURS = {"app": BAD}
NEW, OLD = "7d9f", "5c4b"
# The labels by which the pods of a template are told apart.
_LABELS = {
    STATEFUL_SET: {
        NEW: {"controller-revision-hash": f"web-{NEW}"},
        OLD: {"controller-revision-hash": f"web-{OLD}"},
    },
    DAEMON_SET: {
        NEW: {"controller-revision-hash": NEW, "pod-template-generation": "2"},
        OLD: {"controller-revision-hash": OLD, "pod-template-generation": "1"},
    },
    DEPLOYMENT: {NEW: {"pod-template-hash": NEW}, OLD: {"pod-template-hash": OLD}},
}


def waiting(reason: str = "ContainerCreating", message: str = "") -> Json:
    return {"waiting": {"reason": reason, "message": message}}


def terminated(code: int, reason: str = "", message: str = "") -> Json:
    reason = reason or ("Error" if code else "Completed")
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


RUNNING: Json = {"running": {"startedAt": "2026-11-29T10:38:20Z"}}


def status(
    state: Json, *, name: str = "app", last: Json | None = None, restarts: int = 0, **more: Any
) -> Json:
    ready = bool("running" in state and more.pop("ready", True))
    return {
        "name": name, "state": state, "lastState": last or {}, "restartCount": restarts,
        "ready": ready, "started": "running" in state, **more,
    }  # fmt: skip


def condition(of_type: str, value: str, reason: str = "", message: str = "") -> Json:
    found = {"type": of_type, "status": value, "lastTransitionTime": "2026-11-29T10:38:20Z"}
    return {**found, **({"reason": reason} if reason else {}), "message": message}


def pod(
    name: str = "web-1",
    kind: str = DEPLOYMENT,
    *containers: Json,
    template: str = NEW,
    inits: tuple[Json, ...] = (),
    phase: str = "Running",
    **more: Any,
) -> Json:
    """Return a pod; without containers it has no node yet.

    `more` are conditions, reason and message of its status, `leaving`, and fields of its spec.
    """
    listed = containers
    ready = bool(listed) and all(each["ready"] for each in listed)
    conditions = more.pop("conditions", None)
    if conditions is None and listed:
        told = () if ready else ("ContainersNotReady",)
        conditions = [condition("Ready", str(ready), *told)]
    metadata: Json = {"name": name, "uid": f"uid-{name}", "labels": _LABELS[kind][template]}
    owner = f"rs-{template}" if kind == DEPLOYMENT else "workload"
    metadata["ownerReferences"] = [{"uid": owner, "controller": True}]
    if more.pop("leaving", False):
        metadata["deletionTimestamp"] = "2026-11-29T10:40:00Z"
    told_by_pod = {key: more.pop(key) for key in ("reason", "message") if key in more}
    specs = more.pop("specs", {})
    return {
        "metadata": metadata,
        "spec": {
            "containers": [
                {"name": each["name"], "image": BAD if template == NEW else GOOD}
                | specs.get(each["name"], {})
                for each in listed or ({"name": "app"},)
            ],
            "initContainers": [
                {"name": each["name"], "image": BAD} | specs.get(each["name"], {}) for each in inits
            ],
            "restartPolicy": "Always",
            **({"nodeName": "n1"} if listed or phase == "Failed" else {}),
            **more,
        },
        "status": {
            "phase": phase if listed or phase == "Failed" else "Pending",
            "conditions": conditions or [],
            "containerStatuses": list(listed),
            "initContainerStatuses": list(inits),
            **told_by_pod,
        },
    }


def ready_pod(name: str = "web-ok", kind: str = DEPLOYMENT, **more: Any) -> Json:
    return pod(name, kind, status(RUNNING), **more)


def event(
    of: str, reason: str, message: str = "", *, container: str = "", times: int = 1, **more: Any
) -> Json:
    """Return an event of an object, which is named by its uid."""
    at = more.pop("last", "2026-11-29T10:39:00Z")
    return {
        "metadata": {"name": f"{of}.{reason}", "uid": f"event-{of}-{reason}-{message[:40]}"},
        "involvedObject": {
            "uid": of,
            **({"fieldPath": f"spec.containers{{{container}}}"} if container else {}),
        },
        "reason": reason,
        "message": message,
        "count": times,
        "lastTimestamp": at,
        **more,
    }


def template(image: str = BAD, **more: Any) -> Json:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": image}], **more},
    }


def replica_set(of: str = NEW, *conditions: Json, image: str = "") -> Json:
    made = template(image or (BAD if of == NEW else GOOD))
    made["metadata"]["labels"]["pod-template-hash"] = of
    return {
        "metadata": {"name": f"web-{of}", "uid": f"rs-{of}", "creationTimestamp": of},
        "spec": {"template": made},
        "status": {"conditions": list(conditions)},
    }


def is_well(found: Json) -> bool:
    conditions = found["status"]["conditions"]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def workload(
    kind: str, pods: tuple[Json, ...], wanted: int, conditions: tuple[Json, ...] = (), **more: Any
) -> Json:
    """Return a workload with the status that its controller would give it for these pods."""
    alive = [
        each
        for each in pods
        if each["status"]["phase"] != "Failed" and "deletionTimestamp" not in each["metadata"]
    ]
    new = [each for each in alive if each["metadata"]["labels"] == _LABELS[kind][NEW]]
    well, total = sum(map(is_well, alive)), len(alive)
    by_kind: dict[str, Json] = {
        DEPLOYMENT: {
            "replicas": total, "updatedReplicas": len(new), "availableReplicas": well,
        },
        STATEFUL_SET: {
            "replicas": total, "updatedReplicas": len(new), "readyReplicas": well,
            "availableReplicas": well, "updateRevision": f"web-{NEW}",
        },
        DAEMON_SET: {
            "desiredNumberScheduled": wanted, "updatedNumberScheduled": len(new),
            "numberAvailable": well,
        },
    }  # fmt: skip
    generation, observed = more.pop("generation", 2), more.pop("observed", 2)
    changes = more.pop("status", {})
    return {
        "kind": kind,
        "metadata": {
            "name": "web", "uid": "workload", "generation": generation,
            "annotations": {"deprecated.daemonset.template.generation": "2"},
        },
        "spec": {
            **({} if kind == DAEMON_SET else {"replicas": wanted}),
            "template": more.pop("template", template()),
            **more,
        },
        "status": {
            "observedGeneration": observed, "conditions": list(conditions),
            **by_kind[kind], **changes,
        },
    }  # fmt: skip


def look(
    at: float,
    kind: str = DEPLOYMENT,
    *pods: Json,
    wanted: int = 1,
    events: tuple[Json, ...] = (),
    **more: Any,
) -> Snapshot:
    """Return what one look sees. `more` are of the snapshot (`nodes`) and of the workload."""
    nodes = more.pop("nodes", None)
    sets = more.pop("replica_sets", (replica_set(NEW), replica_set(OLD)))
    found = workload(kind, pods, wanted, **more)
    return Snapshot(at, found, sets if kind == DEPLOYMENT else (), pods, events, nodes)

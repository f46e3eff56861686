"""The way back: workloads get what ran before, and nothing of what others have set is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.kube.client import JSON_PATCH, Refused, Unanswered
from ship.kube.templates import all_containers, with_images
from ship.kubectl_set_image.apply import MAY_BE_MADE, TRIES
from ship.kubectl_set_image.patches import CAUSE, COMMIT
from ship.kubectl_set_image.revisions import LEFT, with_left

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.kube.client import Client
    from ship.kubectl_set_image.apply import Applied
    from ship.kubectl_set_image.plan import Change

    Object = Mapping[str, Any]


class Back:
    """Puts workloads back to what ran before."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def put(self, applied: Applied) -> Object | None:
        """Put a workload back; return it, or None when there is nothing to go back to.

        What another one has changed meanwhile stays: then only our images are put back, and
        nothing at all where they are not ours any more.
        """
        target = applied.change.target
        where = target.kind.path(self._namespace, target.name)
        error: Exception = Unanswered("")
        for _ in range(TRIES):
            now = self._client.get(where)
            template = self._template(now, applied)
            if template is None:
                return None
            if target.kind.template_of(now) == template:
                return now
            try:
                return self._client.patch(where, _back(now, template, applied.change), JSON_PATCH)
            except Refused as refused:
                if refused.status not in MAY_BE_MADE:
                    raise
                error = refused
            except Unanswered as lost:
                error = lost
        raise error

    def _template(self, now: Object, applied: Applied) -> Object | None:
        change = applied.change
        there = change.target.kind.template_of(now)
        if change.back is None:
            return None
        if there in (applied.template, change.back):
            return change.back
        images, taken = all_containers(there), applied.images
        if any(images.get(name) not in (ours, taken[name]) for name, ours in change.images.items()):
            return None
        back = with_images(there, {k: v for k, v in change.previous.items() if v})
        return None if back == there else back


def _back(now: Object, template: Object, change: Change) -> list[dict[str, Any]]:
    """Return the JSON patch. It fails when the workload has changed since `now`."""
    # Another version than the last one has its own cause, which its ReplicaSet keeps.
    is_last = template == change.found.live
    old = {**change.found.annotations, **({} if is_last else {CAUSE: None})}
    if change.target.kind.has_rollout:
        bad = [change.target.kind.template_of(now), *([] if is_last else [change.found.live])]
        old[LEFT] = with_left(change.found.annotations, *bad)
    noted = now["metadata"].get("annotations") or {}
    version = now["metadata"]["resourceVersion"]
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/" + "/".join(change.target.kind.template), "value": template},
        *(_annotation(key, old.get(key)) for key in (CAUSE, COMMIT, LEFT)
          if noted and (key in noted or old.get(key) is not None)),
    ]  # fmt: skip


def _annotation(key: str, old: str | None) -> dict[str, Any]:
    where = "/metadata/annotations/" + key.replace("~", "~0").replace("/", "~1")
    if old is None:
        return {"op": "remove", "path": where}
    return {"op": "add", "path": where, "value": old}

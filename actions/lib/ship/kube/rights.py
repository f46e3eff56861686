"""The rights that a step needs in a namespace: those of the Role in docs/kubectl-set-image.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube.kinds import CRON_JOB, DAEMON_SET, DEPLOYMENT, STATEFUL_SET
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ship.kube.client import Client
    from ship.kube.kinds import Kind

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class Right(NamedTuple):
    """A verb on a resource; `why` ends the sentence "it needs it …".

    With a `name` it is needed for this object alone: a Role may be limited to it.
    """

    verb: str
    group: str
    resource: str
    why: str
    subresource: str = ""
    name: str = ""

    def __str__(self) -> str:
        part = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.resource}{part}"


def needed(workloads: Iterable[tuple[Kind, str]], *, secrets: bool) -> list[Right]:
    """Return the rights that updates of these workloads need, each with its kind and name.

    With `secrets` such are written too.
    """
    found = dict.fromkeys(right for kind, name in workloads for right in _for(kind, name))
    if secrets:
        for verb in ("create", "patch"):
            found[Right(verb, "", "secrets", "to write the Secrets of the step")] = None
    return list(found)


def _for(kind: Kind, name: str) -> Iterator[Right]:
    yield Right("get", kind.group, kind.plural, "to see what runs", name=name)
    yield Right("patch", kind.group, kind.plural, "to set the image", name=name)
    if kind == CRON_JOB:
        return
    yield Right("list", "", "pods", "to watch the new pods")
    yield Right("list", "", "events", "to name the cause of a failure")
    yield Right("get", "", "pods", "to show the log of a pod that fails", "log")
    if kind == DEPLOYMENT:
        yield Right("list", "apps", "replicasets", "to tell new pods from old ones")
    if kind in (STATEFUL_SET, DAEMON_SET):
        yield Right("list", "apps", "controllerrevisions", "to go back to what ran before")
    if kind == STATEFUL_SET:
        yield Right("delete", "", "pods", "to replace a pod that is stuck in a bad version")


def missing(client: Client, namespace: str, rights: Iterable[Right]) -> list[Right]:
    """Ask the API server for each right; return those that we do not have."""
    return [right for right in rights if not _is_allowed(client, namespace, right)]


def _is_allowed(client: Client, namespace: str, right: Right) -> bool:
    attributes = {
        "namespace": namespace,
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "subresource": right.subresource,
        "name": right.name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    status = client.create(REVIEWS, review).get("status") or {}
    return bool(status.get("allowed"))

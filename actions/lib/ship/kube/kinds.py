"""The kinds of workloads, their names and where the API has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ship.runner.errors import near_match
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(NamedTuple):
    """A kind of workload: its names, its group, and the path of its pod template in the object.

    `aliases` are the short names that kubectl takes (https://kubernetes.io/docs/reference/kubectl/).
    """

    name: str
    plural: str
    group: str
    aliases: tuple[str, ...]
    template: tuple[str, ...] = ("spec", "template")

    @property
    def word(self) -> str:
        """The kind as it is written before a name: deployment/web."""
        return self.name.lower()

    @property
    def has_rollout(self) -> bool:
        """Whether pods are replaced when the template changes."""
        return self.name != "CronJob"

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of an object, or of all objects of the kind in a namespace."""
        return path(f"apis/{self.group}/v1", namespace, self.plural, name)

    def template_of(self, workload: Mapping[str, Any]) -> dict[str, Any]:
        """Return the pod template of a workload."""
        found: Any = workload
        for key in self.template:
            found = found[key]
        return dict(found)


DEPLOYMENT = Kind("Deployment", "deployments", "apps", ("deploy",))
STATEFUL_SET = Kind("StatefulSet", "statefulsets", "apps", ("sts",))
DAEMON_SET = Kind("DaemonSet", "daemonsets", "apps", ("ds",))
CRON_JOB = Kind(
    "CronJob", "cronjobs", "batch", ("cj",), ("spec", "jobTemplate", "spec", "template")
)
KINDS = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CRON_JOB)
# What a person may write, without the words of the kinds above; and why it is refused.
REFUSED = {
    "job": "the template of a Job cannot be changed after it was created; name its CronJob, or "
    "give the Job a new name in the manifests of `apply`",
    "pod": "a pod is not rolled out; name the workload that owns it",
    "replicaset": "its Deployment would set the image back; name the Deployment",
    "replicationcontroller": "it does not replace its pods; use a Deployment",
}
_SHORT = {"po": "pod", "rs": "replicaset", "rc": "replicationcontroller"}


def kind_of(word: str) -> Kind | None:
    """Return the kind that a word means: deployment, deployments, deploy or deployments.apps."""
    plain = word.lower().partition(".")[0]
    return next((kind for kind in KINDS if plain in (kind.word, kind.plural, *kind.aliases)), None)


def why_not(word: str) -> str:
    """Return why a word is not a kind that can be updated, with the next act."""
    plain = word.lower().partition(".")[0]
    plain = _SHORT.get(plain, plain)
    for name, why in REFUSED.items():
        if plain in (name, f"{name}s"):
            return why
    return near_match(plain, [kind.word for kind in KINDS])


def path(api: str, namespace: str, plural: str, name: str = "") -> str:
    """Return the path of objects in the API, such as /api/v1/namespaces/shop/pods."""
    end = f"/{quote(name, safe='')}" if name else ""
    return f"/{api}/namespaces/{quote(namespace, safe='')}/{plural}{end}"

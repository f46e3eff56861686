"""What the cluster says before anything is changed."""

from __future__ import annotations

import contextlib
import time
from calendar import timegm
from typing import TYPE_CHECKING, Any

from ship.kube.client import FORBIDDEN, NOT_FOUND, Refused
from ship.kube.kinds import DEPLOYMENT
from ship.kube.observer import Observer
from ship.kube.pod import INIT, is_ready
from ship.kube.pod import containers as containers_of
from ship.kube.progress import progress_of
from ship.kube.rights import missing, needed
from ship.kube.snapshot import REVISION_HASH
from ship.kube.templates import fingerprint, without_hash
from ship.kubectl_set_image import manifests, revisions
from ship.kubectl_set_image.inputs import PREVIOUS
from ship.kubectl_set_image.workload_input import Target
from ship.runner.errors import Problem, UserError, near_match
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ship.kube.client import Client
    from ship.kube.rights import Right
    from ship.kube.snapshot import Snapshot
    from ship.kubectl_set_image.inputs import Inputs
    from ship.kubectl_set_image.manifests import Manifest
    from ship.kubectl_set_image.revisions import Revision

    Object = Mapping[str, Any]

# After so long a kubelet forgets that a container has crashed before.
CALM_SECONDS = 600
NOT_THERE = "a-workload-that-does-not-exist"
NO_REVISION = "no-earlier-revision"
RIGHTS = "a-right-that-is-missing-in-the-cluster"


class Found(NamedTuple):
    """A workload as it is: what was seen of it, and the pod template that really serves.

    Without `before` it does not exist yet; then it is in the manifests. `serving` is None where no
    pod is ready, so that nothing is known to be good. `previous` is what `rollback: previous` goes
    to.
    """

    target: Target
    before: Snapshot | None
    manifest: Manifest | None = None
    serving: Object | None = None
    is_healthy: bool = False
    previous: Revision | None = None

    @property
    def has_restarted(self) -> bool:
        """Whether some of its containers were restarted lately: they may do it again."""
        return not all(map(_is_calm, self.before.new_pods if self.before else ()))

    @property
    def workload(self) -> Object:
        """The workload as it is; empty when it does not exist yet."""
        return self.before.workload if self.before else {}

    @property
    def live(self) -> Object:
        """The pod template that it has; empty when it does not exist yet."""
        return self.target.kind.template_of(self.before.workload) if self.before else {}

    @property
    def template(self) -> Object:
        """The pod template that images are set in: that of the manifest goes first."""
        return self.target.kind.template_of(self.manifest.object) if self.manifest else self.live

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations that the workload has."""
        return (self.workload.get("metadata") or {}).get("annotations") or {}


class Facts(NamedTuple):
    """All that is known before anything is changed."""

    namespace: str
    found: tuple[Found, ...]
    objects: tuple[Object, ...] = ()


class Asker:
    """Asks the cluster for the facts. Raises UserError with all that is wrong."""

    def __init__(self, client: Client, inputs: Inputs, namespace: str) -> None:
        self._client = client
        self._inputs = inputs
        self._namespace = namespace
        self._problems: list[Problem] = []

    def facts(self, objects: Sequence[Object]) -> Facts:
        """Return the facts; `objects` are the manifests."""
        in_manifests = manifests.workloads(objects)
        by_name = {str(each): each for each in in_manifests}
        targets = self._inputs.targets or tuple(
            Target(each.kind, each.name) for each in in_manifests
        )
        # Workloads that are applied are watched as well, whether they are named or not.
        named = {str(each) for each in targets}
        others = (each for each in in_manifests if str(each) not in named)
        targets = (*targets, *(Target(each.kind, each.name) for each in others))
        try:
            found = [self._found(target, by_name.get(str(target))) for target in targets]
            # Of a workload that does not exist yet, nothing was looked at.
            looked = all(each is None or each.before for each in found)
            self._check_rights(found, unproven_only=looked)
        except Refused as error:
            if error.status != FORBIDDEN:
                raise
            self._check_all_rights(targets, error)
            raise
        for each in filter(None, found):
            self._check_deletion(each)
        if self._problems:
            raise UserError(*dict.fromkeys(self._problems))
        return Facts(self._namespace, tuple(filter(None, found)), tuple(objects))

    def _problem(self, name: str, what: str, hint: str, anchor: str) -> None:
        self._problems.append(Problem(f"input `{name}`", what, hint, anchor))

    def _found(self, target: Target, manifest: Manifest | None) -> Found | None:
        observer = Observer(self._client, target.kind, self._namespace, target.name)
        try:
            workload = observer.workload()
        except Refused as error:
            if error.status != NOT_FOUND:
                raise
            if manifest:
                return Found(target, None, manifest)
            self._not_there(target)
            return None
        before = observer.look(workload)
        found = _found(target, before, manifest, observer)
        if self._inputs.rollback == PREVIOUS:
            return found._replace(previous=self._previous(found, before, observer))
        return found

    def _previous(self, found: Found, before: Snapshot, observer: Observer) -> Revision | None:
        """Return the revision to go back to. Notes that there is none."""
        if not found.target.kind.has_rollout:
            self._no_revision(found.target, f"a {found.target.kind.name} keeps no revisions")
            return None
        left = revisions.left_ones(found.annotations)
        known = list(_revisions(before, observer))
        chosen = revisions.previous(found.live, found.serving, left, known)
        if not chosen:
            others = len({fingerprint(each.template) for each in known} - {fingerprint(found.live)})
            why = "it has no other revision than the current one"
            if others:
                why = f"its earlier revisions ({others}) were put back or left by a rollback before"
            self._no_revision(found.target, why)
        return chosen

    def _no_revision(self, target: Target, why: str) -> None:
        what = f"there is no version of {target} to go back to: {why}"
        hint = "name the digest of the image instead of `previous`, or deploy the commit again"
        self._problem("rollback", what, hint, NO_REVISION)

    def _check_deletion(self, found: Found) -> None:
        """Note a workload that is being deleted: its controller makes no pods for it any more."""
        since = (found.workload.get("metadata") or {}).get("deletionTimestamp")
        if since:
            what = f"{found.target} in namespace {self._namespace!r} is being deleted since {since}"
            hint = "wait until it is gone and create it again, or look what deletes it"
            self._problem("workload", what, hint, NOT_THERE)

    def _not_there(self, target: Target) -> None:
        names: list[str] = []
        with contextlib.suppress(Refused):
            listed = self._client.items(target.kind.path(self._namespace))
            names = [str(each["metadata"]["name"]) for each in listed]
        what = f"there is no {target} in namespace {self._namespace!r}"
        hint = (
            near_match(target.name, names)
            if names
            else f"no {target.kind.word} is there, or we may not list them: check `namespace`, "
            "and create the workload first, for example with `apply`"
        )
        self._problem("workload", what, hint, NOT_THERE)

    def _check_rights(self, found: Sequence[Found | None], *, unproven_only: bool) -> None:
        """Note the rights that we lack, of those that were not shown by using them."""
        there = [(each.target.kind, each.target.name) for each in found if each]
        rights = needed(there, secrets=bool(self._inputs.all_secrets))
        asked = [each for each in rights if not (unproven_only and _is_shown(each))]
        for right in missing(self._client, self._namespace, asked):
            self._lacks(str(right), right.why)

    def _check_all_rights(self, targets: Sequence[Target], error: Refused) -> None:
        """Raise UserError with all rights that are missing, after one request was forbidden."""
        asked = [(each.kind, each.name) for each in targets]
        rights = needed(asked, secrets=bool(self._inputs.all_secrets))
        with contextlib.suppress(Refused):
            lacking = missing(self._client, self._namespace, rights)
            for right in lacking:
                self._lacks(str(right), right.why, has_none=len(lacking) == len(rights))
        if not self._problems:
            self._lacks(error.message, "")
        raise UserError(*dict.fromkeys(self._problems)) from None

    def _lacks(self, right: str, why: str, *, has_none: bool = False) -> None:
        what = f"the login of the kubeconfig may not {right} in namespace {self._namespace!r}"
        hint = "bind the Role of docs/kubectl-set-image.md to it"
        if has_none:
            hint = f"it has no right there: check `namespace` and `context`, or {hint}"
        reason = f", which the step needs {why}" if why else ""
        self._problem("kubeconfig", f"{what}{reason}", hint, RIGHTS)


def _is_shown(right: Right) -> bool:
    """Say whether each look at a workload uses a right, so that it need not be asked for."""
    reads = right.verb in ("get", "list") and not right.subresource
    return reads and right.resource != "controllerrevisions"


def _found(
    target: Target, before: Snapshot, manifest: Manifest | None, observer: Observer
) -> Found:
    if not target.kind.has_rollout:
        template = target.kind.template_of(before.workload)
        return Found(target, before, manifest, template, is_healthy=True)
    is_healthy = progress_of(before).is_done
    serving = _serving(target, before, observer, is_healthy=is_healthy)
    return Found(target, before, manifest, serving, is_healthy)


def _serving(
    target: Target, before: Snapshot, observer: Observer, *, is_healthy: bool
) -> Object | None:
    """Return the pod template of the pods that are ready: what really runs.

    After a release that failed and was left in place, it is not the one that the workload has.
    """
    template = target.kind.template_of(before.workload)
    ready = [pod for pod in before.new_pods if is_ready(pod)]
    if is_healthy or any(map(_has_never_ended, ready)):
        return template
    # A pod without a readiness probe is ready each time before it crashes.
    return _older(target, before, observer) or (template if ready else None)


def _has_never_ended(pod: Object) -> bool:
    return not any(each.ends for each in containers_of(pod))


def _is_calm(pod: Object) -> bool:
    """Say whether no container has been restarted lately.

    One that crashes again and again runs between, without a readiness probe as if all were well.
    """
    restarted = [each for each in containers_of(pod) if each.ends and each.role != INIT]
    return all(_age(each.runs_since) > CALM_SECONDS for each in restarted)


def _age(moment: str) -> float:
    """Return for how many seconds a moment is over; 0 for none."""
    try:
        return time.time() - timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return 0


def _older(target: Target, before: Snapshot, observer: Observer) -> Object | None:
    """Return the template of most of the old pods that are ready."""
    if target.kind == DEPLOYMENT:
        return _of_replica_sets(before)
    ready = [pod for pod in before.old_pods if is_ready(pod)]
    hashes = [str((pod["metadata"].get("labels") or {}).get(REVISION_HASH)) for pod in ready]
    if not hashes:
        return None
    return _of_revisions(max(hashes, key=hashes.count), observer.revisions(before.workload))


def _of_replica_sets(before: Snapshot) -> Object | None:
    def ready(each: Object) -> int:
        return int((each.get("status") or {}).get("readyReplicas") or 0)

    older = [each for each in before.replica_sets if each is not before.new_replica_set]
    best = max(older, key=ready, default=None)
    return without_hash(best["spec"]["template"]) if best and ready(best) else None


def _of_revisions(wanted: str, found: Sequence[Object]) -> Object | None:
    """Return the template in the revision with a hash; its name ends with that of its pods."""
    for each in found:
        meta = each.get("metadata") or {}
        name, label = str(meta.get("name")), (meta.get("labels") or {}).get(REVISION_HASH)
        if wanted in (name, label) or name.endswith(f"-{wanted}"):
            return revisions.template_of(each)
    return None


def _revisions(before: Snapshot, observer: Observer) -> Iterator[Revision]:
    if before.kind == DEPLOYMENT.name:
        return revisions.of_replica_sets(before.replica_sets)
    return revisions.of_controller_revisions(observer.revisions(before.workload))

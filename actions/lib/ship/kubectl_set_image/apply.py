"""Changing the cluster: Secrets, manifests, and a patch for each workload, all or nothing."""

from __future__ import annotations

import contextlib
import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from ship.kube.client import (
    APPLY,
    CONFLICT,
    JSON_PATCH,
    STRATEGIC,
    TRANSIENT,
    Refused,
    Unanswered,
)
from ship.kube.kinds import path
from ship.kube.templates import all_containers, with_images
from ship.kubectl_set_image import conflicts, ownership
from ship.kubectl_set_image.manifests import apply_command
from ship.kubectl_set_image.patches import COMMIT
from ship.kubectl_set_image.revisions import LEFT, without_left
from ship.runner.commit import Commit
from ship.runner.errors import StepFailed, UserError
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ship.kube.client import Client
    from ship.kubectl_set_image.inputs import Inputs
    from ship.kubectl_set_image.plan import Change, Plan
    from ship.kubectl_set_image.secret_input import ClusterSecret
    from ship.runner.process import Runner

    Object = Mapping[str, Any]

# Status updates of controllers move the version of an object without changing what we look at. In
# a rollout of many pods there may be ten in a second, and a server far away needs a part of one.
TRIES = 20
# After such a refusal the change may be in: another one of ours was faster, or the server was too
# slow to tell. So it is looked after.
MAY_BE_MADE = (CONFLICT, *TRANSIENT)
LATE_SECONDS = 1.0
FORCE = {"force": "true", "fieldValidation": "Strict"}
ANCHOR = "the-cluster-does-not-accept-the-change"


class Applied(NamedTuple):
    """A workload that was changed, as it was right after that."""

    change: Change
    after: Object

    @property
    def template(self) -> Object:
        return self.change.target.kind.template_of(self.after)

    @property
    def images(self) -> Mapping[str, str]:
        """Our images as the workload has them: a webhook may set those of a mirror instead."""
        there = all_containers(self.template)
        return {name: there.get(name, image) for name, image in self.change.images.items()}


class Cluster(NamedTuple):
    """The ways to change a cluster, and how a person is told of it."""

    client: Client
    runner: Runner
    options: tuple[str, ...]
    server: str
    namespace: str
    tell: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep


class Apply:
    """Carries out a plan.

    Which workloads it has changed is in `applied`, after an error once it is settled.
    """

    def __init__(self, what: Plan, inputs: Inputs, cluster: Cluster) -> None:
        self.plan = what
        self._inputs = inputs
        self._cluster = cluster
        self._tell = cluster.tell
        self._forces = inputs.force_conflicts
        self.applied: list[Applied] = []
        # What is sent, and nobody has seen yet what became of it.
        self._open: list[Change] = []

    def rehearse(self) -> None:
        """Ask the server whether it accepts every change. Raises UserError."""
        refused = [
            *(
                self._refusal(f"secret/{each.name}", partial(self._write, each))
                for each in self._inputs.all_secrets
            ),
            *(
                self._refusal(str(each.target), partial(self._send, each, each.patch))
                for each in self.plan.changes
                if each.patch
            ),
        ]
        if self.plan.objects:
            self._apply_manifests(dry_run=True)
        problems = [conflicts.refused(each, ANCHOR) for each in refused if each]
        if problems:
            raise UserError(*problems)

    def _refusal(self, name: str, send: Callable[..., object]) -> str:
        """Return why the server would refuse a change; nothing when it accepts it."""
        try:
            send(dryRun="All")
        except Refused as error:
            # A conflict of versions is decided when it is sent.
            is_new = conflicts.is_new_namespace(error.message, self.plan.objects)
            return "" if error.status == CONFLICT or is_new else f"{name}: {error.message}"
        return ""

    def run(self) -> None:
        """Change everything. When a workload cannot be changed, those before are put back."""
        self._make_namespace()
        for secret in self._inputs.all_secrets:
            self._write(secret)
            self._tell(f"secret/{secret.name} was written")
        if self.plan.objects:
            for change in self.plan.changes:
                if change.is_applied and change.found.before:
                    self._hand_over(change)
            self._apply_manifests(dry_run=False)
        for change in self.plan.changes:
            if change.patch:
                # A cancel may come at any time: what is sent is looked after.
                self._open = [change]
                self.applied.append(Applied(change, self._sent(change)))
                self._open = []
                self._tell(f"{change.target} was changed")
        for each in self.applied:
            for name, image in each.images.items():
                if image != each.change.images[name]:
                    self._tell(f"{each.change.target}: the cluster has made it {name}={image}")

    def _make_namespace(self) -> None:
        """Apply the namespaces of the manifests first: the Secrets of the step go into one."""
        spaces = [each for each in self.plan.objects if each.get("kind") == "Namespace"]
        if spaces and self._inputs.all_secrets:
            done = self._kubectl_apply(spaces, dry_run=False, force=self._forces)
            if done.code:
                raise conflicts.not_applied(done.stderr, dry_run=False)

    def settle(self) -> None:
        """Look what became of that which was sent before an error or a cancel.

        A request that we have left may still be on its way, so there is a second look.
        """
        self._look_after_open_ones()
        if self._open:
            self._cluster.sleep(LATE_SECONDS)
            self._look_after_open_ones()
        self._open = []

    def note_commits(self) -> None:
        """Note the commit at workloads that had its images already.

        Otherwise an older run that was slow would replace them: for that the note is there. Nothing
        is lost when somebody else is faster.
        """
        for change in self.plan.changes:
            commit = change.annotations.get(COMMIT)
            known = not commit or change.found.annotations.get(COMMIT) == commit
            if change.patch or change.is_applied or known:
                continue
            with contextlib.suppress(Refused, Unanswered):
                now = self._now(change)
                if not _has_moved(now, change):
                    version = now["metadata"]["resourceVersion"]
                    metadata = {"resourceVersion": version, "annotations": {COMMIT: commit}}
                    self._send(change, {"metadata": metadata})

    def forget_left(self, healthy: Collection[str]) -> None:
        """Take what is healthy now out of the note of versions that no rollback goes to.

        It may have failed before, as when its registry did not answer. Nothing is lost when
        somebody else is faster.
        """
        for each in self.applied:
            now = each.after["metadata"].get("annotations") or {}
            left = without_left(now, each.template)
            if str(each.change.target) not in healthy or left == (now.get(LEFT) or ""):
                continue
            with contextlib.suppress(Refused, Unanswered):
                self._send(each.change, {"metadata": {"annotations": {LEFT: left or None}}})

    def _look_after_open_ones(self) -> None:
        self._open = [each for each in self._open if not self._is_settled(each)]

    def _is_settled(self, change: Change) -> bool:
        """Note a change that was made; say whether that is known."""
        if any(each.change is change for each in self.applied):
            return True
        try:
            now: Object = self._now(change)
        except Refused:
            return True
        except Unanswered:
            # Nobody knows: so it is tried to put it back, which says what it finds.
            now = change.found.workload or change.as_written
        else:
            if not _is_changed(now, change):
                return False
        self.applied.append(Applied(change, now))
        return True

    def _sent(self, change: Change) -> Object:
        try:
            return self._patch(change)
        except (Refused, StepFailed):
            # It is known that it was not made.
            self._open = []
            raise

    def _write(self, secret: ClusterSecret, **query: str) -> None:
        where = path("api/v1", self._cluster.namespace, "secrets", secret.name)
        body = json.loads(secret.body().reveal())
        query = {**FORCE, **query}
        self._cluster.client.patch(where, body, APPLY, is_safe=True, query=query)

    def _apply_manifests(self, *, dry_run: bool) -> None:
        self._open = [] if dry_run else [each for each in self.plan.changes if each.is_applied]
        done = self._kubectl_apply(self.plan.objects, dry_run=dry_run, force=self._forces)
        if done.code and conflicts.are_ours(done.stderr):
            # What our own rollback has set before is no field of somebody else.
            self._forces = True
            done = self._kubectl_apply(self.plan.objects, dry_run=dry_run, force=True)
        if done.code and dry_run and conflicts.is_new_namespace(done.stderr, self.plan.objects):
            self._tell("the namespace is new, so the cluster cannot be asked before")
            return
        if done.code:
            raise conflicts.not_applied(done.stderr, dry_run=dry_run)
        if not dry_run:
            for line in done.stdout.splitlines():
                self._tell(line)
            self._look_after_open_ones()
            self._open = []

    def _hand_over(self, change: Change) -> None:
        """Let the manifests take away what a rollback of ours has put back.

        Where the server refuses this, the fields stay, which fails no deploy.
        """
        now = change.found.workload
        with contextlib.suppress(Refused, Unanswered):
            for _ in range(TRIES):
                patch = ownership.handed_over(now)
                if not patch:
                    return
                try:
                    self._cluster.client.patch(self._path(change), patch, JSON_PATCH)
                except Refused as error:
                    if error.status != CONFLICT:
                        raise
                else:
                    return
                now = self._now(change)

    def _kubectl_apply(self, objects: Sequence[Object], *, dry_run: bool, force: bool) -> Any:
        cluster = self._cluster
        command = apply_command(
            objects, cluster.namespace, cluster.options, force=force, dry_run=dry_run
        )
        return cluster.runner.run(command)

    def _is_of_an_older_run(self, now: Object, change: Change) -> bool:
        """Say whether a run for an older commit was faster by moments, and has set images only."""
        there = Commit.parse((now["metadata"].get("annotations") or {}).get(COMMIT) or "")
        ours, template = self._inputs.commit, change.target.kind.template_of(now)
        is_older = there is not None and ours is not None and there.is_before(ours)
        return is_older and with_images(template, change.images) == change.template

    def _now(self, change: Change) -> Object:
        return self._cluster.client.get(self._path(change))

    def _path(self, change: Change) -> str:
        return change.target.kind.path(self._cluster.namespace, change.target.name)

    def _send(self, change: Change, body: Object, **query: str) -> Object:
        query = {"fieldValidation": "Strict", **query}
        return self._cluster.client.patch(self._path(change), body, STRATEGIC, query=query)

    def _patch(self, change: Change) -> Object:
        """Send a patch until it is known to be in. Raises StepFailed when somebody was faster."""
        body = change.patch
        said: Refused | None = None
        for _ in range(TRIES):
            try:
                return self._send(change, body)
            except Refused as error:
                if error.status not in MAY_BE_MADE:
                    raise
                said = error
            except Unanswered:
                self._tell(f"{change.target}: the answer was lost; looking whether it was changed")
            now = self._now(change)
            if _is_ours(now, change):
                return now
            if _has_moved(now, change) and not self._is_of_an_older_run(now, change):
                raise conflicts.moved(change, now)
            version = now["metadata"]["resourceVersion"]
            body = {**body, "metadata": {**body["metadata"], "resourceVersion": version}}
        if said and said.status != CONFLICT:
            raise said
        raise StepFailed.of(
            f"{change.target} changes all the time: {TRIES} tries to set the image were too late",
            hint="look which controller writes it, with `kubectl get --show-managed-fields`",
            anchor=conflicts.MOVED,
        )


def _is_changed(now: Object, change: Change) -> bool:
    """Say whether a workload is as we have changed it; notes and labels alone are no change.

    They raise the generation of a Deployment as well, so it does not tell.
    """
    if change.patch:
        return _is_ours(now, change)
    return bool(now.get("spec") != change.found.workload.get("spec"))


def _is_ours(now: Object, change: Change) -> bool:
    """Say whether a workload has all that our patch says, which tells a restart as well."""
    metadata = {k: v for k, v in change.patch["metadata"].items() if k != "resourceVersion"}
    return _has(now, {**change.patch, "metadata": metadata})


def _has(there: Any, wanted: Any) -> bool:
    """Say whether an object has all fields of another one; lists go by the names in them."""
    if isinstance(wanted, dict):
        fields = {key: value for key, value in wanted.items() if key != "$patch"}
        return isinstance(there, dict) and all(_has(there.get(k), v) for k, v in fields.items())
    if there == wanted or not isinstance(wanted, list):
        return bool(there == wanted)
    by_name = {each.get("name"): each for each in there or () if isinstance(each, dict)}
    return all(isinstance(each, dict) and _has(by_name.get(each.get("name")), each)
               for each in wanted)  # fmt: skip


def _has_moved(now: Object, change: Change) -> bool:
    found = change.found
    noted = (now["metadata"].get("annotations") or {}).get(COMMIT)
    same = noted == found.annotations.get(COMMIT)
    return not same or found.target.kind.template_of(now) != found.live

"""The inputs of the step, checked and complete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ship.kube.kubeconfig import Kubeconfig, read_kubeconfig
from ship.kubectl_set_image.rollback_input import (
    PREVIOUS,
    read_rollback,
    read_rollback_images,
)
from ship.kubectl_set_image.secret_input import ClusterSecret, read_pull_secret, read_secrets
from ship.kubectl_set_image.workload_input import NAME, Images, Target, read_images, read_targets
from ship.runner.commit import Commit, commit_of
from ship.runner.named_tuple import NamedTuple
from ship.runner.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.command import Secret
    from ship.runner.context import Context

__all__ = ["INPUTS", "PREVIOUS", "Inputs", "Limits", "read_inputs"]

INPUTS = (
    "workload", "image", "namespace", "kubeconfig", "context", "apply", "force-conflicts",
    "secret", "pull-secret", "registry-username", "registry-password", "timeout",
    "progress-timeout", "stability", "restarts", "on-failure", "rollback-timeout",
    "restart-on-no-change", "no-pods", "older-commit", "rollback", "dry-run",
)  # fmt: skip
LONGEST_SECONDS = 6 * 3600
PAGES = {"": "inputs-of-kubectl-set-image"}


class Limits(NamedTuple):
    """How long things may take, in seconds; no `progress` means what the workload says."""

    total: int
    progress: int | None
    stability: int
    rollback: int
    # How often a new container may restart.
    restarts: int


class Inputs(NamedTuple):
    """The inputs of the step, checked and complete."""

    targets: tuple[Target, ...]
    images: Images
    namespace: str
    kubeconfig: Kubeconfig
    context: str
    manifests: tuple[str, ...]
    force_conflicts: bool
    secrets: tuple[ClusterSecret, ...]
    pull_secret: ClusterSecret | None
    limits: Limits
    rolls_back: bool
    restarts: bool
    allows_no_pods: bool
    commit: Commit | None
    may_be_older: bool
    dry_run: bool
    # What a person wants back: `previous`, a digest, or nothing.
    rollback: str = ""

    @property
    def all_secrets(self) -> tuple[ClusterSecret, ...]:
        """The Secrets that the step writes."""
        return (*self.secrets, *((self.pull_secret,) if self.pull_secret else ()))

    def hidden(self) -> tuple[Secret, ...]:
        """Return what must not be shown.

        The values of `secret` are not among them: GitHub masks those that come from secrets, and
        the log may need the plain ones, such as a 1.
        """
        return self.pull_secret.hidden if self.pull_secret else ()


def read_inputs(env: Mapping[str, str], context: Context) -> Inputs:
    """Read and check the inputs; raises UserError with everything that is wrong."""
    read = Reader(env, PAGES)
    manifests = _manifests(read, context.workspace)
    targets = read_targets(read)
    if not targets and not read.text("apply") and not read.problems:
        hint = "write KIND/NAME, such as deployment/web, or name manifests in `apply`"
        read.required("workload", hint)
    rollback = read_rollback(read)
    images = _images(read, rollback, targets)
    named = [image for target in targets for image in target.images.values()]
    inputs = Inputs(
        targets=targets,
        images=images,
        namespace=_namespace(read),
        kubeconfig=read_kubeconfig(read, context.workspace),
        context=read.text("context"),
        manifests=manifests,
        force_conflicts=read.flag("force-conflicts"),
        secrets=read_secrets(read, env),
        pull_secret=read_pull_secret(read, (*images.all, *named), context.actor),
        limits=_limits(read),
        rolls_back=read.choice("on-failure", ("rollback", "keep")) == "rollback",
        restarts=read.flag("restart-on-no-change"),
        allows_no_pods=read.choice("no-pods", ("fail", "allow")) == "allow",
        # What a rollback brings is not the commit of the run.
        commit=None if rollback else commit_of(context),
        may_be_older=read.choice("older-commit", ("refuse", "deploy")) == "deploy",
        dry_run=read.flag("dry-run"),
        rollback=rollback,
    )
    _refuse_twice(read, inputs)
    read.done()
    return inputs


def _images(read: Reader, rollback: str, targets: tuple[Target, ...]) -> Images:
    if rollback:
        return read_rollback_images(read, rollback, targets)
    is_complete = bool(targets) and all(each.images for each in targets)
    return read_images(read, is_required=not is_complete)


def _limits(read: Reader) -> Limits:
    progress = read.text("progress-timeout")
    limits = Limits(
        total=read.number("timeout", 10, LONGEST_SECONDS, 900),
        progress=read.number("progress-timeout", 5, LONGEST_SECONDS, 600) if progress else None,
        stability=read.number("stability", 0, 3600, 10),
        rollback=read.number("rollback-timeout", 10, LONGEST_SECONDS, 300),
        restarts=read.number("restarts", 0, 100, 1),
    )
    if limits.stability >= limits.total:
        what = f"{limits.stability} s do not fit into a `timeout` of {limits.total} s"
        read.problem("stability", what, "give the rollout more time, or look at it for less")
    return limits


def _namespace(read: Reader) -> str:
    name = read.text("namespace")
    hint = "use small letters, digits and dashes"
    return read.matching("namespace", NAME, "the name of a namespace", name, hint=hint)


def _manifests(read: Reader, workspace: str) -> tuple[str, ...]:
    """Return the paths of files and folders with manifests. Notes what does not exist."""
    found = []
    for number, line in read.numbered_lines("apply"):
        path = os.path.normpath(os.path.join(workspace, line))
        if not os.path.exists(path):
            hint = "the path is relative to the workspace: check that actions/checkout runs before"
            if "*" in line:
                hint = "name the folder: patterns are not read"
            read.problem("apply", f"line {number}: there is no file or folder {line!r}", hint)
        found.append(path)
    return tuple(found)


def _refuse_twice(read: Reader, inputs: Inputs) -> None:
    """Note a Secret that is named twice: the second would overwrite the first."""
    names = [each.name for each in inputs.all_secrets]
    if inputs.pull_secret and names.count(inputs.pull_secret.name) > 1:
        what = f"{inputs.pull_secret.name!r} is also in `secret`"
        read.problem("pull-secret", what, "give the two Secrets different names")

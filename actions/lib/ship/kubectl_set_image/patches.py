"""What is written to a workload: the patch of its template, and the annotations; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.kube.templates import RESTARTED, containers, init_containers, pull_secrets
from ship.kubectl_set_image.revisions import LEFT, with_left

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.kubectl_set_image.facts import Found
    from ship.kubectl_set_image.inputs import Inputs
    from ship.runner.context import Context

    Object = Mapping[str, Any]

CAUSE = "kubernetes.io/change-cause"
COMMIT = "io.github.gen-workflow/commit"


def annotations_of(images: Mapping[str, str], inputs: Inputs, context: Context) -> dict[str, str]:
    """Return why the workload changes, for `kubectl rollout history`, and for which commit."""
    listed = ", ".join(dict.fromkeys(images.values()))
    parts = (listed, context.sha[:12], context.run_url)
    if inputs.rollback:
        # The image is that of another commit than the run.
        parts = ("rollback to", listed, context.run_url)
    found = {CAUSE: " ".join(filter(None, parts))}
    return {**found, COMMIT: str(inputs.commit)} if inputs.commit else found


def patch_of(
    found: Found, template: Object, annotations: Mapping[str, str], *, is_rollback: bool
) -> Object:
    """Return a strategic merge patch. It fails when the workload has changed since we looked.

    A rollback brings no commit that a later run could be older than, and leaves a version that no
    other rollback goes to.
    """
    noted: dict[str, str | None] = {**annotations}
    if is_rollback:
        noted |= {COMMIT: None, LEFT: with_left(found.annotations, found.live)}
    place: dict[str, Any] = {}
    for key in reversed(found.target.kind.template):
        place = {key: place or template}
    version = found.workload["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version, "annotations": noted}, **place}


def part_of(template: Object, images: Mapping[str, str], secret: str, restarted: str) -> Object:
    """Return what changes in a template: images, the Secret to pull with, the time of a restart.

    Containers are merged by their names, which must be right: a wrong one would add a container.
    """
    spec: dict[str, Any] = {}
    kinds = {"containers": containers(template), "initContainers": init_containers(template)}
    for key, names in kinds.items():
        listed = [{"name": n, "image": i} for n, i in images.items() if n in names]
        if listed:
            spec[key] = listed
    if secret and secret not in pull_secrets(template):
        spec["imagePullSecrets"] = [{"name": secret}]
    if not restarted:
        return {"spec": spec}
    return {"spec": spec, "metadata": {"annotations": {RESTARTED: restarted}}}

"""The jobs that build the images: for each one that pushes it, and the check of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan.frame import CONTENTS
from gen_workflow.plan.inputs import lines, said
from gen_workflow.workflow.records import Job, Permission, Step

if TYPE_CHECKING:
    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.image import Image

_MINUTES = 60
# A pull request, and what a merge queue is about to merge, bring code that is not in a branch yet.
PUSHED = "github.event_name != 'pull_request'"
CHECKED = "github.event_name == 'pull_request'"
_PUSHED_WITH_QUEUE = f"{PUSHED} && github.event_name != 'merge_group'"
_CHECKED_WITH_QUEUE = f"{CHECKED} || github.event_name == 'merge_group'"


def job_of(image: Image) -> str:
    """Return the id of the job that pushes an image."""
    return f"build-{image.key}" if image.key else "build"


def jobs(spec: Spec, frame: Frame, needs: tuple[str, ...] = ()) -> list[Job]:
    """Return two jobs for each image, of which a run has one; they have the same steps."""
    queued = spec.on.merge_queue or spec.mode.central  # a repository that calls it may have a queue
    found = []
    for image in spec.built:
        pushed = _pushed(image, frame, needs)
        if not (spec.on.pull_request or queued):
            pushed = pushed._replace(anchor="")  # no other job has its steps
        found.append(pushed._replace(condition=_PUSHED_WITH_QUEUE) if queued else pushed)
        if spec.on.pull_request or queued:
            checked = _checked(image, pushed)
            found.append(checked._replace(condition=_CHECKED_WITH_QUEUE) if queued else checked)
    return found


def _pushed(image: Image, frame: Frame, needs: tuple[str, ...]) -> Job:
    return Job(
        id=job_of(image),
        name=f"Build and push {image.key or 'the image'}",
        origin=f"images/{image.key}" if image.key else "image",
        needs=needs,
        condition=PUSHED,
        runs_on=frame.runner,
        timeout_minutes=_MINUTES,
        permissions=(CONTENTS, Permission("packages", "write", "push the image to ghcr.io")),
        outputs=(("image", "${{ steps.push.outputs.image }}"),),
        anchor=job_of(image),
        steps=(frame.checkout(), _build(image, frame)),
    )


def _checked(image: Image, pushed: Job) -> Job:
    return pushed._replace(
        id=f"check-{image.key}" if image.key else "check",
        name=f"Build {image.key or 'the image'}",
        condition=CHECKED,
        permissions=(CONTENTS, Permission("packages", "read", "pull base images from ghcr.io")),
        outputs=(),
        anchor="",
        alias=pushed.anchor,
    )


def _build(image: Image, frame: Frame) -> Step:
    # The name that the action gives to one of several images ends with its key.
    folder = image.context if image.context != "." else ""
    several = f"{image.key}: {image.context}\n" if image.key and not image.name else ""
    inputs = said(
        ("image", image.name),
        ("images", several),
        ("context", "" if several else folder),
        ("file", image.dockerfile),
        ("target", image.target),
        ("build-args", lines(f"{arg.name}={arg.value}" for arg in image.args)),
        ("skip-unchanged", "true" if image.key else ""),
    )
    name = f"Build {image.key}" if image.key else "Build the image"
    return Step(name, uses=frame.own("build-push"), id="push", inputs=inputs)

"""The job that builds the image and pushes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan.inputs import lines, said
from gen_workflow.workflow.records import Job, Permission, Step

if TYPE_CHECKING:
    from gen_workflow.spec.declaration import Image
    from gen_workflow.workflow.records import Pin

_MINUTES = 60


def job(image: Image, checkout: Pin, ours: Pin) -> Job:
    """Return the job."""
    return Job(
        id="build",
        name="Build the image",
        timeout_minutes=_MINUTES,
        permissions=(
            Permission("contents", "read", "check the repository out"),
            Permission("packages", "write", "push the image to ghcr.io"),
        ),
        outputs=(("image", "${{ steps.push.outputs.image }}"),),
        steps=(_checkout(checkout), _build(image, ours)),
    )


def _checkout(pin: Pin) -> Step:
    return Step("Check out the repository", pin.uses(), inputs=(("persist-credentials", False),))


def _build(image: Image, ours: Pin) -> Step:
    inputs = said(
        ("image", image.name),
        ("context", image.context if image.context != "." else ""),
        ("file", image.dockerfile),
        ("target", image.target),
        ("build-args", lines(f"{arg.name}={arg.value}" for arg in image.args)),
    )
    return Step("Build and push", ours.uses("actions/build-push"), id="push", inputs=inputs)

"""The jobs that build the image: one pushes it, the other is the check of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan.inputs import lines, said
from gen_workflow.workflow.records import Job, Permission, Step

if TYPE_CHECKING:
    from gen_workflow.spec.declaration import Image
    from gen_workflow.workflow.records import Pin

_MINUTES = 60


CONTENTS = Permission("contents", "read", "check the repository out")
# A pull request brings code that nobody has reviewed.
_OF_A_PULL_REQUEST = "github.event_name == 'pull_request'"
_OF_ANY_OTHER = "github.event_name != 'pull_request'"


def jobs(image: Image, pin: Pin, ours: Pin) -> list[Job]:
    """Return the jobs, of which a run has one; they have the same steps.

    `pin` is that of actions/checkout.
    """
    build = Job(
        id="build",
        name="Build and push the image",
        condition=_OF_ANY_OTHER,
        timeout_minutes=_MINUTES,
        permissions=(CONTENTS, Permission("packages", "write", "push the image to ghcr.io")),
        outputs=(("image", "${{ steps.push.outputs.image }}"),),
        anchor="build",
        steps=(checkout(pin), _build(image, ours)),
    )
    check = Job(
        id="check",
        name="Build the image",
        condition=_OF_A_PULL_REQUEST,
        timeout_minutes=_MINUTES,
        permissions=(CONTENTS, Permission("packages", "read", "pull base images from ghcr.io")),
        alias=build.anchor,
        steps=build.steps,
    )
    return [build, check]


def checkout(pin: Pin) -> Step:
    """Return the step that checks the repository out."""
    return Step("Check out the repository", pin.uses(), inputs=(("persist-credentials", False),))


def _build(image: Image, ours: Pin) -> Step:
    inputs = said(
        ("image", image.name),
        ("context", image.context if image.context != "." else ""),
        ("file", image.dockerfile),
        ("target", image.target),
        ("build-args", lines(f"{arg.name}={arg.value}" for arg in image.args)),
    )
    return Step("Build the image", ours.uses("actions/build-push"), id="push", inputs=inputs)

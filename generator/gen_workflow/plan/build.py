"""The jobs that build the images: for each one that pushes it, and the check of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan import registry, times
from gen_workflow.plan.frame import CONTENTS
from gen_workflow.plan.image import Build
from gen_workflow.plan.image import steps as image_steps
from gen_workflow.spec.expressions import EXPRESSION
from gen_workflow.workflow.records import Environment, Job, Permission, RawStep, Step

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
# Of a build that reads a secret: its rules say which branches may, and it can hold the secrets.
ENVIRONMENT = Environment("build", deployment=False)
_TO_PULL = Permission("packages", "read", "pull base images from ghcr.io")


def job_of(image: Image) -> str:
    """Return the id of the job that pushes an image."""
    return f"build-{image.key}" if image.key else "build"


def reads_a_secret(steps: tuple[Step | RawStep, ...]) -> bool:
    """Tell whether a step reads a secret; those that a user writes before a build cannot."""
    ours = (step for step in steps if isinstance(step, Step))
    values = [str(value) for step in ours for _, value in (*step.inputs, *step.env)]
    return any("secrets." in inside for text in values for inside in EXPRESSION.findall(text))


def environment_for(steps: tuple[Step | RawStep, ...]) -> Environment | None:
    """Return the environment of a job that deploys nothing: it has one when it reads a secret."""
    return ENVIRONMENT if reads_a_secret(steps) else None


def promotes(spec: Spec) -> bool:
    """Tell whether a run for a Git tag or a release may deploy what a branch's run has built."""
    return any(any(one.on._replace(branches=())) for one in spec.targets)


def jobs(spec: Spec, frame: Frame, needs: tuple[str, ...] = ()) -> list[Job]:
    """Return two jobs for each image, of which a run has one; they have the same steps."""
    queued = _is_queued(spec)
    found = []
    for image in spec.built:
        pushed = _pushed(spec, image, frame, needs)
        merge: list[Job] = []
        if image.runners:
            from gen_workflow.plan import platforms  # noqa: PLC0415 - few images have them

            pushed, merged = platforms.jobs(image, pushed)
            merge = [merged._replace(environment=environment_for(merged.steps))]
        if not (spec.on.pull_request or queued):
            pushed = pushed._replace(anchor="")  # no other job has its steps
        found.append(pushed)
        if spec.on.pull_request or queued:
            checked = _checked(image, pushed)
            condition = _CHECKED_WITH_QUEUE if queued else CHECKED
            found.append(checked._replace(condition=condition))
        found += merge
    return found


def _is_queued(spec: Spec) -> bool:
    """Tell whether there may be a merge queue: also in a repository that calls a central build."""
    return bool(spec.on.merge_queue or spec.mode.central)


def _pushed(spec: Spec, image: Image, frame: Frame, needs: tuple[str, ...]) -> Job:
    condition = _PUSHED_WITH_QUEUE if _is_queued(spec) else PUSHED
    access = registry.push(spec.registry, frame.pins)
    name = registry.name_of(image, spec.registry)
    build = Build(image, name, access.user, access.password, promotes(spec))
    # Only a job that pushes may log in to a cloud; the check has these steps as well.
    login = tuple(step._replace(condition=condition) for step in access.steps)
    # What the user runs is before the login, whose password it could read.
    built = image_steps(build, frame)
    steps: tuple[Step | RawStep, ...] = (frame.checkout(), *image.prepare, *login, *built)
    return Job(
        id=job_of(image),
        name=f"Build and push {image.key or 'the image'}",
        origin=f"images/{image.key}" if image.key else "image",
        needs=needs,
        condition=condition,
        runs_on=frame.runner,
        timeout_minutes=times.with_steps(_MINUTES, image.prepare),
        permissions=(CONTENTS, *access.permissions),
        outputs=(("image", "${{ steps.push.outputs.image }}"),),
        environment=environment_for(steps),
        anchor=job_of(image),
        steps=steps,
    )


def _checked(image: Image, pushed: Job) -> Job:
    of_the_job = any(one.scope == "packages" for one in pushed.permissions)
    return pushed._replace(
        id=f"check-{image.key}" if image.key else "check",
        name=pushed.name.replace("Build and push", "Build", 1),
        permissions=(CONTENTS, _TO_PULL) if of_the_job else (CONTENTS,),
        outputs=(),
        anchor="",
        alias=pushed.anchor,
    )

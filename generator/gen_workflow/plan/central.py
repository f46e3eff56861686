"""The build in a central workflow: the one that many repositories call, and the job that calls it.

Both are rendered from specs by this module, so they agree. What GitHub asks of the two:
docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan import build
from gen_workflow.plan.extended import extended
from gen_workflow.plan.frame import CONTENTS
from gen_workflow.plan.runners import placed
from gen_workflow.workflow.records import (
    Call,
    Input,
    Job,
    Permission,
    Step,
    Triggers,
    Uses,
    Workflow,
)

if TYPE_CHECKING:
    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.declaration import Spec

PATH = ".github/workflows/build.yml"
# The inputs of build-push that a repository may give to the central workflow. In a later version
# there may be more of them, and never fewer: GitHub starts no run that gives an unknown one.
INTERFACE = {
    "image": "Name of the image, without a tag; the default is that of the repository",
    "images": "Name of one of several images, and its folder",
    "context": "Folder that is sent to the build",
    "file": "Path of the Dockerfile",
    "target": "Stage of the Dockerfile",
    "build-args": "Build arguments, one NAME=value per line",
    "platforms": "Platforms to build for",
    "tags": "Tags to push, one rule per line",
    "skip-unchanged": "Whether to skip the build of an image that has not changed",
}
# Those of all jobs of the central workflow; the jobs themselves have fewer. GitHub compares them
# before the run, also for a job that will be skipped.
_PERMISSIONS = (CONTENTS, Permission("packages", "write", "push the image to ghcr.io"))


def workflow(spec: Spec, frame: Frame, before: tuple[Job, ...] = ()) -> Workflow:
    """Return the central workflow; `before` are the jobs that have to succeed before the build.

    It has no concurrency of its own: its jobs are a part of the run that calls it. That may be one
    of a merge queue or of a pull request, whatever this repository has.
    """
    spec = spec._replace(on=spec.on._replace(pull_request="true", merge_queue="true"))
    jobs = build.jobs(spec, frame, needs=tuple(job.id for job in before))
    (step,) = (one for one in jobs[0].steps if isinstance(one, Step) and one.id == "push")
    given = dict(step.inputs)
    inputs = tuple(
        Input(name, says, "string", default=str(given.get(name, "")))
        for name, says in INTERFACE.items()
    )
    passed = {**given, **{name: f"${{{{ inputs.{name} }}}}" for name in INTERFACE}}
    changed = step._replace(inputs=tuple(passed.items()))
    steps = tuple(changed if one is step else one for one in jobs[0].steps)
    output = ("image", f"${{{{ jobs.{jobs[0].id}.outputs.image }}}}")
    return Workflow(
        name="Build, for other workflows to call",
        on=Triggers(workflow_call=Call(inputs, (output,))),
        concurrency=None,
        jobs=(*before, *(job._replace(steps=steps) for job in jobs)),
        path=PATH,
    )


def kept_inline(spec: Spec, frame: Frame) -> list[str]:
    """Return what a build needs that no caller can give to a central workflow."""
    found = []
    jobs = build.jobs(spec, frame)
    if placed(jobs, "build", spec, frame) != jobs:
        found.append("a runner")
    if any(image.runners for image in spec.built):
        return [*found, "runners for its platforms"]
    for job in extended(jobs, spec.extend):
        for step in job.steps:
            if not isinstance(step, Step) or step.id != "push":
                found += [] if step == frame.checkout() else ["steps of its own (prepare, extend)"]
                continue
            found += [f"the input `{name}`" for name, _ in step.inputs if name not in INTERFACE]
            found += [f"the variable `{name}` of the step" for name, _ in step.env]
    return list(dict.fromkeys(found))


def calls(spec: Spec, frame: Frame, needs: tuple[str, ...] = ()) -> list[Job]:
    """Return for each image the job that calls the central workflow, pull requests included."""
    central = spec.mode.caller
    assert central  # noqa: S101 - who calls has asked
    found = []
    for job in build.jobs(spec, frame, needs):
        if job.alias:
            continue  # the check of a pull request is a job of the central workflow
        (inputs,) = (one.inputs for one in job.steps if isinstance(one, Step) and one.id == "push")
        call = Job(
            id=job.id,
            name=job.name.replace("Build and push", "Build", 1),
            origin=job.origin,
            needs=needs,
            permissions=_PERMISSIONS,
            runs_on="",
            uses=Uses(f"{central.name}@{central.sha}", central.version),
            inputs=inputs,
        )
        found.append(call)
    return found

"""The jobs of an image whose platforms are built on runners of their own, and then merged.

Each job of the matrix pushes the image for its platform by digest. GitHub combines the outputs of
the jobs of a matrix, so each sets the one of its platform:
docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/pass-job-outputs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan.inputs import lines
from gen_workflow.workflow.records import Step

if TYPE_CHECKING:
    from gen_workflow.spec.image import Image
    from gen_workflow.workflow.records import Job, RawStep

# To set the tags of what is in the registry already.
_MINUTES = 15
_PLATFORM = "${{ matrix.platform }}"


def jobs(image: Image, built: Job) -> tuple[Job, Job]:
    """Return the job that builds each platform, and the one that merges them.

    `built` is the job that would build all platforms; the second one takes its place and its id.
    """
    each = _each(image, built)
    return each, _merge(image, built, each.id)


def _each(image: Image, built: Job) -> Job:
    matrix = [
        {"platform": one, "runner": labels[0] if len(labels) == 1 else [*labels]}
        for one in image.platforms
        for labels in (image.runners[one],)
    ]
    return built._replace(
        id=built.id.replace("build", "platforms", 1),
        name=f"Build {image.key or 'the image'} for {_PLATFORM}",
        runs_on="${{ matrix.runner }}",
        outputs=tuple((_output(one), _of(one)) for one in image.platforms),
        anchor=built.anchor.replace("build", "platforms", 1),
        steps=tuple(map(_of_one_platform, built.steps)),
        more=(("strategy", {"matrix": {"include": matrix}}), *built.more),
    )


def _output(platform: str) -> str:
    return platform.replace("/", "-")


def _of(platform: str) -> str:
    """Return the image that a job of the matrix has pushed; nothing in those of other platforms."""
    return f"${{{{ matrix.platform == '{platform}' && steps.push.outputs.image || '' }}}}"


def _of_one_platform(step: Step | RawStep) -> Step | RawStep:
    if not isinstance(step, Step) or step.id != "push":
        return step
    inputs = {**dict(step.inputs), "platforms": _PLATFORM, "push-by-digest": True}
    return step._replace(inputs=tuple(inputs.items()))


def _merge(image: Image, built: Job, before: str) -> Job:
    *others, step = built.steps
    assert isinstance(step, Step)  # noqa: S101 - the build is the last one
    parts = lines(
        f"{one}=${{{{ needs.{before}.outputs.{_output(one)} }}}}" for one in image.platforms
    )
    # What generates sources is not run again.
    first = tuple(one for one in others if one not in image.prepare)
    kept = tuple((name, value) for name, value in step.inputs if name not in _OF_A_BUILD)
    name = f"Merge the platforms of {image.key or 'the image'}"
    merge = step._replace(name=name, inputs=(*kept, ("merge", parts)), env=())
    return built._replace(
        name=name,
        needs=(before,),
        timeout_minutes=_MINUTES,
        anchor="",
        steps=(*first, merge),
    )


# What the image of a platform has from its build, and the merge only takes over.
_OF_A_BUILD = (
    "target", "build-args", "build-contexts", "secrets", "secret-files", "ssh", "platforms",
    "salt", "max-age", "cache", "cache-from", "cache-to", "builder", "builder-image", "provenance",
    "sbom", "pull", "no-cache",
)  # fmt: skip

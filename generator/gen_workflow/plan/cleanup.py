"""The workflow that deletes old images from ghcr.io, and never a part of one that stays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.plan import needs, registry
from gen_workflow.plan.build import environment_for
from gen_workflow.plan.inputs import said
from gen_workflow.workflow.records import (
    Concurrency,
    Dispatch,
    Input,
    Job,
    Permission,
    Schedule,
    Step,
    Triggers,
    Workflow,
)

if TYPE_CHECKING:
    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.cleanup import Cleanup
    from gen_workflow.spec.declaration import Spec

PATH = ".github/workflows/cleanup.yml"
# It reads the manifests first, so that the images of an index, and what is attached to an image,
# go with it or stay with it.
CLEAN_UP = "dataaxiom/ghcr-cleanup-action"
_UNITS = {"d": "days", "w": "weeks"}
# A version such as 1.2.3 is a release, and the cache of the builds is no image.
_ALWAYS = ("latest", "*.*.*", "buildcache*")
_ALONE = Concurrency(
    "gen-workflow cleanup",
    cancel_in_progress=False,
    cancelled="two at once would disturb each other",
)
# A scheduled run may have no event that names the repository, and packages have small letters.
_NAME = "${{ steps.repository.outputs.name }}"
_FIND_NAME = Step(
    "Find the name of the repository",
    id="repository",
    run='name=${GITHUB_REPOSITORY#*/}\necho "name=${name,,}" >> "$GITHUB_OUTPUT"\n',
)
_TRY = Input(
    id="dry-run",
    description="Only list what would be deleted",
    type="boolean",
    default=True,
)


def workflow(spec: Spec, cleanup: Cleanup, frame: Frame) -> Workflow:
    """Return the workflow, which a schedule starts, or a person who wants to see what it does."""
    packages = _packages(spec)
    named = any(_NAME in package for one in packages.values() for package in one)
    steps = (
        *((_FIND_NAME,) if named else ()),
        *(_step(spec, cleanup, owner, ones, frame) for owner, ones in packages.items()),
    )
    job = Job(
        id="cleanup",
        name="Delete old images",
        origin="cleanup",
        runs_on=frame.runner,
        timeout_minutes=60,
        permissions=(Permission("packages", "write", "delete images of ghcr.io"),),
        environment=environment_for(steps),
        steps=steps,
    )
    return Workflow(
        name="Clean up",
        on=Triggers(schedule=(Schedule(cleanup.schedule),), workflow_dispatch=Dispatch((_TRY,))),
        concurrency=_ALONE,
        jobs=(job,),
        needs=needs.used(needs.of_the_registry(spec), (job,)),
        path=PATH,
    )


def _packages(spec: Spec) -> dict[str, tuple[str, ...]]:
    """Return the packages that the images are on ghcr.io, by their owner.

    Without an owner it is that of the repository.
    """
    found: dict[str, tuple[str, ...]] = {}
    for image in spec.built:
        name = registry.name_of(image, spec.registry).replace(registry.REPOSITORY, _NAME)
        default = f"{_NAME}/{image.key}" if image.key else _NAME
        _, owner, package = name.split("/", maxsplit=2) if name else ("", "", default)
        found[owner] = (*found.get(owner, ()), package)
    return found


def _step(
    spec: Spec, cleanup: Cleanup, owner: str, packages: tuple[str, ...], frame: Frame
) -> Step:
    number, unit = cleanup.older_than[:-1], _UNITS[cleanup.older_than[-1]]
    inputs = said(
        ("owner", owner),
        ("packages", ",".join(packages)),
        ("token", spec.registry.password),
        ("keep-n-tagged", int(cleanup.keep)),
        ("older-than", f"{number} {unit}"),
        ("delete-untagged", True),
        ("exclude-tags", ",".join((*_ALWAYS, *_of_branches(spec), *cleanup.keep_tags))),
        ("dry-run", "${{ inputs.dry-run || false }}"),
    )
    name = f"Delete old images of {owner}" if owner else "Delete old images"
    return Step(name, uses=frame.uses(CLEAN_UP), inputs=inputs)


def _of_branches(spec: Spec) -> tuple[str, ...]:
    """Return the tags that the images of the branches have, which may run somewhere."""
    branches = [*spec.branches, *(one for target in spec.targets for one in target.on.branches)]
    return tuple(dict.fromkeys(re.sub(r"[^A-Za-z0-9._-]+", "-", name) for name in branches))

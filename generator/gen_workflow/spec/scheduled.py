"""What a run that a schedule starts does not know: the name of the repository.

`github.event.repository` may be missing there, and no other expression has the name without the
owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.events import When
from gen_workflow.spec.host import SshDeploy
from gen_workflow.spec.registry import GHCR, HUB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.document import Reading
    from gen_workflow.spec.events import On
    from gen_workflow.spec.image import Image
    from gen_workflow.spec.sections import Fields


_WHY = "starts runs that may not know the name of the repository, which is in the name of"


def names_are_said(fields: Fields, reading: Reading) -> None:
    """Note a problem for each name that would be made of that of the repository.

    A rule of a spec that has a schedule.
    """
    where, one = fields.values["on"].below(["schedule"]), fields.read.get("image")
    images: tuple[Image, ...] = (one,) if one else fields.read.get("images") or ()
    nameless = tuple(image for image in images if not image.name)
    for what, hint in (*_of_images(fields, nameless), *_of_a_container(fields, nameless)):
        reading.problem(where, f"{_WHY} {what}", hint, Heading.MISSING_KEY)


def _of_images(fields: Fields, nameless: tuple[Image, ...]) -> Iterator[tuple[str, str]]:
    """Yield each image in another place than that of the repository on ghcr.io, and a hint."""
    registry = fields.read.get("registry")
    if registry is None or registry.host == GHCR:
        return
    for image in nameless:
        key = f"{'-' if registry.server == HUB else '/'}{image.key}" if image.key else ""
        said = f"{{name: {registry.host}/shop{key}}}"
        if image.key:
            yield f"the image {image.key!r}", f"say it: images: {{{image.key}: {said}}}"
        else:
            yield "the image", f"say it: image: {said}"


def _of_a_container(fields: Fields, nameless: tuple[Image, ...]) -> Iterator[tuple[str, str]]:
    """Yield the container of one of several images, when nothing names it, and a hint."""
    if fields.read.get("name"):
        return
    deploys = [(fields.read["on"], fields.read.get("deploy"))]
    deploys += [(one.on, one.deploy) for one in fields.read.get("environments") or ()]
    for on, deploy in deploys:
        if not (_is_of_a_branch(on) and isinstance(deploy, SshDeploy) and deploy.form == "run"):
            continue
        runs = [one.key for one in nameless if one.key and deploy.run.image in (one.key, "")]
        if runs:
            yield "the container", f"say it: name: shop-{runs[0]}"
            return


def _is_of_a_branch(on: On | When) -> bool:
    """Tell whether pushes to a branch are deployed; a schedule is for a branch as well."""
    others = (on.tags, on.release, on.pre_release, isinstance(on, When) and on.manual)
    return bool(on.branches) or not any(others)

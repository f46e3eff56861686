"""What lets a build take exactly the images that its content address names.

The builder may ask another registry than we do: a mirror, which may lag behind. A build context
that has the name of an image takes its place wherever the Dockerfile names it, however it is
spelled: https://docs.docker.com/reference/cli/docker/buildx/build/#build-context. A builder that
does not know such contexts fails, and does not ignore them (the capability `frontend.contexts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.build_push import dockerfile
from ship.images.reference import Reference
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE = "docker-image://"


class Pins(NamedTuple):
    """Build contexts and build arguments that name images by their digests."""

    contexts: Mapping[str, str] = {}
    build_args: Mapping[str, str] = {}


def image_of(context: str) -> str:
    """Return the image that a build context is, as written; nothing for any other context."""
    return context.removeprefix(IMAGE) if context.startswith(IMAGE) else ""


def pins(
    sources: dockerfile.Sources, contexts: Mapping[str, str], digests: Mapping[str, str]
) -> Pins:
    """Return what pins the images of a Dockerfile, and those that build contexts of the user are.

    `digests` has the digest of each image, as written. One that has its digest already stays so.
    """
    found = {dockerfile.familiar(each): _pinned(each, digests) for each in sources.bases}
    found |= {name: _pinned(image_of(it), digests) for name, it in contexts.items()}
    frontend = _pinned(sources.frontend, digests)
    return Pins(
        {name: IMAGE + image for name, image in found.items() if image},
        {dockerfile.SYNTAX: frontend} if frontend else {},
    )


def unpinned(sources: dockerfile.Sources) -> list[str]:
    """Return why an image of a Dockerfile cannot be pinned; mostly nothing."""
    found = [
        f"{name!r} is the name of an image and of a stage: rename the stage"
        for name in sources.bases
        # The build context would take the place of the stage.
        if dockerfile.familiar(name) in sources.stages
    ]
    if dockerfile.is_old_frontend(sources.frontend):
        what = f"the frontend {sources.frontend!r} cannot build on base images by digest"
        found.append(f"{what}: write `# syntax=docker/dockerfile:1`")
    return found


def _pinned(name: str, digests: Mapping[str, str]) -> str:
    image = Reference.parse(name)
    if not image or image.digest or not digests.get(name):
        return ""
    return str(image._replace(digest=digests[name]))

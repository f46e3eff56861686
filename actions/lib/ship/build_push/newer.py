"""Tags that a newer commit has: the run for it was faster, or this one was started again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.images.reference import Reference
from ship.images.tags import needs_published
from ship.runner.commit import LABEL, SHOWN_DIGITS, Commit
from ship.runner.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ship.build_push.inputs import Inputs
    from ship.images.registry.client import Client


def newer(want: Inputs, registry: Client, pushed: Collection[Reference]) -> dict[Reference, Commit]:
    """Return which moving tags a newer commit of the branch has, by their full names.

    Tags that follow from the versions in the registry are not looked at. Where a registry gives no
    answer, it is not known that a tag would move back: so it moves, as it did before.
    """
    ours = want.commit if want.compares else None
    found: dict[Reference, Commit] = {}
    try:
        for reference in _moving(want) if ours else ():
            if reference in pushed:
                continue
            theirs = Commit.parse(registry.labels(reference.name, reference.tag).get(LABEL, ""))
            if ours and theirs and ours.is_before(theirs):
                found[reference] = theirs
    except StepFailed:
        pass  # The others would have no answer either, and each would take its time.
    return found


def without(want: Inputs, kept: Mapping[Reference, Commit]) -> Inputs:
    """Return the inputs without the tags that stay.

    A tag that stays for one name stays for all, so that those of several images belong together.
    An image that has no other tag gets that of its commit: without any, nobody could pull it.
    """
    if not kept or not want.commit:
        return want
    tags = {reference.tag for reference in kept}
    instead = f"sha-{want.commit.sha[:SHOWN_DIGITS]}"
    return want._replace(
        images=tuple(
            image._replace(metadata=image.metadata.without(tags, instead)) for image in want.images
        )
    )


def _moving(want: Inputs) -> Iterator[Reference]:
    for image in want.images:
        if not needs_published(image.wanted, want.event):
            for name in image.metadata.names:
                yield from (Reference(name, tag) for tag in image.metadata.moving)

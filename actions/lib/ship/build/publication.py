"""Setting the tags, when all images are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ship import cancel
from ship.errors import Problem, ShipError, StepFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.build.report import Book
    from ship.reference import Name
    from ship.registry import Client, Manifest

LATEST = "latest"


class _Tag(NamedTuple):
    """A tag that is to be set: of which image, and what it then stands for."""

    key: str
    name: Name
    tag: str
    manifest: Manifest

    def __str__(self) -> str:
        return f"{self.name}:{self.tag}"


def publish(book: Book, registry: Client) -> None:
    """Set every tag that buildx has not set; raises ShipError that tells those that are missing.

    A run that is cancelled meanwhile goes on to the end of this, so that no tag is left behind.
    """
    waiting = _waiting(book, registry)
    with cancel.held_off():
        for number, each in enumerate(waiting):
            try:
                registry.put(each.name, each.tag, each.manifest)
            except ShipError as error:
                raise _not_all(error, waiting[number:]) from None
            book.pushed(each.key, str(each))


def _waiting(book: Book, registry: Client) -> list[_Tag]:
    found = []
    for outcome in book:
        for name in outcome.image.metadata.names:
            tags = [
                t for t in outcome.image.metadata.tag_names if f"{name}:{t}" not in outcome.pushed
            ]
            manifest = registry.manifest(name, outcome.digest) if tags else None
            if tags and not manifest:
                raise StepFailed.of(
                    f"{name}@{outcome.digest} is not in the registry any more",
                    hint="something removes images there, such as a clean-up: run the job again",
                )
            found += [_Tag(outcome.image.key, name, tag, manifest) for tag in tags if manifest]
    # It is what others pull, so it moves when all else is there.
    return sorted(found, key=lambda each: each.tag == LATEST)


def _not_all(error: ShipError, missing: Sequence[_Tag]) -> ShipError:
    listed = ", ".join(str(each) for each in missing)
    what = f"the image is in the registry; these tags were not set: {listed}"
    return StepFailed(*error.problems, Problem("", what, "run the job again"))

"""Setting the tags, when all images are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ship.runner import cancel
from ship.runner.errors import Problem, ShipError, StepFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.build_push.inputs import Inputs
    from ship.build_push.report import Book, Outcome
    from ship.images.reference import Name
    from ship.images.registry import Client, Manifest
    from ship.runner.context import Context

LATEST = "latest"


class _Tag(NamedTuple):
    """A tag that is to be set: of which image, and what it then stands for."""

    key: str
    name: Name
    tag: str
    manifest: Manifest

    def __str__(self) -> str:
        return f"{self.name}:{self.tag}"


class Publication:
    """Sets every tag that buildx has not set."""

    def __init__(self, want: Inputs, book: Book, registry: Client, context: Context) -> None:
        self._want = want
        self._book = book
        self._registry = registry
        self._context = context

    def run(self) -> None:
        """Set the tags; raises ShipError that tells those that are missing.

        A run that is cancelled meanwhile goes on to the end of this, so that no tag is left behind.
        """
        waiting = [tag for outcome in self._book for tag in self._of(outcome)]
        # It is what others pull, so it moves when all else is there.
        waiting.sort(key=lambda each: each.tag == LATEST)
        with cancel.held_off():
            for number, each in enumerate(waiting):
                try:
                    self._registry.put(each.name, each.tag, each.manifest)
                except ShipError as error:
                    raise self._not_all(error, waiting[number:]) from None
                self._book.pushed(each.key, str(each))

    def _of(self, outcome: Outcome) -> list[_Tag]:
        metadata = outcome.image.metadata
        found = []
        for name in metadata.names:
            tags = [tag for tag in metadata.tag_names if f"{name}:{tag}" not in outcome.pushed]
            if not tags and metadata.is_fixed:
                continue
            manifest = self._registry.manifest(name, outcome.digest)
            if not manifest:
                raise _gone(f"{name}@{outcome.digest}")
            if not _is_ours(outcome, manifest):
                # No output may name it, also not for a step that runs after a failure.
                self._book.set(outcome.image.key, digest="", pushed=())
                raise _taken(name)
            found += [_Tag(outcome.image.key, name, tag, manifest) for tag in tags]
        return found

    def _not_all(self, error: ShipError, missing: Sequence[_Tag]) -> ShipError:
        from ship.images.push_advice import advice  # noqa: PLC0415 - only for an error
        from ship.images.registry import Refused  # noqa: PLC0415

        listed = ", ".join(str(each) for each in missing)
        what = f"the image is in the registry; these tags were not set: {listed}"
        if isinstance(error, Refused):
            cause = advice(error.refusal, missing[0].name, self._want.login, self._context)
            return StepFailed(cause, Problem("", what))
        return StepFailed(*error.problems, Problem("", what, "run the job again"))


def _gone(reference: str) -> StepFailed:
    return StepFailed.of(
        f"{reference} is not in the registry any more",
        hint="something removes images there, such as a clean-up: run the job again",
    )


def _is_ours(outcome: Outcome, manifest: Manifest) -> bool:
    """Say whether it is what was built: Docker's builder pushes what the engine has by a name."""
    config = manifest.read().get("config")
    found = config.get("digest") if isinstance(config, dict) else None
    return not outcome.config or not found or outcome.config == found


def _taken(name: Name) -> StepFailed:
    return StepFailed.of(
        f"another run on this engine gave {name} its own image meanwhile",
        hint="run the job again; with a tag that stays, such as `type=sha`, they do not meet",
    )

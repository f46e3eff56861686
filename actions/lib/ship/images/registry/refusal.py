"""The refusals of registries. Apart from the client, whose HTTP is slow to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ship.runner.errors import StepFailed

if TYPE_CHECKING:
    from ship.images.reference import Name


class Refusal(NamedTuple):
    """Why a registry refuses: at which stage (`login` or `push`), status and its own words."""

    stage: str
    status: int
    message: str


class Refused(StepFailed):
    """A registry refuses, and asking again will not help."""

    refusal = Refusal("push", 0, "")

    @classmethod
    def because(cls, name: Name, refusal: Refusal) -> Refused:
        said = f"{refusal.status} {refusal.message}".strip()
        error = cls.of(f"{name.registry} refuses {name.path} ({said})")
        error.refusal = refusal
        return error


class CannotAsk(StepFailed):
    """The registry cannot be asked from here, though Docker's client may be able to."""

"""The refusals of registries. Apart from the client, whose HTTP is slow to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.errors import StepFailed
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ship.images.reference import Name


API, LOGIN, PUSH, SET_TAG = "api", "login", "push", "tag"
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class Refusal(NamedTuple):
    """Why a registry refuses: at which stage, with which status, in which words.

    The stage is API where it does not answer as a registry does, LOGIN, PUSH, or SET_TAG where all
    of the image is there and only a tag is refused.
    """

    stage: str
    status: int
    message: str
    code: str = ""

    @property
    def is_transient(self) -> bool:
        """Whether it can pass by itself."""
        return self.status in TRANSIENT

    @property
    def said(self) -> str:
        """The answer as it is shown."""
        return " ".join(filter(None, (str(self.status or ""), self.message or self.code)))


class Refused(StepFailed):
    """A registry refuses, and asking again will not help."""

    refusal = Refusal(PUSH, 0, "")
    name: Name

    @classmethod
    def because(cls, name: Name, refusal: Refusal) -> Refused:
        error = cls.of(f"{name.registry} refuses {name.path} ({refusal.said})")
        error.refusal, error.name = refusal, name
        return error


class Incomplete(StepFailed):
    """A registry that lists only a part of what it has."""

    @classmethod
    def of_list(cls, name: Name, why: str) -> Incomplete:
        return cls.of(f"{name.registry} lists only a part of the tags of {name.path}: {why}")


class CannotAsk(StepFailed):
    """The registry cannot be asked from here, though Docker's client may be able to."""

"""The parts of a plan, as data: requests with what they are for, and what is said of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.bootstrap.values import Hidden


class Step(NamedTuple):
    """A request that changes something on GitHub; `says` is what it does, as an order.

    `secret` is sealed with the key at `keys` and added to the body. `spare` names what may be
    missing in the plan of the owner, or in an older server: then all steps of it are left out.
    What is done `once` would be doubled by a second request.
    """

    says: str
    verb: str
    path: str
    body: Mapping[str, Any] | None = None
    secret: Hidden | None = None
    keys: str = ""
    spare: str = ""
    once: bool = False


class Part(NamedTuple):
    """A part of a plan.

    `already` is what needs no step. `left` is what a person has to do, each with how. `refused` is
    what was asked for and cannot be: then nothing is written.
    """

    steps: tuple[Step, ...] = ()
    already: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def together(*parts: Part) -> Part:
    """Return several parts as one, in their order."""
    return Part(
        tuple(one for part in parts for one in part.steps),
        tuple(one for part in parts for one in part.already),
        tuple(one for part in parts for one in part.left),
        tuple(one for part in parts for one in part.refused),
    )

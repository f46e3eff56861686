"""What the jobs share: the inputs of an action, and what a deploy job does."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from collections.abc import Iterable

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.workflow.records import Permission, RawStep, Scalar, Step, Values


class Work(NamedTuple):
    """What a deploy job does, and for how long; `order` says how its deploys get in order."""

    steps: tuple[Step | RawStep, ...]
    permissions: tuple[Permission, ...]
    minutes: int
    order: str


class Given(NamedTuple):
    """A value of the spec that may come from GitHub, and what it is for.

    An optional one may be missing there: something else is used then.
    """

    value: str
    purpose: str
    optional: bool = False


def said(*inputs: tuple[str, Scalar]) -> Values:
    """Return the inputs that say something; the defaults of an action stay in its action.yml."""
    return tuple((name, value) for name, value in inputs if value != "")


def lines(items: Iterable[str]) -> str:
    """Return a list as an action takes it: one item a line."""
    return "".join(f"{item}\n" for item in items)


def image_of(job: str) -> str:
    """Return the image that a build job pushed, by its digest."""
    return f"${{{{ needs.{job}.outputs.image }}}}"

"""Inputs of an action: what is said, and lists as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_workflow.workflow.records import Scalar, Values


def said(*inputs: tuple[str, Scalar]) -> Values:
    """Return the inputs that say something; the defaults of an action stay in its action.yml."""
    return tuple((name, value) for name, value in inputs if value != "")


def lines(items: Iterable[str]) -> str:
    """Return a list as an action takes it: one item a line."""
    return "".join(f"{item}\n" for item in items)

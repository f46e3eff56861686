"""What the bed says when it cannot stand up."""

from __future__ import annotations


class BedError(Exception):
    """Something of the bed failed; the message says what a person can do."""


class Unavailable(BedError):  # noqa: N818 - a state of the machine, not a fault
    """This machine cannot carry the bed, for a reason that a person can change."""

"""The errors of the bed."""

from __future__ import annotations


class BedError(Exception):
    """A part of the bed failed. The message says what a person can do."""


class Unavailable(BedError):  # noqa: N818 - a state of the machine, not a fault
    """This machine cannot run the bed, for a reason that a person can change."""

"""The test bed: real components for the tests, from Debian's packages alone."""

from __future__ import annotations

from bed.command import CommandFailed, Completed
from bed.errors import BedError, Unavailable
from bed.machines import Host, Machine, Runner
from bed.registry import Registry, Request
from bed.testbed import Bed

__all__ = [
    "Bed",
    "BedError",
    "CommandFailed",
    "Completed",
    "Host",
    "Machine",
    "Registry",
    "Request",
    "Runner",
    "Unavailable",
]

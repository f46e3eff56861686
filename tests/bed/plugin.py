"""The bed as pytest fixtures; one bed for a whole run of the tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import Bed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Host, Registry, Runner


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    """Real components; skipped with the reason on a machine that cannot carry them."""
    up = Bed()
    try:
        up.open()
    except Unavailable as reason:
        if _must_work():
            pytest.fail(f"the bed has to stand up on this machine: {reason}", pytrace=False)
        pytest.skip(str(reason))
    with up:
        yield up


@pytest.fixture
def registry(bed: Bed) -> Iterator[Registry]:
    """The bed's ghcr.io, without faults and with an empty log of requests."""
    bed.registry.clear_requests()
    yield bed.registry
    bed.registry.clear_faults()


@pytest.fixture
def runner(bed: Bed) -> Runner:
    """The bed's runner."""
    return bed.runner


@pytest.fixture
def host(bed: Bed) -> Host:
    """The bed's first host, shared by all tests: name what you start after your test."""
    return bed.host


def _must_work() -> bool:
    """Return whether a skip would hide a fault: continuous integration, as root, on Debian."""
    debian = Path("/etc/debian_version").is_file()
    return os.environ.get("CI") == "true" and os.geteuid() == 0 and debian

"""What most end-to-end tests of ssh-deploy begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.deploys import Deploy, clean
from bed.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Host


@pytest.fixture(scope="module", autouse=True)
def home_of_the_host(bed: Bed) -> Iterator[None]:
    """Who leaves a file in the host's home is told so, and not a later user of the same host."""
    before = bed.host.run("ls", "-A", "/home/deploy").stdout
    yield
    assert bed.host.run("ls", "-A", "/home/deploy").stdout == before


@pytest.fixture(scope="module")
def shop(bed: Bed) -> Shop:
    return Shop(bed)


@pytest.fixture
def host(bed: Bed) -> Iterator[Host]:
    """The first host, without anything of another test."""
    yield bed.host
    bed.registry.clear_faults()
    clean(bed.host)
    bed.host.docker("network", "prune", "-f")


@pytest.fixture
def deploy(host: Host, tmp_path: Path) -> Deploy:
    return Deploy(host, tmp_path)

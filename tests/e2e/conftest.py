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

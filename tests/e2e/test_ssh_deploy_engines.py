"""ssh-deploy to hosts whose Docker is older and newer than that of the bed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.deploys import Deploy, containers, served
from bed.shop import PORT, Shop

if TYPE_CHECKING:
    from pathlib import Path

    from bed import Bed

pytestmark = pytest.mark.needs("packages", "engine")
# Docker 20.10, and 28 or whatever Debian tries out now.
SUITES = [
    pytest.param(suite, marks=pytest.mark.needs(f"engine-{suite}"))
    for suite in ("bookworm", "forky")
]


@pytest.mark.test_all
@pytest.mark.parametrize("suite", SUITES)
def test_an_engine_of_another_version_is_deployed_to(bed: Bed, suite: str, tmp_path: Path) -> None:
    shop = Shop(bed)
    host = bed.add_host(engine=suite)
    deploy = Deploy(host, tmp_path)
    host.docker("network", "create", "front")
    host.docker("network", "create", "back")
    for version in ("1", "2"):
        result = deploy(shop.push(version), networks="front\nback", secret_files="CERT=x")
        assert result.code == 0, result.log
        assert served(host) == version
    sick = deploy(shop.push("3", "sick-when-real"), health_timeout="6")
    assert sick.outputs["result"] == "rolled-back", sick.log
    assert served(host) == "2"
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}
    back = deploy("", rollback="previous")
    assert back.outputs["image"] == shop.push("1"), back.log
    host.docker("port", "shop", f"{PORT}/tcp")
    host.remove()

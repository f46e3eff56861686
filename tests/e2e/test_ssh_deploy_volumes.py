"""Two containers of a service never write to one volume, unless the inputs say that they can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.deploys import Deploy, containers, served

if TYPE_CHECKING:
    from bed import Host
    from bed.shop import Shop

pytestmark = pytest.mark.needs("packages", "engine")

# As most users have it: nothing is said about a candidate.
DEFAULT = {"candidate": ""}


def test_an_app_that_must_be_alone_with_its_data_is_replaced_and_rolled_back(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    assert deploy(shop.push("1", "alone"), **DEFAULT).code == 0
    second = deploy(shop.push("2", "alone"), **DEFAULT)
    assert second.code == 0, second.log
    assert served(host) == "2"
    assert "no candidate runs beside the service" in second.log
    assert "because both would write to state:/state" in second.log
    assert "no candidate runs beside the service" in second.summary
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}

    sick = deploy(shop.push("3", "alone-sick"), health_timeout="5", **DEFAULT)
    assert sick.code == 1
    assert "GET /health gave status 404; the previous version serves again" in sick.errors[0]
    assert sick.outputs["result"] == "rolled-back"
    assert int(sick.outputs["gap-ms"]) > 0
    assert served(host) == "2"
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}

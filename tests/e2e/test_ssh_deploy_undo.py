"""What an undo brings back, when a cron job prunes Docker meanwhile, and what is said of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.deploys import (
    PRUNED,
    SECRET,
    Deploy,
    Serving,
    await_served,
    containers,
    prune_once_before,
    served,
)
from bed.machines import DOCKER
from bed.shop import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Bed, Host
    from bed.shop import Shop

pytestmark = pytest.mark.needs("packages", "engine")
STATE = "/home/deploy/.gen-workflow/shop"
REAL = f"{DOCKER}/bin/docker"
# The first thing that an undo does. Then the old container does not run.
UNDO = "rm -f -v shop.next"


@pytest.fixture
def serving(serving: Serving) -> Iterator[Serving]:
    yield serving
    host, _ = serving
    host.unwrap_docker()
    host.run("rm", "-f", PRUNED)


@pytest.mark.test_all
@pytest.mark.parametrize("prune", ["system prune -af", "container prune -f"])
def test_an_old_version_that_is_pruned_in_the_switch_is_made_again(
    serving: Serving, shop: Shop, prune: str
) -> None:
    host, deploy = serving
    prune_once_before(host, UNDO, prune)
    result = deploy(shop.push("3", "sick-when-real"), health_timeout="6")
    assert containers(host) == {"shop": "running"}, result.log
    assert (served(host), served(host, "/greeting")) == ("1", SECRET)
    assert result.outputs["result"] == "rolled-back"
    assert "the previous version serves again" in result.errors[0]
    assert "another program has removed the container shop" in result.log
    assert "definition" not in host.run("ls", STATE).stdout


@pytest.mark.test_all
def test_what_is_pruned_while_the_old_version_stops_is_made_again_and_serves(
    serving: Serving, shop: Shop
) -> None:
    """Neither container runs at this moment: both go, and their images, and the network."""
    host, deploy = serving
    prune_once_before(host, "start shop.next")
    result = deploy(shop.push("2"))
    assert result.code == 0, result.log
    assert "another program has removed the new container shop.next" in result.log
    assert (served(host), served(host, "/greeting")) == ("2", SECRET)
    assert containers(host) == {"shop": "running"}
    host.unwrap_docker()
    back = deploy("", rollback="previous")
    assert back.code == 0, back.log
    assert served(host) == "1", "without its container, and without its image on the host"


@pytest.mark.test_all
@pytest.mark.parametrize("command", ["create --name shop.candidate", "create --name shop.next"])
def test_an_image_that_is_pruned_before_a_container_uses_it_is_pulled_again(
    serving: Serving, shop: Shop, command: str
) -> None:
    host, deploy = serving
    prune_once_before(host, command)
    result = deploy(shop.push("2"))
    assert result.code == 0, result.log
    assert served(host) == "2"


def test_when_the_way_back_is_gone_the_first_words_are_that_nobody_serves(
    bed: Bed, serving: Serving, shop: Shop
) -> None:
    host, deploy = serving
    old = shop.push("1").partition("@")[2]
    bed.registry.fault(f"* /v2/acme/shop/manifests/{old}", status=503, code="UNAVAILABLE", times=99)
    prune_once_before(host, UNDO)
    result = deploy(shop.push("3", "sick-when-real"), health_timeout="6")
    assert result.code == 1, result.log
    assert served(host) == ""
    down, cause = result.errors
    assert down.startswith("nobody serves: the previous version could not be started again (")
    assert "hint: deploy a version that works" in down
    assert "not healthy: GET /health gave status 404" in cause
    assert result.summary.startswith("### ❌ Nobody serves shop: failed")
    assert (result.outputs["result"], result.outputs["serving"]) == ("failed", "nobody")
    assert result.outputs["image"] == ""
    bed.registry.clear_faults()
    # The note of the old container waits for the next deploy, which may be refused as well.
    after = deploy(shop.push("4", "sick"), health_timeout="6")
    assert "touched nothing else; it answers" in after.errors[0]
    assert after.outputs["serving"] == "answered"
    assert served(host) == "1"


@pytest.mark.test_all
def test_an_old_version_that_runs_and_does_not_answer_is_not_said_to_serve(
    serving: Serving, shop: Shop
) -> None:
    host, deploy = serving
    # What the new version has left behind may break the old one.
    host.wrap_docker(
        f'case "$*" in "start shop") {REAL} start shop && sleep 1 &&'
        f" {REAL} exec shop /bin/busybox rm /www/health; exit ;; esac"
    )
    result = deploy(shop.push("3", "sick-when-real"), health_timeout="6")
    assert containers(host) == {"shop": "running"}
    down = result.errors[0]
    assert down.startswith("nobody serves: the previous version was started again; it runs, but")
    assert "GET /health gave status 404" in down
    assert result.summary.startswith("### ❌ Nobody serves shop: failed")
    assert (result.outputs["result"], result.outputs["serving"]) == ("failed", "nobody")
    assert "serves again" not in result.log
    host.docker("restart", "shop")


def test_a_refused_candidate_beside_a_service_that_is_down_is_said_so(
    serving: Serving, shop: Shop
) -> None:
    host, deploy = serving
    host.docker("stop", "--time", "1", "shop")
    try:
        result = deploy(shop.push("4", "sick"), health_timeout="3")
        assert result.errors[0].startswith("nobody serves: its container does not run (exited)")
        assert result.outputs["result"] == "refused"
        assert result.summary.startswith("### ❌ Nobody serves shop: refused")
    finally:
        host.docker("start", "shop")


# With a network of the user, an address in it, and data in a volume without a name.
BY_HAND = (
    "--name", "shop", "--publish", "8080:8080", "--restart", "always", "--network", "shops",
    "--ip", "10.9.0.77", "--memory", "64m", "--env", "GREETING=it's \"q\" <&>", "--volume", "/kept",
)  # fmt: skip


def test_a_container_that_was_made_by_hand_comes_back_as_it_was(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    host.docker("network", "create", "--subnet", "10.9.0.0/16", "shops")
    host.run("docker", "login", "ghcr.io", "-u", "x", "--password-stdin", input=TOKEN)
    host.docker("run", "-d", *BY_HAND, shop.push("1"))
    host.run("docker", "logout", "ghcr.io")
    host.docker("exec", "shop", "/bin/busybox", "touch", "/kept/data")
    await_served(host, "1")
    before = json.loads(host.docker("inspect", "shop").stdout)[0]
    prune_once_before(host, UNDO)
    result = deploy(
        shop.push("3", "sick-when-real"),
        health_timeout="6",
        networks="shops",
        volumes="state:/state",
        adopt="true",
    )
    host.unwrap_docker()
    host.run("rm", "-f", PRUNED)
    assert result.outputs["result"] == "rolled-back", result.log
    await_served(host, "1")
    assert served(host, "/greeting") == 'it\'s "q" <&>'
    assert host.docker("exec", "shop", "/bin/busybox", "ls", "/kept").stdout.strip() == "data"
    after = json.loads(host.docker("inspect", "shop").stdout)[0]
    for what in ("Memory", "RestartPolicy", "PortBindings"):
        assert after["HostConfig"][what] == before["HostConfig"][what]
    assert after["NetworkSettings"]["Networks"]["shops"]["IPAddress"] == "10.9.0.77"

"""kamal-proxy on a host of the bed: it routes, changes over without a gap, and keeps its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.http import body
from bed.load import Load
from bed.shop import PORT, TOKEN, Shop
from bed.waiting import PATIENCE_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Bed, Host

pytestmark = pytest.mark.needs("packages", "engine", "kamal-proxy")

OUTSIDE = 18082
NETWORK = "bed-kamal"
PROXY = "bed-proxy"
STATE = "bed-proxy-config"


@pytest.fixture(scope="module")
def shop(bed: Bed) -> Shop:
    return Shop(bed)


@pytest.fixture
def proxy(bed: Bed, host: Host) -> Iterator[str]:
    """The address of the proxy, which runs as Kamal starts it."""
    host.run("docker", "login", "ghcr.io", "-u", "any", "--password-stdin", input=TOKEN)
    host.docker("network", "create", NETWORK)
    state = f"--volume={STATE}:/home/kamal-proxy/.config/kamal-proxy"
    published = f"--publish={OUTSIDE}:80"
    start(host, PROXY, bed.kamal_proxy_image(), published, state)
    yield f"http://{host.ip}:{OUTSIDE}/"
    for name in (PROXY, "bed-old", "bed-new"):
        host.docker("rm", "-fv", name, check=False)
    host.docker("volume", "rm", STATE)
    host.docker("network", "rm", NETWORK)


def start(host: Host, name: str, image: str, *options: str) -> None:
    host.docker("run", "--detach", f"--network={NETWORK}", f"--name={name}", *options, image)


def route(host: Host, target: str) -> None:
    command = ("kamal-proxy", "deploy", "shop", "--target", f"{target}:{PORT}")
    health = ("--health-check-path", "/health", "--health-check-interval", "100ms")
    host.docker("exec", PROXY, *command, *health, "--deploy-timeout", "5s")


@pytest.mark.test_all
def test_a_version_replaces_the_other_without_a_request_that_fails(
    host: Host, shop: Shop, proxy: str
) -> None:
    start(host, "bed-old", shop.push("1"))
    route(host, "bed-old")
    with Load(proxy, timeout=PATIENCE_SECONDS) as load:
        wait_until(lambda: "1" in load.versions, "users see version 1")
        start(host, "bed-new", shop.push("2"))
        route(host, "bed-new")
        host.docker("stop", "bed-old")
        wait_until(lambda: "2" in load.versions, "users see version 2")
    assert load.failed == []
    assert load.versions == ["1", "2"]


@pytest.mark.test_all
def test_the_proxy_refuses_a_sick_target_and_knows_its_routes_after_a_restart(
    host: Host, shop: Shop, proxy: str
) -> None:
    start(host, "bed-old", shop.push("1"))
    route(host, "bed-old")
    start(host, "bed-new", shop.push("3", "sick"))
    refused = host.docker(
        "exec", PROXY, "kamal-proxy", "deploy", "shop", "--target", f"bed-new:{PORT}",
        "--health-check-path", "/health", "--deploy-timeout", "2s", check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "target failed to become healthy" in refused.stderr
    host.docker("restart", PROXY)
    wait_until(lambda: body(proxy) == "1", "it serves again", seen=lambda: body(proxy))
    with Load(proxy, timeout=PATIENCE_SECONDS) as load:
        wait_until(lambda: len(load.requests) > 20, "users have asked")
    assert load.failed == []
    assert load.versions == ["1"]

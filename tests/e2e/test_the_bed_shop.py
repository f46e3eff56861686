"""The app that tests deploy: it serves, fails and stops as its version says."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bed.http import body
from bed.shop import PORT, TOKEN, Shop
from bed.waiting import uptime_ms, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Bed, Host

pytestmark = pytest.mark.needs("packages", "engine")

NAME = "bed-shop"
OUTSIDE = 18081


class App:
    """A container of the shop on a host."""

    def __init__(self, host: Host, image: str) -> None:
        self.host = host
        self.url = f"http://{host.ip}:{OUTSIDE}"
        login = ("docker", "login", "ghcr.io", "-u", "any", "--password-stdin")
        host.run(*login, input=TOKEN)
        published = ("--publish", f"{OUTSIDE}:{PORT}")
        host.docker("run", "--detach", "--name", NAME, *published, "--pull=always", image)

    def state(self, field: str) -> str:
        shown = self.host.docker("inspect", "--format", f"{{{{.State.{field}}}}}", NAME)
        return shown.stdout.strip()

    def await_body(self, wanted: str) -> None:
        wait_until(
            lambda: body(self.url) == wanted, f"it serves {wanted}", seen=lambda: body(self.url)
        )

    def stop(self) -> None:
        """Stop it as a deploy does, with 2 seconds of grace."""
        self.host.docker("stop", "--time", "2", NAME)


@pytest.fixture(scope="module")
def shop(bed: Bed) -> Shop:
    return Shop(bed)


@pytest.fixture
def host(bed: Bed) -> Iterator[Host]:
    yield bed.host
    bed.host.docker("rm", "-fv", NAME)


def test_a_version_serves_and_ends_when_it_is_asked_to(host: Host, shop: Shop) -> None:
    app = App(host, shop.push("1"))
    app.await_body("1")
    app.stop()
    assert app.state("ExitCode") == "0"


@pytest.mark.test_all
def test_a_request_that_is_answered_when_the_app_is_stopped_gets_its_answer(
    host: Host, shop: Shop
) -> None:
    app = App(host, shop.push("1"))
    app.await_body("1")
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(body, f"{app.url}/cgi-bin/slow")
        time.sleep(0.4)
        app.stop()
        assert asked.result() == "1"
    assert app.state("ExitCode") == "0"


@pytest.mark.test_all
def test_a_version_that_starts_slowly_serves_after_its_time(host: Host, shop: Shop) -> None:
    image, begun = shop.push("2", "slow-start"), uptime_ms()
    App(host, image).await_body("2")
    assert uptime_ms() - begun > 1000


@pytest.mark.test_all
def test_a_version_that_stops_slowly_has_to_be_killed(host: Host, shop: Shop) -> None:
    app = App(host, shop.push("2", "slow-stop"))
    app.await_body("2")
    app.stop()
    assert app.state("ExitCode") == "137"


@pytest.mark.test_all
@pytest.mark.parametrize(
    ("fault", "reported"), [("healthcheck", "healthy"), ("unhealthy", "unhealthy")]
)
def test_an_image_with_a_healthcheck_says_how_it_is(
    host: Host, shop: Shop, fault: str, reported: str
) -> None:
    app = App(host, shop.push("3", fault))
    app.await_body("3")
    assert app.state("Health.Status") == "starting"
    wait_until(lambda: app.state("Health.Status") != "starting", "its health is known")
    assert app.state("Health.Status") == reported

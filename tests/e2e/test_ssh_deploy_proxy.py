"""`strategy: proxy` of ssh-deploy: a real kamal-proxy on a real host, and users who ask on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bed.deploys import (
    PRUNED,
    Deploy,
    await_log,
    await_served,
    clean,
    containers,
    prune_once_before,
    served,
)
from bed.http import body
from bed.load import Load
from bed.shop import PORT, Shop
from bed.waiting import PATIENCE_SECONDS, uptime_ms, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Host
    from bed.step import RunningStep

pytestmark = pytest.mark.needs("packages", "engine", "kamal-proxy")

PROXY = "gen-workflow-proxy"
# Of each of four users between two requests: more of them would only take time from the deploys.
PAUSE = 0.1
# Healthy for so many requests, then not: the first is the one of the check, the next the proxy's.
# A volume at /state can say that it is well for ever.
SICK_LATER = """\
/bin/busybox mkdir -p /www/cgi-bin; cd /www; echo {version} >index.html
printf '#!/bin/busybox sh\\nb=/bin/busybox; echo x >>/tmp/asked; \
[ -e /state/well ] || [ $($b wc -l </tmp/asked) -le {healthy} ] || \
echo "Status: 503"; echo; echo\\n' >cgi-bin/up
/bin/busybox mkdir -p /tmp; /bin/busybox chmod +x cgi-bin/up
exec /bin/busybox httpd -f -p 8080 -h /www
"""


class ProxyDeploy(Deploy):
    """Deploys behind the proxy with the right inputs, but for those that a test changes."""

    def __init__(self, hosts: Host | list[Host], workspace: Path, proxy_image: str) -> None:
        super().__init__(hosts, workspace)
        self._proxy_image = proxy_image

    def inputs(self, image: str, **changes: str) -> dict[str, str]:
        given = {"volumes": "", "env": "", "strategy": "proxy"}
        if changes.get("strategy") != "plain":
            given |= {"proxy_image": self._proxy_image, "drain_timeout": "5"}
        return super().inputs(image, **given | changes)

    def sick_after(self, image: str, healthy: int, **changes: str) -> RunningStep:
        """Start to deploy what is healthy for so many requests; its version is `sick`."""
        script = SICK_LATER.format(version="sick", healthy=healthy)
        shown = script.replace("'", "'\\''")
        return self.start(
            image,
            options="--entrypoint=/bin/busybox",
            command=f"sh -c '{shown}'",
            **{"health": "/cgi-bin/up", "health_timeout": "8", **changes},
        )


Serving = tuple["Host", ProxyDeploy, Load]


@pytest.fixture
def deploy(bed: Bed, host: Host, shop: Shop, tmp_path: Path) -> ProxyDeploy:
    del shop  # it has logged in
    return ProxyDeploy(host, tmp_path, bed.kamal_proxy_image())


def users_of(host: Host, pause: float = PAUSE) -> Load:
    """Return users of the service; what they see is the promise."""
    return Load(f"http://{host.ip}:{PORT}/", timeout=PATIENCE_SECONDS, pause=pause)


@pytest.fixture
def load(host: Host) -> Load:
    return users_of(host)


def served_as(host: Host, name: str) -> str:
    return host.run("curl", "-s", "-H", f"Host: {name}", f"http://127.0.0.1:{PORT}/").stdout.strip()


def await_containers(host: Host, expected: dict[str, str]) -> None:
    wait_until(
        lambda: containers(host) == expected,
        f"the containers are {expected}",
        seen=lambda: containers(host),
    )


def await_route_to_the_next(host: Host, step: RunningStep) -> None:
    """Wait until the proxy sends the users to the new container, before its step has ended."""
    wait_until(
        lambda: route_of(host) == "shop.next" or step.process.poll() is not None,
        "the users are sent to shop.next",
        seen=step.log,
    )
    assert route_of(host) == "shop.next", step.log()


def route_of(host: Host) -> str:
    """Return the name of the container that the proxy sends the users of the shop to."""
    listed = host.docker("exec", PROXY, "kamal-proxy", "list").stdout
    names = host.docker("ps", "-a", "--format", "{{.ID}} {{.Names}}").stdout.splitlines()
    found = [line.split()[1] for line in names if f"{line.split()[0]}:" in listed]
    return " ".join(found)


SERVING = {PROXY: "running", "shop": "running"}


@pytest.fixture
def serving(bed: Bed, second_host: Host, shop: Shop, tmp_path: Path) -> Iterator[Serving]:
    """A host that serves version 1 behind the proxy, deploys to it, and its users.

    A deploy that was undone leaves it so for the next test; after any other it is made again.
    """
    deploy = ProxyDeploy(second_host, tmp_path, bed.kamal_proxy_image())
    if served(second_host) != "1" or containers(second_host) != SERVING:
        clean(second_host)
        first = deploy(shop.push("1"))
        assert first.code == 0, first.log
    yield second_host, deploy, Load(f"http://{second_host.ip}:{PORT}/", timeout=5, pause=PAUSE)
    bed.registry.clear_faults()


@pytest.mark.parametrize(
    ("deploys", "pause"), [(2, PAUSE), pytest.param(20, 0.03, marks=pytest.mark.test_all)]
)
def test_a_first_version_serves_and_no_request_is_lost_in_the_deploys_that_follow(
    host: Host, shop: Shop, deploy: ProxyDeploy, deploys: int, pause: float
) -> None:
    images = {version: shop.push(version) for version in ("1", "2")}
    first = deploy(images["2"])
    assert first.code == 0, first.log
    assert served(host) == "2"
    assert containers(host) == SERVING
    assert host.docker("port", "shop").stdout == "", "only the proxy is published"
    assert first.outputs["result"] == "deployed"
    assert first.outputs["image"] == images["2"]
    assert first.outputs["gap-ms"] == ""
    with users_of(host, pause) as load:
        for number in range(deploys):
            result = deploy(images["12"[number % 2]])
            assert result.code == 0, result.log
            assert result.outputs["gap-ms"] == "0", result.log
    assert load.failed == []
    assert load.versions == ["2", "1"]
    assert len(load.requests) > 10 * deploys
    assert containers(host) == {**SERVING, "shop.previous": "exited"}


def test_a_slow_request_is_answered_to_its_end(serving: Serving, shop: Shop) -> None:
    host, deploy, _ = serving
    answers: list[str] = []
    step = deploy.start(shop.push("2"))
    await_log(step, "the new container is healthy")
    asked = threading.Thread(target=lambda: answers.append(served(host, "/cgi-bin/slow")))
    asked.start()
    result = step.result()
    asked.join()
    assert result.code == 0, result.log
    assert answers == ["1"], "it was begun at the old version"
    assert served(host) == "2"


def test_a_sick_version_gets_no_users(serving: Serving, shop: Shop) -> None:
    host, deploy, load = serving
    with load:
        result = deploy(shop.push("3", "sick"), health_timeout="6")
    assert result.code == 1
    assert (
        "not healthy: GET /health gave status 404; the service was not touched"
        in (result.errors[0])
    )
    assert "shop 3 says" in result.summary
    assert result.outputs["result"] == "refused"
    assert result.outputs["image"] == shop.push("1")
    assert load.failed == []
    assert load.versions == ["1"]
    assert containers(host) == SERVING


@pytest.mark.test_all
def test_a_version_that_the_proxy_finds_sick_gets_no_users(serving: Serving, shop: Shop) -> None:
    host, deploy, load = serving
    with load:
        result = deploy.sick_after(shop.push("2"), healthy=1).result()
    assert result.code == 1, result.log
    assert "the new version is not healthy: the proxy asked for /cgi-bin/up" in result.errors[0]
    assert result.outputs["result"] == "refused"
    assert load.failed == []
    assert load.versions == ["1"]
    assert containers(host) == SERVING


def test_a_version_that_fails_with_its_first_users_is_rolled_back(
    serving: Serving, shop: Shop
) -> None:
    host, deploy, load = serving
    with load:
        result = deploy.sick_after(shop.push("2"), healthy=2).result()
    assert result.code == 1, result.log
    assert "GET /cgi-bin/up through the proxy gave status 503" in result.errors[0]
    assert result.outputs["result"] == "rolled-back"
    assert result.outputs["image"] == shop.push("1")
    assert load.failed == []
    assert load.versions == ["1", "sick"]
    assert served(host) == "1"
    assert containers(host) == SERVING


@pytest.mark.test_all
def test_a_prune_in_the_switch_takes_nothing_that_users_need(serving: Serving, shop: Shop) -> None:
    host, deploy, load = serving
    with load:
        step = deploy.sick_after(shop.push("2"), healthy=2)
        await_route_to_the_next(host, step)
        host.docker("system", "prune", "-af")
        result = step.result()
    assert result.outputs["result"] == "rolled-back", result.log
    assert load.failed == []
    assert served(host) == "1"
    assert containers(host) == SERVING


@pytest.mark.test_all
def test_a_service_whose_port_moves_to_the_proxy_survives_a_prune_meanwhile(
    host: Host, shop: Shop, deploy: ProxyDeploy
) -> None:
    """Neither the old container nor the proxy runs at this moment: both are made again."""
    assert deploy(shop.push("1"), strategy="plain").code == 0
    prune_once_before(host, f"start {PROXY}")
    try:
        result = deploy.sick_after(shop.push("2"), healthy=2).result()
    finally:
        host.unwrap_docker()
        host.run("rm", "-f", PRUNED)
    assert "another program has removed the proxy" in result.log
    assert "another program has removed the container shop" in result.log
    assert result.outputs["result"] == "rolled-back", result.log
    assert served(host) == "1"
    assert containers(host) == {"shop": "running"}


@pytest.mark.test_all
def test_a_first_version_that_fails_leaves_no_way_to_it(
    host: Host, shop: Shop, deploy: ProxyDeploy
) -> None:
    result = deploy.sick_after(shop.push("2"), healthy=2).result()
    assert result.code == 1, result.log
    assert containers(host) == {PROXY: "running"}
    assert "shop" not in host.docker("exec", PROXY, "kamal-proxy", "list").stdout
    assert deploy(shop.push("1")).code == 0
    assert "shop" in host.docker("exec", PROXY, "kamal-proxy", "list").stdout


def test_two_services_share_the_proxy_by_their_hosts(
    host: Host, shop: Shop, deploy: ProxyDeploy
) -> None:
    first = deploy(shop.push("1"), name="one", proxy_hosts="one.example.com")
    second = deploy(shop.push("2"), name="two", proxy_hosts="two.example.com\n*.two.example.com")
    assert (first.code, second.code) == (0, 0), second.log
    assert served_as(host, "one.example.com") == "1"
    assert served_as(host, "two.example.com") == "2"
    assert served_as(host, "www.two.example.com") == "2"
    third = deploy(shop.push("3"), name="three", proxy_hosts="one.example.com")
    assert third.code != 0
    assert "another service behind the proxy already uses these host names" in third.errors[0]
    assert served_as(host, "one.example.com") == "1"
    assert "three" not in " ".join(containers(host))


@pytest.mark.parametrize(
    "restarted",
    [
        pytest.param("the proxy", marks=pytest.mark.test_all),
        pytest.param("the engine", marks=pytest.mark.test_all),
        "the host",
    ],
)
def test_the_way_is_found_again_after_a_restart(
    serving: Serving, shop: Shop, restarted: str
) -> None:
    host, deploy, _ = serving
    deploy(shop.push("2"))
    if restarted == "the proxy":
        host.docker("restart", PROXY)
    elif restarted == "the engine":
        host.restart_engine()
    else:
        host.power_off()
        host.power_on()
    await_served(host, "2")
    assert containers(host) == {**SERVING, "shop.previous": "exited"}


@pytest.mark.parametrize(
    "cut",
    [
        "the client is killed",
        pytest.param("the connection is cut", marks=pytest.mark.test_all),
    ],
)
def test_the_host_sends_the_users_back_by_itself(serving: Serving, shop: Shop, cut: str) -> None:
    host, deploy, load = serving
    with load:
        step = deploy.sick_after(shop.push("2"), healthy=2, health_timeout="60")
        await_log(step, "sending users to the new shop")
        await_route_to_the_next(host, step)
        if cut == "the client is killed":
            step.process.kill()
        else:
            host.kill_sessions()
        step.result()
        await_containers(host, SERVING)
        assert route_of(host) == "shop"
    assert load.failed == []
    assert served(host) == "1"
    after = deploy(shop.push("4"))
    assert after.code == 0, after.log
    assert served(host) == "4"


@pytest.mark.test_all
def test_one_host_is_rolled_back_when_another_fails(
    bed: Bed, host: Host, shop: Shop, deploy: ProxyDeploy, load: Load
) -> None:
    other = bed.add_host()
    both = {"host": f"{host.ip} {other.ip}", "known_hosts": host.known_hosts + other.known_hosts}
    assert deploy(shop.push("1"), **both).code == 0
    volume = ("run", "--rm", "-v", "state:/state", "--entrypoint=/bin/busybox", shop.push("1"))
    host.docker(*volume, "touch", "/state/well")
    with load:
        step = deploy.sick_after(
            shop.push("2"), healthy=2, max_parallel="1", volumes="state:/state", **both
        )
        result = step.result()
    assert result.code == 1, result.log
    assert result.outputs["result"] == "rolled-back"
    assert load.failed == []
    assert load.versions == ["1", "sick"]
    assert (served(host), served(other)) == ("1", "1")
    assert containers(host) == containers(other) == SERVING


@pytest.mark.test_all
def test_a_cancelled_switch_sends_the_users_back(serving: Serving, shop: Shop) -> None:
    host, deploy, _ = serving
    step = deploy.sick_after(shop.push("2"), healthy=2, health_timeout="60")
    await_log(step, "sending users to the new shop")
    await_route_to_the_next(host, step)
    step.cancel()
    result = step.result()
    assert result.code == 130, result.log
    assert result.outputs["result"] == "rolled-back", result.log
    assert served(host) == "1"


@pytest.mark.test_all
@pytest.mark.parametrize("moment", ["before the users move", "after the users moved"])
def test_a_host_that_lost_its_power_is_put_right_without_a_gap(
    host: Host, shop: Shop, deploy: ProxyDeploy, load: Load, moment: str
) -> None:
    first = deploy(shop.push("1"))
    assert first.code == 0, first.log
    after_move = moment == "after the users moved"
    step = deploy.sick_after(shop.push("2"), healthy=2 if after_move else 1, health_timeout="30")
    await_log(step, "sending users to the new shop")
    if after_move:
        await_route_to_the_next(host, step)
    host.run("pkill", "-9", "-u", host.user, "-x", "sh")
    result = step.result()
    assert result.outputs["result"] == "unknown", result.log
    serving = "sick" if after_move else "1"
    await_served(host, serving)
    with load:
        after = deploy(shop.push("4"))
    assert after.code == 0, after.log
    assert load.failed == []
    assert load.versions == [serving, "4"]
    assert containers(host) == {**SERVING, "shop.previous": "exited"}


@pytest.mark.test_all
@pytest.mark.parametrize("what", ["the engine", "the proxy"])
def test_what_restarts_in_the_switch_does_not_keep_the_sick_version(
    serving: Serving, shop: Shop, what: str
) -> None:
    host, deploy, _ = serving
    step = deploy.sick_after(shop.push("2"), healthy=2, health_timeout="20")
    await_log(step, "sending users to the new shop")
    await_route_to_the_next(host, step)
    if what == "the engine":
        host.restart_engine()
    else:
        host.docker("restart", PROXY)
    result = step.result()
    assert result.code == 1, result.log
    await_served(host, "1")
    assert result.outputs["result"] == "rolled-back", result.log
    assert containers(host) == SERVING


def test_a_container_of_the_plain_form_gives_its_port_to_the_proxy(
    host: Host, shop: Shop, deploy: ProxyDeploy
) -> None:
    deploy(shop.push("1"), strategy="plain")
    begun = uptime_ms()
    result = deploy(shop.push("2"))
    assert result.code == 0, result.log
    assert served(host) == "2"
    assert containers(host) == {**SERVING, "shop.previous": "exited"}
    assert 0 < int(result.outputs["gap-ms"]) <= uptime_ms() - begun


@pytest.mark.test_all
def test_a_container_of_the_plain_form_gets_its_port_back(
    host: Host, shop: Shop, deploy: ProxyDeploy
) -> None:
    deploy(shop.push("1"), strategy="plain")
    result = deploy.sick_after(shop.push("2"), healthy=1).result()
    assert result.code == 1, result.log
    assert result.outputs["result"] == "rolled-back"
    assert served(host) == "1"
    assert containers(host) == {"shop": "running"}


@pytest.mark.test_all
def test_a_killed_move_from_the_plain_form_is_put_right(
    host: Host, shop: Shop, deploy: ProxyDeploy
) -> None:
    deploy(shop.push("1"), strategy="plain")
    step = deploy.sick_after(shop.push("2"), healthy=1, health_timeout="30")
    await_log(step, "sending users to the new shop")
    host.run("pkill", "-9", "-u", host.user, "-x", "sh")
    step.result()
    refused = deploy(shop.push("3", "sick"), health_timeout="6")
    assert refused.outputs["result"] == "refused", refused.log
    assert served(host) == "1"
    assert deploy(shop.push("2")).code == 0
    assert served(host) == "2"


@pytest.mark.test_all
def test_a_container_of_the_plain_form_on_another_port_stops_last(
    host: Host, shop: Shop, deploy: ProxyDeploy
) -> None:
    deploy(shop.push("1"), strategy="plain", ports=f"9090:{PORT}")
    failed = deploy.sick_after(shop.push("2"), healthy=2, replaces="9090").result()
    assert failed.code == 1, failed.log
    assert body(f"http://{host.ip}:9090/").strip() == "1"
    assert containers(host) == SERVING
    result = deploy(shop.push("2"), replaces="9090")
    assert result.code == 0, result.log
    assert result.outputs["gap-ms"] == "", "this port served no users before"
    assert served(host) == "2"
    assert containers(host) == {**SERVING, "shop.previous": "exited"}


def test_another_port_than_that_of_the_proxy_is_named(serving: Serving, shop: Shop) -> None:
    host, deploy, _ = serving
    result = deploy(shop.push("2"), ports=f"9090:{PORT}")
    assert result.code == 2
    assert (
        f"the proxy of the host publishes the ports {PORT}:80, but shop needs 9090:80; the "
        "service was not touched" in result.errors[0]
    )
    assert "docker rm -f gen-workflow-proxy" in result.errors[0]
    assert served(host) == "1"


@pytest.mark.test_all
def test_a_proxy_that_lost_its_routes_gets_them_again(serving: Serving, shop: Shop) -> None:
    host, deploy, _ = serving
    host.docker("rm", "-f", PROXY)
    host.docker("volume", "rm", PROXY)
    result = deploy(shop.push("3", "sick"), health_timeout="6")
    assert result.outputs["result"] == "refused"
    assert "the proxy has lost its entry for shop" in result.log
    assert served(host) == "1"


def test_an_image_of_the_proxy_that_is_not_there_is_named(
    host: Host, shop: Shop, deploy: ProxyDeploy
) -> None:
    missing = f"ghcr.io/acme/kamal-proxy@sha256:{'0' * 64}"
    result = deploy(shop.push("1"), proxy_image=missing)
    assert result.code == 2
    assert "the host could not pull the image of the proxy" in result.errors[0]
    assert containers(host) == {}


def test_another_image_does_not_replace_a_proxy_that_works(serving: Serving, shop: Shop) -> None:
    host, deploy, _ = serving
    newer = f"ghcr.io/acme/kamal-proxy@sha256:{'0' * 64}"
    result = deploy(shop.push("2"), proxy_image=newer)
    assert result.code == 0, result.log
    assert "the deploy does not replace the proxy of the host" in result.log
    # The new one knows the routes, also when the deploy that starts it is refused.
    host.docker("rm", "-f", PROXY)
    refused = deploy(shop.push("3", "sick"), health_timeout="6")
    assert refused.outputs["result"] == "refused", refused.log
    assert served(host) == "2"


@pytest.mark.test_all
def test_going_back_to_the_previous_release_is_gapless_too(serving: Serving, shop: Shop) -> None:
    _, deploy, load = serving
    deploy(shop.push("2"))
    with load:
        result = deploy("", rollback="previous")
    assert result.code == 0, result.log
    assert load.failed == []
    assert load.versions == ["2", "1"]

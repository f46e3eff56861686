"""Containers that run beside the service for a while: the candidate, and those of commands.

A proxy that reads labels, and others in the networks of the service, must not find them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.deploys import Deploy, containers, served
from bed.label_proxy import CADDY, LABELS, NGINX, TRAEFIK, VARIABLE, LabelProxy
from bed.waiting import wait_until

if TYPE_CHECKING:
    from bed import Bed, Host
    from bed.shop import Shop
    from bed.step import RunningStep

pytestmark = pytest.mark.needs("packages", "engine")

GUEST = "shop.candidate"
TASK = "shop-gen-workflow-task"
SITES = (TRAEFIK, CADDY, NGINX)
# All that others can find a container by, and a network with another program that looks it up.
FOUND_BY = {
    "labels": LABELS,
    "env": f"GREETING\n{VARIABLE}",
    "networks": "net",
    "options": "--entrypoint=/bin/busybox\n--hostname=shop-inside --ip=172.30.0.9",
    "command": "sh /bin/serve",
}


def start_neighbour(host: Host, shop: Shop) -> None:
    """Start a container that only looks up others, in the network of the service."""
    words = ("--name", "neighbour", "--network", "net", "--entrypoint=/bin/busybox")
    host.docker("run", "-d", *words, shop.push("1"), "sleep", "3600")


def addresses(host: Host, name: str) -> list[str]:
    """Return the addresses that a name has for a neighbour in the network of the service."""
    said = host.docker("exec", "neighbour", "/bin/busybox", "nslookup", name, check=False).stdout
    _, _, answers = said.partition("Name:")
    lines = answers.splitlines()
    return [line.split()[-1] for line in lines if line.startswith("Address") and "::" not in line]


def await_guest(host: Host, step: RunningStep, name: str, command: str = "") -> None:
    """Wait until a container runs, whose command begins so."""
    shown = '{{.State.Running}} {{join .Config.Cmd " "}}'

    def runs() -> bool:
        said = host.docker("inspect", "--format", shown, name, check=False).stdout
        return said.startswith(f"true {command}")

    wait_until(
        lambda: runs() or step.process.poll() is not None,
        f"{name} runs {command}",
        seen=step.log,
    )
    assert runs(), step.log()


def test_no_user_and_no_neighbour_reaches_the_candidate_or_a_command(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    host.docker("network", "create", "--subnet=172.30.0.0/24", "net")
    first = deploy(shop.push("1"), volumes="", **FOUND_BY)
    assert first.code == 0, first.log
    start_neighbour(host, shop)
    by_version_1 = {f"{site}: 200 1" for site in SITES}
    found = {name: addresses(host, name) for name in ("shop", "shop-inside")}
    assert found == {name: ["172.30.0.9"] for name in found}
    with LabelProxy(host) as proxy:
        assert proxy.ask_often(*SITES) == by_version_1
        wait = "sh -c 'until [ -e /go ]; do /bin/busybox sleep 0.1; done'"
        step = deploy.start(shop.push("2", "sick"), volumes="", before=wait, **FOUND_BY)

        await_guest(host, step, GUEST, "sh -c")
        assert proxy.ask_often(*SITES) == by_version_1
        assert {name: addresses(host, name) for name in found} == found
        host.docker("exec", GUEST, "/bin/busybox", "touch", "/go")

        await_guest(host, step, GUEST, "sh /bin/serve")
        assert proxy.ask_often(*SITES) == by_version_1
        assert {name: addresses(host, name) for name in found} == found
        # The deploy would wait until its `health-timeout`.
        host.docker("rm", "-f", GUEST)
        result = step.result()
    assert result.outputs["result"] == "refused", result.log
    assert containers(host) == {"neighbour": "running", "shop": "running"}
    assert served(host) == "1"


@pytest.mark.test_all
@pytest.mark.needs("kamal-proxy")
def test_behind_our_proxy_no_other_proxy_sends_users_to_a_version_that_is_refused(
    bed: Bed, host: Host, shop: Shop, deploy: Deploy
) -> None:
    given = {
        "volumes": "",
        "labels": LABELS,
        "env": f"GREETING\n{VARIABLE}",
        "strategy": "proxy",
        "proxy_image": bed.kamal_proxy_image(),
    }
    first = deploy(shop.push("1"), **given)
    assert first.code == 0, first.log
    by_version_1 = {f"{site}: 200 1" for site in SITES}
    with LabelProxy(host) as proxy:
        step = deploy.start(shop.push("2", "sick"), **given)
        await_guest(host, step, GUEST)
        assert proxy.ask_often(*SITES) == by_version_1
        host.docker("rm", "-f", GUEST)
        assert step.result().outputs["result"] == "refused"
        assert proxy.ask_often(*SITES) == by_version_1
    assert "shop.next" not in containers(host)


# The same in a compose project, whose commands run in a container of one of its services.
COMPOSE = f"""\
services:
  web:
    image: ghcr.io/acme/shop
    entrypoint: ["/bin/busybox"]
    command: sh /bin/serve
    hostname: shop-inside
    labels: ["traefik.http.routers.shop.rule=Host(`{TRAEFIK}`)", "caddy={CADDY}"]
    environment: ["{VARIABLE}"]
    networks: {{net: {{aliases: [shop], ipv4_address: 172.30.0.9}}}}
networks:
  net: {{external: true}}
"""


@pytest.mark.test_all
def test_no_user_and_no_neighbour_reaches_a_command_of_a_compose_project(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    (deploy.workspace / "compose.yml").write_text(COMPOSE)
    project = {"compose": "compose.yml", "ports": "", "volumes": "", "env": "", "health": ""}
    host.docker("network", "create", "--subnet=172.30.0.0/24", "net")
    first = deploy(shop.push("1"), **project)
    assert first.code == 0, first.log
    start_neighbour(host, shop)
    by_version_1 = {f"{site}: 200 1" for site in SITES}
    found = {name: addresses(host, name) for name in ("shop", "web", "shop-inside")}
    assert found == {name: ["172.30.0.9"] for name in found}
    with LabelProxy(host) as proxy:
        assert proxy.ask_often(*SITES) == by_version_1
        wait = "web: sh -c 'until [ -e /go ]; do /bin/busybox sleep 0.1; done'"
        step = deploy.start(shop.push("2"), before=wait, **project)
        await_guest(host, step, TASK, "sh -c")
        assert proxy.ask_often(*SITES) == by_version_1
        assert {name: addresses(host, name) for name in found} == found
        host.docker("exec", TASK, "/bin/busybox", "touch", "/go")
        result = step.result()
        assert result.code == 0, result.log
        assert proxy.ask_often(*SITES) == {f"{site}: 200 2" for site in SITES}
    host.run("rm", "-r", f"/home/{host.user}/shop")

"""How the proxy gets its port from a container of the plain form, under real shells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS
from far_side import ACME, COMMON, DASH_FIRST, PHASES, WANTED, FarSide, listen, say
from ship.runner.command import Secret
from ship.ssh_deploy.program import call
from ship.ssh_deploy.proxy.inputs import ProxyForm
from ship.ssh_deploy.proxy.plan import plan_proxy
from ship.ssh_deploy.run.ports import Port

if TYPE_CHECKING:
    from pathlib import Path

    from ship.ssh_deploy.program import Program

PROXY = "gen-workflow-proxy"


@pytest.fixture(params=DASH_FIRST)
def far_side(request: pytest.FixtureRequest, tmp_path: Path) -> FarSide:
    return FarSide(tmp_path, request.param)


def on(address: str) -> Program:
    """Return a deploy of which the proxy gets port 8080 of an address."""
    wanted = WANTED._replace(ports=(Port(address, "8080", "80", "tcp"),), health="/up")
    image = "proxy@sha256:" + "d" * 64
    return plan_proxy(COMMON, ProxyForm(wanted, (), tls=False, image=image, drain_timeout=1), ACME)


def hold(far_side: FarSide, container: str, address: str) -> None:
    """Let a container have port 8080 of an address."""
    far_side.make("holder", f"{container}\n")
    far_side.make("ports", f"53/udp -> 127.0.0.1:8080\n80/tcp -> {address}:8080\n")


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "0.0.0.0"),  # noqa: S104
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104
        ("", "127.0.0.1"),
        ("[::1]", "[::]"),
    ],
)
def test_the_service_keeps_its_port_of_an_address_until_the_switch(
    far_side: FarSide, wanted: str, held: str
) -> None:
    hold(far_side, "app", held)
    process = far_side.start(on(wanted))
    say(process, call("lock", "prepare"))
    facts = listen(process, "end prepare")
    assert "failure proxy" not in facts
    assert far_side.boxes == {"app": "running", PROXY: "stopped"}
    say(process, call("leave"))
    assert listen(process, "ship-gone")[-1] == "ship-gone word 0"
    process.communicate(timeout=PATIENCE_SECONDS)
    assert far_side.boxes == {"app": "running"}, "a proxy that nobody needed goes"


@pytest.mark.parametrize("container", ["app", "other"])
def test_a_port_of_another_address_is_in_nobodys_way(far_side: FarSide, container: str) -> None:
    hold(far_side, container, "10.0.0.1")
    facts = far_side.run("lock", "prepare", "leave", program=on("127.0.0.1"))
    assert facts[-1] == "ship-gone word 0"
    assert far_side.boxes == {"app": "running", PROXY: "running"}


def test_a_port_of_an_address_that_another_container_has_is_taken(far_side: FarSide) -> None:
    hold(far_side, "other", "127.0.0.1")
    facts = far_side.run("lock", "prepare", "leave", program=on("127.0.0.1"))
    assert "detail 127.0.0.1:8080: the container other already uses it" in facts
    assert far_side.boxes == {"app": "running"}


def test_a_proxy_that_does_not_start_is_not_left_behind(far_side: FarSide) -> None:
    far_side.make("broken", f"start {PROXY}")
    facts = far_side.run("lock", "prepare", "leave", program=on("127.0.0.1"))
    assert "failure proxy" in facts
    assert far_side.boxes == {"app": "running"}


def test_a_proxy_that_was_there_before_stays(far_side: FarSide) -> None:
    far_side.make(f"box/{PROXY}", "stopped")
    far_side.make("broken", f"start {PROXY}")
    wanted = WANTED._replace(ports=(Port("", "80", "80", "tcp"),), health="/up")
    proxy = ProxyForm(wanted, (), tls=False, image="proxy@sha256:1", drain_timeout=1)
    facts = far_side.run("lock", "prepare", "leave", program=plan_proxy(COMMON, proxy, ACME))
    assert "failure proxy" in facts
    assert far_side.boxes == {"app": "running", PROXY: "stopped"}


@pytest.mark.parametrize("phases", [("check",), ("check", "switch")])
def test_a_deploy_that_ends_before_the_port_has_moved_takes_nothing_from_anybody(
    far_side: FarSide, phases: tuple[str, ...]
) -> None:
    hold(far_side, "app", "127.0.0.1")
    process = far_side.start(on("127.0.0.1"))
    say(process, Secret("sleep() { command sleep 0.01; }\nawait_healthy() { :; }\n"))
    say(process, Secret("hand_port_over() { fail stop; }\n"))
    say(process, call("lock", "prepare", *phases, "leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert not any(fact.startswith("lost") for fact in facts)
    assert far_side.boxes == {"app": "running"}


def test_images_that_are_removed_for_space_are_no_service_that_is_lost(far_side: FarSide) -> None:
    """What `prune` removes is a list of its own, and not the container that served before."""
    far_side.make("box/app", "stopped")
    curl = far_side.folder / "bin" / "curl"
    curl.write_text("#!/bin/sh\nprintf 200\n")
    curl.chmod(0o755)
    far_side.state.mkdir(parents=True)
    lines = [f'"image":"a@sha256:{n}","previous":"","result":"deployed"\n' for n in range(5)]
    (far_side.state / "history.jsonl").write_text("".join(lines))
    process = far_side.start(on("127.0.0.1"))
    say(process, Secret("sleep() { command sleep 0.01; }\nawait_healthy() { :; }\n"))
    say(process, Secret("df() { printf 'title\\nx 1 1 10000 1 /\\n'; }\n"))
    say(process, call(*PHASES[: PHASES.index("switch") + 1]))
    listen(process, "end switch")
    assert "rmi a@sha256:1 a@sha256:0" in far_side.calls
    far_side.make("broken", "version")
    say(process, call("leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "finished 0" in facts
    assert "lost app" not in facts, "nothing served before"

"""How the proxy gets its port from a container of the plain form, under real shells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS
from script_host import ACME, COMMON, DASH_FIRST, PHASES, WANTED, ScriptHost, listen, say
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
def script_host(request: pytest.FixtureRequest, tmp_path: Path) -> ScriptHost:
    return ScriptHost(tmp_path, request.param)


def on(address: str, port: str = "8080") -> Program:
    """Return a deploy of which the proxy gets a port of an address."""
    wanted = WANTED._replace(ports=(Port(address, port, "80", "tcp"),), health="/up")
    image = "proxy@sha256:" + "d" * 64
    return plan_proxy(COMMON, ProxyForm(wanted, (), tls=False, image=image, drain_timeout=1), ACME)


def hold(script_host: ScriptHost, container: str, address: str) -> None:
    """Let a container have port 8080 of an address."""
    script_host.make("holder", f"{container}\n")
    script_host.make("ports", f"53/udp -> 127.0.0.1:8080\n80/tcp -> {address}:8080\n")


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
    script_host: ScriptHost, wanted: str, held: str
) -> None:
    hold(script_host, "app", held)
    process = script_host.start(on(wanted))
    say(process, call("lock", "prepare"))
    facts = listen(process, "end prepare")
    assert "failure proxy" not in facts
    assert script_host.boxes == {"app": "running", PROXY: "stopped"}
    say(process, call("leave"))
    assert listen(process, "ship-gone")[-1] == "ship-gone word 0"
    process.communicate(timeout=PATIENCE_SECONDS)
    assert script_host.boxes == {"app": "running"}, "a proxy that no service needs is removed"


@pytest.mark.parametrize("container", ["app", "other"])
def test_a_port_of_another_address_is_no_conflict(script_host: ScriptHost, container: str) -> None:
    hold(script_host, container, "10.0.0.1")
    facts = script_host.run("lock", "prepare", "leave", program=on("127.0.0.1"))
    assert facts[-1] == "ship-gone word 0"
    assert script_host.boxes == {"app": "running", PROXY: "running"}


def test_a_port_of_an_address_that_another_container_has_is_taken(script_host: ScriptHost) -> None:
    hold(script_host, "other", "127.0.0.1")
    facts = script_host.run("lock", "prepare", "leave", program=on("127.0.0.1"))
    assert "detail 127.0.0.1:8080: the container other already uses it" in facts
    assert script_host.boxes == {"app": "running"}


def test_a_proxy_that_does_not_start_is_not_left_behind(script_host: ScriptHost) -> None:
    script_host.make("broken", f"start {PROXY}")
    facts = script_host.run("lock", "prepare", "leave", program=on("127.0.0.1"))
    assert "failure proxy" in facts
    assert script_host.boxes == {"app": "running"}


def test_a_proxy_that_was_there_before_stays(script_host: ScriptHost) -> None:
    script_host.make(f"box/{PROXY}", "stopped")
    script_host.make("broken", f"start {PROXY}")
    wanted = WANTED._replace(ports=(Port("", "80", "80", "tcp"),), health="/up")
    proxy = ProxyForm(wanted, (), tls=False, image="proxy@sha256:1", drain_timeout=1)
    facts = script_host.run("lock", "prepare", "leave", program=plan_proxy(COMMON, proxy, ACME))
    assert "failure proxy" in facts
    assert script_host.boxes == {"app": "running", PROXY: "stopped"}


@pytest.mark.parametrize("phases", [("check",), ("check", "switch")])
def test_a_deploy_that_ends_before_the_port_has_moved_disturbs_no_service(
    script_host: ScriptHost, phases: tuple[str, ...]
) -> None:
    hold(script_host, "app", "127.0.0.1")
    process = script_host.start(on("127.0.0.1"))
    say(process, Secret("sleep() { command sleep 0.01; }\nawait_healthy() { :; }\n"))
    say(process, Secret("hand_port_over() { fail stop; }\n"))
    say(process, call("lock", "prepare", *phases, "leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert not any(fact.startswith("lost") for fact in facts)
    assert script_host.boxes == {"app": "running"}


def test_images_that_are_removed_for_space_are_no_service_that_is_lost(
    script_host: ScriptHost,
) -> None:
    """What `prune` removes is a list of its own, and not the container that served before."""
    script_host.make("box/app", "stopped")
    curl = script_host.folder / "bin" / "curl"
    curl.write_text("#!/bin/sh\nprintf 200\n")
    curl.chmod(0o755)
    script_host.state.mkdir(parents=True)
    lines = [f'"image":"a@sha256:{n}","previous":"","result":"deployed"\n' for n in range(5)]
    (script_host.state / "history.jsonl").write_text("".join(lines))
    process = script_host.start(on("127.0.0.1"))
    say(process, Secret("sleep() { command sleep 0.01; }\nawait_healthy() { :; }\n"))
    say(process, Secret("df() { printf 'title\\nx 1 1 10000 1 /\\n'; }\n"))
    say(process, call(*PHASES[: PHASES.index("switch") + 1]))
    listen(process, "end switch")
    assert "rmi a@sha256:1 a@sha256:0" in script_host.calls
    script_host.make("broken", "version")
    say(process, call("leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "finished 0" in facts
    assert "lost app" not in facts, "nothing served before"


def test_a_proxy_that_another_deploy_is_just_making_is_waited_for(script_host: ScriptHost) -> None:
    """The engine gives the name away before there is a container to look at."""
    (script_host.folder / "box" / "app").unlink()
    script_host.make(f"being-made-{PROXY}", "")
    facts = script_host.run("lock", "prepare", "leave", program=on("", "80"))
    assert facts[-1] == "ship-gone word 0", facts
    assert script_host.boxes == {PROXY: "running"}

"""What an undo brings back and what it reports, when other programs prune Docker meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS
from script_host import ACME, COMMON, DASH_FIRST, PHASES, WANTED, ScriptHost, cut, listen, say
from ship.runner.command import Secret
from ship.ssh_deploy.program import call
from ship.ssh_deploy.proxy.inputs import ProxyForm
from ship.ssh_deploy.proxy.plan import plan_proxy
from ship.ssh_deploy.run.plan import plan_run
from ship.ssh_deploy.run.ports import Port

if TYPE_CHECKING:
    from pathlib import Path

    from ship.ssh_deploy.program import Program

OLD = "ghcr.io/acme/app@sha256:" + "b" * 64
PORTS = (Port("", "80", "8080", "tcp"),)
WITH_A_PATH = plan_run(COMMON, WANTED._replace(ports=PORTS, health="/up", health_timeout=1), ACME)
WITHOUT = plan_run(COMMON, WANTED._replace(health_timeout=1), ACME)
MADE_AGAIN = [
    '/networks/create {"Name":"net"}',
    '/networks/create {"Name":"net2"}',
    (
        f'/containers/create?name=app {{"Env":["A=b"],"Image":"{OLD}","HostConfig":'
        '{"NetworkMode":"net","Binds":["state:/state"]},'
        '"NetworkingConfig":{"EndpointsConfig":{"net":{}}}}'
    ),
    '/networks/net2/connect {"Container":"app"}',
]


@pytest.fixture(params=DASH_FIRST)
def script_host(request: pytest.FixtureRequest, tmp_path: Path) -> ScriptHost:
    host = ScriptHost(tmp_path, request.param)
    host.make("image-of-app", OLD)
    return host


def behind_the_proxy() -> Program:
    wanted = WANTED._replace(ports=PORTS, health="/up", health_timeout=1)
    image = "proxy@sha256:" + "d" * 64
    return plan_proxy(COMMON, ProxyForm(wanted, (), tls=False, image=image, drain_timeout=1), ACME)


def answer_while(script_host: ScriptHost, condition: str) -> None:
    """Let the port of the host answer as long as a condition of the shell holds."""
    curl = script_host.folder / "bin" / "curl"
    curl.write_text(f"#!/bin/sh\ncd {script_host.folder}\nif {condition}; then printf 200; fi\n")
    curl.chmod(0o755)


def prune(script_host: ScriptHost) -> None:
    """Remove what does not run, as `docker container prune` does."""
    for name, state in script_host.boxes.items():
        if state == "stopped":
            (script_host.folder / "box" / name).unlink()


def switch_and_prune(
    script_host: ScriptHost, program: Program, *, then: str = "unhealthy"
) -> list[str]:
    """Deploy; prune when the old container has stopped; let the new one fail; return the facts."""
    process = script_host.start(program)
    say(process, call(*PHASES[: PHASES.index("check") + 1]))
    listen(process, "end check")
    script_host.make("slow", "start app.next")
    say(process, call(*PHASES[PHASES.index("switch") :]))
    script_host.await_reached()
    script_host.make("health", then)
    prune(script_host)
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    return facts


def of(facts: list[str], *names: str) -> list[str]:
    return [fact for fact in facts if fact.split(" ")[0] in names and fact.strip() not in names]


def test_a_pruned_old_container_is_made_again_with_the_login_of_the_deploy(
    script_host: ScriptHost,
) -> None:
    facts = switch_and_prune(script_host, WITHOUT)
    assert script_host.boxes == {"app": "running"}
    # Once for the new container, which had gone as well.
    assert script_host.requests == [*MADE_AGAIN[:2], *MADE_AGAIN]
    assert script_host.pulls[-1] == f"{OLD} ghcr.io"
    assert of(facts, "restored", "serving", "lost") == [f"restored {OLD}", "serving nobody"]
    assert not list(script_host.state.glob("docker-config"))


def test_a_pruned_new_container_is_made_again_and_serves(script_host: ScriptHost) -> None:
    facts = switch_and_prune(script_host, WITHOUT, then="healthy")
    assert script_host.boxes == {"app": "running"}
    assert of(facts, "failure", "committed", "serving") == ["committed yes", "serving answered"]
    assert not list(script_host.state.glob("definition*"))
    history = json.loads((script_host.state / "history.jsonl").read_text())
    assert (history["result"], history["previous"]) == ("deployed", OLD)


def test_what_cannot_be_made_again_is_reported_and_tried_by_the_next_deploy(
    script_host: ScriptHost,
) -> None:
    script_host.make("refuses", "")
    facts = switch_and_prune(script_host, WITHOUT)
    assert of(facts, "restored", "serving", "lost") == ["lost app", "serving nobody"]
    assert "silence no" in facts, "the words of the engine"
    assert script_host.boxes == {}
    (script_host.folder / "refuses").unlink()
    facts = script_host.run("lock", "prepare", "leave", program=WITHOUT)
    assert script_host.boxes == {"app": "running"}
    assert "recovered yes" in facts


def test_a_deploy_that_is_killed_in_its_switch_and_then_pruned_is_undone_by_the_next(
    script_host: ScriptHost,
) -> None:
    script_host.make("slow", "start app.next")
    process = script_host.start(WITHOUT)
    say(process, Secret("clean_up() { :; }\n"))
    say(process, call(*PHASES))
    script_host.await_reached()
    cut(process)
    (script_host.folder / "box" / "app").unlink()
    script_host.make("box/app.next", "running")
    script_host.make("broken", "pull ghcr.io/none")
    script_host.run("lock", "prepare", "leave", program=WITHOUT)
    assert script_host.boxes == {"app": "running"}
    assert script_host.requests == MADE_AGAIN


def test_the_note_of_a_container_is_for_its_user_alone_and_goes_with_the_switch(
    script_host: ScriptHost,
) -> None:
    process = script_host.start(WITHOUT)
    say(process, call(*PHASES[: PHASES.index("switch") + 1]))
    listen(process, "end switch")
    assert (script_host.state / "definition").stat().st_mode & 0o077 == 0
    say(process, call("leave"))
    listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert not list(script_host.state.glob("definition*"))
    assert script_host.boxes == {"app": "running"}


def test_an_image_that_goes_before_a_container_uses_it_is_pulled_again(
    script_host: ScriptHost,
) -> None:
    script_host.make("broken", "create")
    script_host.make("repairs", "pull")
    process = script_host.start()
    say(process, call("lock", "prepare"))
    listen(process, "end prepare")
    script_host.make("broken", "create")
    say(process, call("check", "leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert of(facts, "failure") == []
    assert len(script_host.pulls) == 2


@pytest.mark.parametrize(
    ("answers", "serving"),
    [
        # The old one before, the new one, and the old one again.
        ("true", ["serving answered"]),
        ("grep -qx running box/app.next || [ ! -e undone ]", ["serving nobody"]),
        ("grep -qx running box/app.next || [ -e candidate ]", ["serving running"]),
    ],
    ids=["it answers again", "it answered before", "it has never answered"],
)
def test_an_old_version_is_asked_what_it_answered_before(
    script_host: ScriptHost, answers: str, serving: list[str]
) -> None:
    answer_while(script_host, answers)
    script_host.make("candidate", "")
    process = script_host.start(WITH_A_PATH)
    say(process, call(*PHASES[: PHASES.index("check") + 1]))
    listen(process, "end check")
    (script_host.folder / "candidate").unlink()
    say(process, call("switch"))
    listen(process, "end switch")
    script_host.make("undone", "")
    say(process, call("leave"))
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert of(facts, "restored", "serving") == [f"restored {OLD}", *serving]
    result = json.loads((script_host.state / "history.jsonl").read_text())["result"]
    assert result == ("failed" if serving == ["serving nobody"] else "rolled-back")


@pytest.mark.parametrize(
    ("state", "health", "serving"),
    [
        ("running", "healthy", ["serving answered"]),
        ("running", "none", ["serving running"]),
        ("stopped", "healthy", ["serving nobody"]),
    ],
)
def test_a_refused_deploy_asks_the_version_that_it_did_not_touch(
    script_host: ScriptHost, state: str, health: str, serving: list[str]
) -> None:
    script_host.make("box/app", state)
    script_host.make("health", health)
    script_host.make("broken", "create --name app.candidate")
    assert of(script_host.run(*PHASES), "restored", "serving") == serving


def test_a_container_of_the_plain_form_is_made_again_when_the_proxy_gives_its_port_back(
    script_host: ScriptHost,
) -> None:
    answer_while(script_host, "grep -qx running box/app")
    script_host.make("holder", "app")
    script_host.make("slow", "start gen-workflow-proxy")
    process = script_host.start(behind_the_proxy())
    say(process, Secret("await_healthy() { :; }\nroute() { proxy_output=unknown; return 1; }\n"))
    say(process, call(*PHASES))
    script_host.await_reached()
    prune(script_host)
    facts = listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert script_host.boxes == {"app": "running"}
    assert of(facts, "restored", "serving") == [f"restored {OLD}", "serving answered"]
    assert script_host.requests[-1] == MADE_AGAIN[-1]

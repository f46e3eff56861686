"""What starts with a host that goes down in the middle of a deploy of one container."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS
from script_host import ACME, COMMON, PHASES, WANTED, ScriptHost, listen, say
from ship.ssh_deploy.program import call
from ship.ssh_deploy.run.plan import plan_run

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYED = {"app": "running", "app.previous": "stopped"}
# For a moment both have a policy with which they start. Then the port decides.
BOTH = "update --restart=no app"
# The host goes down before each of these is done.
STEPS = [
    "create --name app.next",
    "update --restart=always app",
    "stop",
    "start app.next",
    "container inspect --format {{.State.Status}} {{.RestartCount}}",
    "update --restart=unless-stopped app.next",
    BOTH,
    "rename app app.previous",
    "rename app.next app",
]


@pytest.fixture
def script_host(tmp_path: Path) -> ScriptHost:
    return ScriptHost(tmp_path)


def go_down(script_host: ScriptHost, step: str) -> None:
    """Lose the power before a command is done. Then nothing of the deploy runs any more."""
    script_host.make("slow", step)
    process = script_host.start()
    say(process, call(*PHASES))
    script_host.await_reached()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("step", STEPS)
def test_one_healthy_version_starts_with_the_host_whenever_it_goes_down(
    script_host: ScriptHost, step: str
) -> None:
    go_down(script_host, step)
    started = script_host.restart()
    assert len(started) == (2 if step == BOTH else 1), script_host.policies
    # The next deploy works, and leaves no policy of ours.
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"
    assert script_host.boxes == DEPLOYED
    assert script_host.policies == {"app": "unless-stopped", "app.previous": "no"}


def test_where_the_old_version_cannot_be_what_starts_the_new_one_does(
    script_host: ScriptHost,
) -> None:
    script_host.make("broken", "update --restart=always app")
    process = script_host.start()
    say(process, call(*PHASES[: PHASES.index("switch") + 1]))
    listen(process, "end switch")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert script_host.restart() == ["app.next"], script_host.policies
    script_host.make("broken", "never")
    assert script_host.run(*PHASES)[-1] == "ship-gone word 0"
    assert script_host.boxes == DEPLOYED
    assert script_host.policies == {"app": "unless-stopped", "app.previous": "no"}


def test_an_engine_that_restarts_before_the_commit_leaves_the_new_version_running(
    script_host: ScriptHost,
) -> None:
    process = script_host.start()
    say(process, call(*PHASES[: PHASES.index("switch") + 1]))
    listen(process, "end switch")
    assert script_host.restart() == ["app"]
    say(process, call(*PHASES[PHASES.index("switch") + 1 :]))
    assert "committed yes" in listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert script_host.boxes == DEPLOYED
    assert script_host.policies == {"app": "unless-stopped", "app.previous": "no"}


@pytest.mark.parametrize(
    ("broken", "failure"), [("create --name app.next", "start"), ("start app.next", "start")]
)
def test_a_deploy_that_fails_leaves_the_old_one_its_restart_policy(
    script_host: ScriptHost, broken: str, failure: str
) -> None:
    script_host.make("broken", broken)
    facts = script_host.run(*PHASES)
    assert f"failure {failure}" in facts
    assert script_host.boxes == {"app": "running"}
    assert script_host.policies == {"app": "unless-stopped"}
    assert not (script_host.state / "restart").exists()


def test_a_version_that_could_not_start_leaves_no_policy_to_the_deploy_that_repairs_it(
    script_host: ScriptHost,
) -> None:
    go_down(script_host, "start app.next")
    script_host.make("box/app", "stopped")
    script_host.make("whole", "")
    script_host.make("broken", "start app")
    facts = script_host.run(*PHASES, program=plan_run(COMMON, WANTED._replace(restart="no"), ACME))
    assert "committed yes" in facts
    assert script_host.policies == {"app": "no", "app.previous": "no"}
    assert not (script_host.state / "restart").exists()


@pytest.mark.parametrize("policy", ["unless-stopped", "always"])
def test_a_new_version_that_cannot_get_its_restart_policy_is_told(
    script_host: ScriptHost, policy: str
) -> None:
    script_host.make("policy/app", policy)
    script_host.make("broken", "update --restart=unless-stopped app.next")
    facts = script_host.run(*PHASES)
    assert "committed yes" in facts
    assert (
        "told app may not start after a reboot. To prevent this, run on the host: "
        "docker update --restart=unless-stopped app" in facts
    )
    assert script_host.boxes == DEPLOYED


@pytest.mark.parametrize("policy", ["no", "always", "on-failure"])
def test_a_policy_that_needs_no_help_is_not_changed_before_the_new_version_stays(
    script_host: ScriptHost, policy: str
) -> None:
    script_host.make("policy/app", policy)
    script_host.run(*PHASES)
    assert "update --restart=always app" not in script_host.calls
    assert script_host.policies == {"app": "unless-stopped", "app.previous": "no"}


def test_a_first_version_starts_with_the_host_from_the_beginning(script_host: ScriptHost) -> None:
    (script_host.folder / "box" / "app").unlink()
    script_host.run(*PHASES)
    made = [call for call in script_host.calls if call.startswith("create --name app.next")]
    assert "--restart unless-stopped" in made[0]
    assert script_host.policies == {"app": "unless-stopped"}

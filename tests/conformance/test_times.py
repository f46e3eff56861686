"""A rendered deploy has the time for all that its spec asks for, with what the action waits."""

from __future__ import annotations

from typing import Any

import pytest

from bed.action_file import ActionFile, read_action
from conformance.subjects import ROOT, Subject, rendered
from gen_workflow.plan import times
from gen_workflow.spec import rules
from gen_workflow.spec.access import Ssh
from gen_workflow.spec.container import Run
from gen_workflow.spec.health import Health
from gen_workflow.spec.host import SshDeploy
from gen_workflow.spec.kubernetes import Kubernetes

ACTION = read_action(ROOT / "actions" / "ssh-deploy")
IN_A_CLUSTER = read_action(ROOT / "actions" / "kubectl-set-image")
# To connect, pull and clean up, in seconds.
WORK = 600
# What commands without a limit of their own get.
COMMANDS = 600
SCRIPT = 1800


def deploy(health: str = "", stop: str = "") -> SshDeploy:
    return SshDeploy(Ssh(), Run(stop_timeout=stop), health=Health(timeout=health))


def default(name: str, action: ActionFile = ACTION) -> int:
    return int(action.inputs[name]["default"])


def needed(given: dict[str, str]) -> tuple[int, int]:
    """Return the longest wait for the lock, and the longest that a deploy holds it."""
    names = ("health-timeout", "stop-timeout", "lock-timeout", "drain-timeout")
    seconds = {name: int(given.get(name, default(name))) for name in names}
    health, stop = seconds["health-timeout"], seconds["stop-timeout"]
    held = WORK + COMMANDS * len({"before", "after"} & set(given))
    if "script" in given:
        held += SCRIPT
    elif "compose" in given:
        # compose_up.sh: tasks and the project, each with a limit for `up` and one for its health,
        # the path at the end, and the project once more in a rollback.
        held += 2 * (health + 60) + 2 * (2 * health + 60) + 2 * health
    elif given.get("strategy") == "proxy":
        held += 4 * health + 2 * stop + seconds["drain-timeout"]
    else:
        held += 3 * health + 2 * stop
    return seconds["lock-timeout"], held


def asked_from_outside(step: dict[str, Any]) -> list[int]:
    """Return the longest that a step on the runner asks an address."""
    return [int(step.get("env", {}).get("SECONDS_TO_ANSWER", 0))]


def waits(step: dict[str, Any]) -> list[int]:
    """Return the longest that each part of a step takes, in seconds."""
    if "/kubectl-set-image@" in step.get("uses", ""):
        return needed_in_a_cluster(step["with"])
    if "/ssh-deploy@" in step.get("uses", ""):
        return [*needed(step["with"])]
    return asked_from_outside(step)


def needed_in_a_cluster(given: dict[str, str]) -> list[int]:
    """Return the longest that each part of a deploy into a cluster takes, in seconds."""
    names = ("timeout", "stability", "rollback-timeout")
    return [WORK, *(int(given.get(name, default(name, IN_A_CLUSTER))) for name in names)]


@pytest.mark.parametrize("subject", rendered(), ids=lambda each: str(each.name))
def test_the_job_of_a_rendered_deploy_has_time_for_all_its_waits(subject: Subject) -> None:
    for name, job in subject.document["jobs"].items():
        if name.startswith("deploy"):
            seconds = sum(second for step in job["steps"] for second in waits(step))
            assert job["timeout-minutes"] * 60 >= seconds


@pytest.mark.parametrize("health", ["", "1", "60", "601", "1000", "3000"])
@pytest.mark.parametrize("stop", ["", "0", "300"])
def test_long_waits_fit_the_job_and_its_lock(health: str, stop: str) -> None:
    limits = times.of(deploy(health, stop))
    given = {"health-timeout": health, "stop-timeout": stop, "lock-timeout": limits.lock_timeout}
    wait, held = needed({name: value for name, value in given.items() if value})
    assert limits.job_minutes * 60 >= wait + held
    # The next deploy never ends one that still does what was asked of it.
    assert int(limits.lock_expiry or default("lock-expiry")) >= held
    # It waits for one that asks for more time than usual as much longer.
    usual = needed({})
    assert wait - usual[0] >= held - usual[1]


def test_waits_of_the_usual_length_say_nothing_of_locks() -> None:
    usual = (deploy(), deploy("6"), deploy("60", "10"))
    for each in (*usual, *(one._replace(compose=("compose.yml",)) for one in usual)):
        assert times.of(each)[1:] == ("", "")


def test_hosts_that_switch_one_after_another_get_the_time_of_each() -> None:
    ssh = Ssh(hosts=("h1", "h2", "h3"))
    at_once = times.of(SshDeploy(ssh)).job_minutes
    alone = times.of(SshDeploy(ssh, max_parallel="1")).job_minutes
    # Each group of hosts waits for the health of its containers, and stops the old ones.
    held = WORK + 5 * default("health-timeout") + 4 * default("stop-timeout")
    assert alone * 60 >= default("lock-timeout") + held
    assert alone > at_once
    assert times.of(SshDeploy(ssh, max_parallel="100%")).job_minutes == at_once


def test_a_limit_of_the_spec_goes_before_ours() -> None:
    limits = times.of(SshDeploy(Ssh(), lock_timeout="5", lock_expiry="60"))
    assert limits[1:] == ("5", "60")
    assert limits.job_minutes < times.of(SshDeploy(Ssh())).job_minutes


def test_no_job_asks_for_more_than_github_gives() -> None:
    longest = times.of(deploy("3600", "3600"))
    assert longest.job_minutes == 360
    assert times.of_cluster(Kubernetes(timeout="21600")) == 360


def test_the_defaults_are_those_of_the_action() -> None:
    assert default("health-timeout") == times.HEALTH_TIMEOUT
    assert default("stop-timeout") == times.STOP_TIMEOUT
    assert default("lock-timeout") == times.LOCK_TIMEOUT
    assert default("lock-expiry") == times.LOCK_EXPIRY
    assert default("drain-timeout") == times.DRAIN_TIMEOUT
    assert default("timeout", IN_A_CLUSTER) == rules.ROLLOUT
    assert default("stability", IN_A_CLUSTER) == rules.STABILITY
    assert default("rollback-timeout", IN_A_CLUSTER) == rules.ROLLBACK

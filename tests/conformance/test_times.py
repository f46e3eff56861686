"""A rendered deploy has the time for all that its spec asks for, with what the action waits."""

from __future__ import annotations

import pytest

from bed.action_file import ActionFile, read_action
from conformance.subjects import ROOT, Subject, rendered
from gen_workflow.plan import times
from gen_workflow.spec import rules
from gen_workflow.spec.host import Run
from gen_workflow.spec.kubernetes import Kubernetes

ACTION = read_action(ROOT / "actions" / "ssh-deploy")
IN_A_CLUSTER = read_action(ROOT / "actions" / "kubectl-set-image")
# To connect, pull and clean up, in seconds.
WORK = 600


def default(name: str, action: ActionFile = ACTION) -> int:
    return int(action.inputs[name]["default"])


def needed(given: dict[str, str]) -> tuple[int, int]:
    """Return the longest wait for the lock, and the longest that a deploy holds it."""
    seconds = {
        name: int(given.get(name, default(name)))
        for name in ("health-timeout", "stop-timeout", "lock-timeout")
    }
    held = WORK + 3 * seconds["health-timeout"] + 2 * seconds["stop-timeout"]
    return seconds["lock-timeout"], held


def needed_in_a_cluster(given: dict[str, str]) -> list[int]:
    """Return the longest that each part of a deploy into a cluster takes, in seconds."""
    names = ("timeout", "stability", "rollback-timeout")
    return [WORK, *(int(given.get(name, default(name, IN_A_CLUSTER))) for name in names)]


@pytest.mark.parametrize("subject", rendered(), ids=lambda each: str(each.name))
def test_the_job_of_a_rendered_deploy_has_time_for_all_its_waits(subject: Subject) -> None:
    document = subject.document
    if "deploy" not in document["jobs"]:
        return
    job = document["jobs"]["deploy"]
    ours = ("/ssh-deploy@", "/kubectl-set-image@")
    (step,) = (one for one in job["steps"] if any(each in one.get("uses", "") for each in ours))
    wait = needed_in_a_cluster if "/kubectl-set-image@" in step["uses"] else needed
    assert job["timeout-minutes"] * 60 >= sum(wait(step["with"]))


@pytest.mark.parametrize("health", ["", "1", "60", "601", "1000", "3000"])
@pytest.mark.parametrize("stop", ["", "0", "300"])
def test_long_waits_fit_the_job_and_its_lock(health: str, stop: str) -> None:
    limits = times.of(Run(health_timeout=health, stop_timeout=stop))
    given = {"health-timeout": health, "stop-timeout": stop, "lock-timeout": limits.lock_timeout}
    wait, held = needed({name: value for name, value in given.items() if value})
    assert limits.job_minutes * 60 >= wait + held
    # The next deploy never ends one that still does what was asked of it.
    assert int(limits.lock_expiry or default("lock-expiry")) >= held
    # It waits for one that asks for more time than usual as much longer.
    usual = needed({})
    assert wait - usual[0] >= held - usual[1]


def test_waits_of_the_usual_length_say_nothing_of_locks() -> None:
    for run in (Run(), Run(health_timeout="6"), Run(health_timeout="60", stop_timeout="10")):
        assert times.of(run)[1:] == ("", "")


def test_no_job_asks_for_more_than_github_gives() -> None:
    longest = times.of(Run(health_timeout="3600", stop_timeout="3600"))
    assert longest.job_minutes == 360
    assert times.of_cluster(Kubernetes(timeout="21600")) == 360


def test_the_defaults_are_those_of_the_action() -> None:
    assert default("health-timeout") == times.HEALTH_TIMEOUT
    assert default("stop-timeout") == times.STOP_TIMEOUT
    assert default("lock-timeout") == times.LOCK_TIMEOUT
    assert default("lock-expiry") == times.LOCK_EXPIRY
    assert default("timeout", IN_A_CLUSTER) == rules.ROLLOUT
    assert default("stability", IN_A_CLUSTER) == rules.STABILITY
    assert default("rollback-timeout", IN_A_CLUSTER) == rules.ROLLBACK

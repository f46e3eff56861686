"""What looks like a failure, and is none: nobody is called for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ship.kube.snapshot import DAEMON_SET, DEPLOYMENT, STATEFUL_SET
from unit.ship.kube import said
from unit.ship.kube.objects import (
    BAD,
    GOOD,
    NEW,
    OLD,
    RUNNING,
    condition,
    event,
    look,
    pod,
    ready_pod,
    replica_set,
    status,
    template,
    terminated,
)
from unit.ship.kube.watching import (
    UID,
    cause,
    crashed,
    judge,
    of_each_kind,
    starting,
    states,
    unpulled,
)

if TYPE_CHECKING:
    from unit.ship.kube.objects import Json


@of_each_kind
@pytest.mark.parametrize("message", [said.HUB_LIMIT, said.NOT_FOUND])
def test_a_pull_that_succeeds_in_the_end_is_no_failure(kind: str, message: str) -> None:
    looks = [look(at, kind, unpulled("web-1", kind, message)) for at in range(20)]
    looks += [look(at, kind, ready_pod("web-1", kind)) for at in range(20, 31)]
    assert states(judge(), *looks) == ["running"] * 30 + ["done"]


@of_each_kind
def test_words_of_a_failed_pull_do_not_age_while_the_next_try_goes_on(kind: str) -> None:
    failed = event(
        UID, "Failed", f"Failed to pull image: {said.NOT_FOUND}", last="2026-11-29T10:39:10Z"
    )
    again = event(UID, "Pulling", f'Pulling image "{BAD}"', times=2, last="2026-11-29T10:39:20Z")
    looks = [
        look(at, kind, unpulled("web-1", kind), events=(failed, again)) for at in range(0, 100, 5)
    ]
    deciding = judge()
    assert set(states(deciding, *looks)) == {"running"}
    over = {**failed, "lastTimestamp": "2026-11-29T10:39:50Z"}
    verdict = deciding.look(look(100, kind, unpulled("web-1", kind), events=(over, again)))
    assert (verdict.state, cause(verdict).key) == ("failed", "image-not-found")


@of_each_kind
def test_a_slow_start_is_no_failure_before_the_time_without_progress_is_over(kind: str) -> None:
    told = event(UID, "Unhealthy", "Readiness probe failed: not yet", container="app", times=50)
    slow = [look(at, kind, starting("web-1", kind), events=(told,)) for at in range(0, 120, 10)]
    assert set(states(judge(), *slow)) == {"running"}


@of_each_kind
def test_each_further_pod_that_gets_ready_is_progress(kind: str) -> None:
    deciding = judge()
    for at in range(0, 1000, 100):
        well = [ready_pod(f"web-{each}", kind) for each in range(at // 100)]
        rest = starting("web-x", kind)
        assert deciding.look(look(at, kind, *well, rest, wanted=20)).state == "running"


@of_each_kind
def test_an_old_pod_that_crashes_is_no_failure(kind: str) -> None:
    old = crashed("web-0", kind, ends=9, template=OLD)
    looks = [look(at, kind, old, starting("web-1", kind), wanted=2) for at in range(0, 100, 10)]
    assert set(states(judge(), *looks)) == {"running"}


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET])
def test_an_autoscaler_may_scale_meanwhile(kind: str) -> None:
    one, two = ready_pod("web-1", kind), starting("web-2", kind)
    both = (one, ready_pod("web-2", kind))
    deciding = judge()
    assert states(
        deciding,
        look(0, kind, one, wanted=1),
        look(5, kind, one, two, wanted=2),
        look(60, kind, *both, wanted=2),
        look(64, kind, *both, wanted=2),
        look(66, kind, one, ready_pod("web-2", kind, leaving=True), wanted=1),
        look(70, kind, one, wanted=1),
    ) == ["running"] * 5 + ["done"]


@of_each_kind
def test_another_field_may_change_meanwhile(kind: str) -> None:
    person = template(BAD, terminationGracePeriodSeconds=5)
    made = replica_set("aaaa", image=BAD)
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 5
    sets = (replica_set(NEW), replica_set(OLD), made)
    deciding = judge()
    deciding.look(look(0, kind, crashed("web-1", kind, ends=1)))
    # The crash of the template in between does not count for the one of now.
    changed = look(100, kind, starting("web-1", kind), template=person, replica_sets=sets)
    assert deciding.look(changed).state == "running"
    later = look(200, kind, starting("web-1", kind), template=person, replica_sets=sets)
    assert deciding.look(later).state == "running"


def test_what_was_there_before_the_change_does_not_count() -> None:
    late = condition("Progressing", "False", "ProgressDeadlineExceeded", f'"web-{NEW}" timed out')
    failure = condition("ReplicaFailure", "True", "FailedCreate", next(iter(said.REFUSALS)))
    sets = (replica_set(NEW, failure), replica_set(OLD))
    # These pods are of the template that is returned to, and have crashed long ago.
    kept = pod("web-1", DEPLOYMENT, status(RUNNING, last=terminated(1), restarts=7))
    before = look(0, DEPLOYMENT, kept, template=template(GOOD), conditions=(late,),
                  replica_sets=sets, wanted=2)  # fmt: skip
    looks = [
        look(at, DEPLOYMENT, kept, conditions=(late,), replica_sets=sets, wanted=2)
        for at in (10, 40)
    ]
    assert states(judge(before), *looks) == ["running"] * 2
    assert states(judge(), *looks[:1]) == ["failed"]


@pytest.mark.parametrize("kind", [STATEFUL_SET, DAEMON_SET])
def test_events_of_before_the_change_do_not_count(kind: str) -> None:
    told = event("workload", "FailedCreate", "Error creating: exceeded quota: q", times=9)
    before = look(0, kind, events=(told,))
    deciding = judge(before)
    assert states(deciding, *(look(at, kind, events=(told,)) for at in (1, 60))) == ["running"] * 2
    again = {**told, "count": 10}
    looks = [look(at, kind, events=(again,)) for at in (61, 76)]
    assert states(deciding, *looks) == ["running", "failed"]


def test_a_refused_surge_is_no_failure_while_the_rollout_gets_on() -> None:
    failure = condition("ReplicaFailure", "True", "FailedCreate", next(iter(said.REFUSALS)))
    sets = (replica_set(NEW, failure), replica_set(OLD))
    deciding = judge()
    for at in range(0, 100, 10):
        snapshot = look(at, DEPLOYMENT, starting(), wanted=4, replica_sets=sets)
        assert deciding.look(snapshot).state == "running"


@of_each_kind
def test_a_pod_that_takes_long_to_stop_is_no_stall(kind: str) -> None:
    stops = ready_pod("web-0", kind, template=OLD, leaving=True)
    stops["metadata"]["deletionGracePeriodSeconds"] = 600
    looks = [look(at, kind, stops) for at in (0, 719, 720)]
    assert states(judge(), *looks) == ["running", "running", "failed"]


def test_the_seconds_until_a_ready_pod_is_available_are_no_stall() -> None:
    waits: Json = {"minReadySeconds": 300, "status": {"availableReplicas": 0}}
    looks = [look(at, DEPLOYMENT, ready_pod(), **waits) for at in (0, 419, 420)]
    assert states(judge(), *looks) == ["running", "running", "failed"]


@of_each_kind
def test_time_in_which_nobody_could_look_does_not_count(kind: str) -> None:
    # As when the API server is restarted: what the first look after that shows is old.
    deciding = judge().judge
    looks = [look(at, kind, unpulled("web-1", kind)) for at in (0, 3, 600, 606)]
    assert states(deciding, *looks) == ["running"] * 4
    assert states(deciding, look(607, kind, unpulled("web-1", kind))) == ["failed"]


def test_pods_that_had_failed_before_the_change_do_not_count() -> None:
    gone = pod("gone", DEPLOYMENT, phase="Failed", reason="SysctlForbidden", message=said.SYSCTL)
    before = look(0, DEPLOYMENT, gone, template=template(GOOD))
    now = look(1, DEPLOYMENT, gone, starting())
    assert states(judge(before), now) == ["running"]
    assert states(judge(), now) == ["failed"]


@pytest.mark.parametrize("kind", [STATEFUL_SET, DAEMON_SET])
def test_a_refusal_after_which_a_pod_was_made_is_over(kind: str) -> None:
    # As when pods start one after another, and the first was refused for a moment.
    told = event("workload", "FailedCreate", "exceeded quota: q", last="2026-11-29T10:39:01Z")
    made = event("workload", "SuccessfulCreate", "create Pod", last="2026-11-29T10:39:01Z")
    first = starting("web-1", kind)
    looks = [look(at, kind, first, wanted=3, events=(told, made)) for at in (0, 100)]
    assert states(judge(), *looks) == ["running"] * 2


@of_each_kind
def test_the_time_without_progress_begins_anew_when_a_ready_pod_is_replaced(kind: str) -> None:
    one, gone = ready_pod("web-1", kind), ready_pod("web-1", kind, leaving=True)
    looks = [look(at, kind, one) for at in (0, 200)]
    looks.append(look(201, kind, gone, starting("web-2", kind)))
    assert states(judge(stability=300), *looks) == ["running"] * 3


@of_each_kind
def test_a_refusal_is_over_when_all_pods_are_there(kind: str) -> None:
    refused = "maximum memory usage per Container is 1Gi, but limit is 2Gi"
    failure = condition("ReplicaFailure", "True", "FailedCreate", refused)
    told = event("workload", "FailedCreate", refused)
    sets = (replica_set(NEW, failure),)
    looks = [
        look(at, kind, starting("web-1", kind), events=(told,), replica_sets=sets)
        for at in (0, 100)
    ]
    assert states(judge(), *looks) == ["running"] * 2


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET])
def test_a_workload_that_is_scaled_to_zero_and_up_again_is_no_failure(kind: str) -> None:
    deciding = judge()
    looks = [look(0, kind, starting("web-1", kind)), *(look(at, kind, wanted=0) for at in (1, 29))]
    looks += [look(at, kind, ready_pod("web-2", kind)) for at in (31, 36, 41)]
    assert states(deciding, *looks) == ["running"] * 5 + ["done"]


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET])
def test_a_workload_that_stays_scaled_to_zero_has_no_pods(kind: str) -> None:
    at_once = [look(0, kind, wanted=0)]
    assert states(judge(), *at_once) == ["nothing-runs"]
    later = [look(0, kind, starting("web-1", kind)), *(look(at, kind, wanted=0) for at in (1, 30))]
    assert states(judge(), *later) == ["running", "running", "nothing-runs"]

"""Ends of containers that are no crashes, and faults of nodes that are not those of pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ship.kube.snapshot import DEPLOYMENT
from unit.ship.kube import said
from unit.ship.kube.objects import (
    OLD,
    RUNNING,
    condition,
    event,
    look,
    pod,
    ready_pod,
    status,
    terminated,
)
from unit.ship.kube.watching import (
    LOST,
    UID,
    cause,
    crashed,
    judge,
    of_each_kind,
    starting,
    states,
    unpulled,
    unschedulable,
)

if TYPE_CHECKING:
    from unit.ship.kube.objects import Json

NO_ROOM = (event("uid-web-2", "FailedScheduling", said.NO_ROOM),)


@of_each_kind
@pytest.mark.parametrize(
    ("end", "more"),
    [
        (terminated(255, "Unknown"), {}),
        (terminated(137, "ContainerStatusUnknown"), {}),
        (terminated(0, "RestartingAllContainers"), {}),
        (terminated(42), {"restartPolicyRules": [
            {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]}),
        (terminated(42), {"restartPolicyRules": [
            {"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [0, 1]}}]}),
        (terminated(0), {"restartPolicy": "Never"}),
    ],
    ids=["restarted machine", "unknown", "all restarted", "rule", "rule for others", "runs once"],
)  # fmt: skip
def test_ends_that_are_no_crashes_do_not_count(kind: str, end: Json, more: Json) -> None:
    deciding = judge(restarts=0)
    looks = [
        look(
            at,
            kind,
            pod(
                "web-1",
                kind,
                status(RUNNING, last=end, restarts=at, ready=False),
                specs={"app": more},
            ),
        )
        for at in range(1, 9)
    ]
    assert set(states(deciding, *looks)) == {"running"}


def test_a_resize_in_place_does_not_count_but_a_crash_after_it_does() -> None:
    told = event(UID, "Killing", "Container app resize requires restart", container="app")
    end = terminated(143)
    resized = pod("web-1", DEPLOYMENT, status(RUNNING, last=end, restarts=1))
    deciding = judge(restarts=0)
    assert deciding.look(look(0, DEPLOYMENT, resized, events=(told,))).state == "running"
    assert deciding.look(look(1, DEPLOYMENT, crashed(), events=(told,))).state == "failed"


@of_each_kind
def test_an_init_container_that_has_ended_well_is_fine(kind: str) -> None:
    init = status(terminated(0), name="mig", restarts=3)
    found = pod("web-1", kind, status(RUNNING), inits=(init,))
    assert states(judge(stability=0), look(0, kind, found)) == ["done"]


@of_each_kind
def test_a_container_may_fail_once_as_it_starts(kind: str) -> None:
    end = terminated(1)
    deciding = judge()
    assert states(
        deciding,
        look(0, kind, pod("web-1", kind, status(end))),
        look(1, kind, pod("web-1", kind, status(RUNNING, last=end, restarts=1))),
        look(11, kind, pod("web-1", kind, status(RUNNING, last=end, restarts=1))),
    ) == ["running", "running", "done"]


@of_each_kind
def test_a_sandbox_that_is_made_anew_ends_no_container_by_its_own_fault(kind: str) -> None:
    told = event(UID, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
    again = pod("web-1", kind, status(RUNNING, last=terminated(143), restarts=1))
    deciding = judge(restarts=0)
    assert deciding.look(look(0, kind, again, events=(told,))).state == "running"
    assert deciding.look(look(1, kind, crashed("web-1", kind), events=(told,))).state == "failed"


@of_each_kind
@pytest.mark.parametrize("reason", ["NodeShutdown", "Terminated", "Preempting", "OutOfcpu"])
def test_pods_that_a_node_ends_are_no_failure(kind: str, reason: str) -> None:
    gone = [
        pod(f"gone-{each}", kind, phase="Failed", reason=reason, message="Pod was rejected")
        for each in range(5)
    ]
    looks = [look(at, kind, *gone, ready_pod("web-1", kind)) for at in (0, 5, 10)]
    assert states(judge(), *looks) == ["running", "running", "done"]


@of_each_kind
def test_a_pod_that_is_disrupted_is_no_failure(kind: str) -> None:
    why = condition("DisruptionTarget", "True", "DeletionByPodGC", "node no longer exists")
    gone = pod("gone", kind, phase="Failed", conditions=[why])
    assert states(judge(), look(0, kind, gone, starting("web-1", kind))) == ["running"]


@of_each_kind
def test_a_pod_that_is_evicted_is_no_failure_but_three_are(kind: str) -> None:
    full = 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '
    gone = [
        pod(f"gone-{each}", kind, phase="Failed", reason="Evicted", message=full)
        for each in range(3)
    ]
    new = starting("web-1", kind)
    deciding = judge()
    # They are counted also when the cluster has cleaned them away.
    looks = (look(0, kind, gone[0], new), look(1, kind, gone[1], new), look(2, kind, gone[2], new))
    assert states(deciding, *looks) == ["running", "running", "failed"]


def test_a_node_that_is_low_counts_as_one_however_many_pods_it_evicts() -> None:
    low = "The node was low on resource: memory. Container app was using 90Mi, request is 0"
    gone = [
        pod(f"gone-{each}", DEPLOYMENT, phase="Failed", reason="Evicted", message=low)
        for each in range(9)
    ]
    assert states(judge(), look(0, DEPLOYMENT, *gone, starting())) == ["running"]


@of_each_kind
def test_a_lost_node_is_no_failure_before_the_time_without_progress_is_over(kind: str) -> None:
    lost = pod("web-1", kind, status(RUNNING), conditions=LOST)
    looks = [look(at, kind, lost) for at in (0, 60, 119, 120)]
    deciding = judge()
    assert states(deciding, *looks) == ["running"] * 3 + ["failed"]
    assert cause(deciding.look(looks[-1])).key == "node-lost"


@of_each_kind
def test_where_another_new_pod_is_well_a_sick_one_gets_four_times_as_long(kind: str) -> None:
    pods = (ready_pod("web-ok", kind), unpulled("web-1", kind))
    looks = [look(at, kind, *pods, wanted=2) for at in (0, 79, 80)]
    assert states(judge(), *looks) == ["running", "running", "failed"]
    ends = [look(at, kind, ready_pod("web-ok", kind), crashed("web-1", kind, at), wanted=2)
            for at in range(1, 6)]  # fmt: skip
    assert states(judge(), *ends) == ["running"] * 4 + ["failed"]


def test_a_pod_without_room_waits_for_the_others_of_its_rollout() -> None:
    # Another is still starting, then an old one is stopping. After that it has a while to get room.
    looks = [
        look(at, DEPLOYMENT, starting(), unschedulable(), wanted=2, events=NO_ROOM)
        for at in (0, 40, 80)
    ]
    stops = ready_pod("web-0", template=OLD, leaving=True)
    looks += [
        look(at, DEPLOYMENT, ready_pod("web-1"), unschedulable(), stops, wanted=2, events=NO_ROOM)
        for at in (100, 170)
    ]
    room = [look(at, DEPLOYMENT, ready_pod("web-1"), unschedulable(), wanted=2, events=NO_ROOM)
            for at in (171, 270, 275)]  # fmt: skip
    assert states(judge(progress=1000), *looks, *room) == ["running"] * 7 + ["failed"]


@of_each_kind
def test_a_pod_that_others_make_room_for_is_waited_for(kind: str) -> None:
    found = unschedulable("web-1", kind)
    found["status"]["nominatedNodeName"] = "n1"
    told = event(UID, "FailedScheduling", said.NO_ROOM)
    looks = [look(at, kind, found, events=(told,)) for at in (0, 60, 119)]
    assert states(judge(), *looks) == ["running"] * 3
    del found["status"]["nominatedNodeName"]
    assert states(judge(), *looks) == ["running", "failed", "failed"]


@of_each_kind
def test_after_a_restart_that_is_allowed_a_pod_may_take_its_time_again(kind: str) -> None:
    end = terminated(1)
    again = pod("web-1", kind, status(RUNNING, last=end, restarts=1, ready=False))
    looks = [look(0, kind, ready_pod("web-1", kind)), look(3, kind, crashed("web-1", kind, 1))]
    looks += [look(at, kind, again) for at in (4, 30, 60)]
    assert states(judge(), *looks) == ["running"] * 5


@of_each_kind
def test_a_pod_that_has_been_restarted_is_no_sign_that_a_node_is_sick(kind: str) -> None:
    again = pod("web-0", kind, status(RUNNING, last=terminated(3), restarts=1))
    looks = [look(at, kind, again, crashed("web-1", kind, at), wanted=2) for at in (1, 2)]
    assert states(judge(), *looks) == ["running", "failed"]


def test_a_pod_that_cannot_stop_as_its_node_is_lost_is_not_waited_for() -> None:
    gone = pod("web-0", DEPLOYMENT, status(RUNNING), conditions=LOST, leaving=True)
    looks = [
        look(at, DEPLOYMENT, gone, unschedulable(), wanted=2, events=NO_ROOM) for at in (0, 59, 60)
    ]
    assert states(judge(), *looks) == ["running", "running", "failed"]


@of_each_kind
def test_a_pod_that_is_being_stopped_is_not_looked_at(kind: str) -> None:
    stops = crashed("web-1", kind, leaving=True)
    looks = [look(at, kind, stops, starting("web-2", kind)) for at in (0, 1)]
    assert states(judge(), *looks) == ["running", "running"]


@of_each_kind
def test_an_exit_code_that_no_rule_is_for_is_a_crash(kind: str) -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    found = crashed("web-1", kind, specs={"app": {"restartPolicyRules": [rule]}})
    assert states(judge(), look(0, kind, found)) == ["failed"]

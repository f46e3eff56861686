"""Why a pod does not start, in each kind of workload, and when that is a failure."""

from __future__ import annotations

import pytest

from ship.kube.snapshot import DEPLOYMENT
from unit.ship.kube import said
from unit.ship.kube.objects import (
    BAD,
    KINDS,
    NEW,
    RUNNING,
    condition,
    event,
    look,
    pod,
    replica_set,
    status,
    waiting,
)
from unit.ship.kube.watching import (
    UID,
    assert_fails_after,
    assert_never_fails_by_itself,
    brief,
    judged,
    of_each_kind,
    patient,
    stays,
)


@of_each_kind
@pytest.mark.parametrize(
    ("message", "key", "grace"), [(message, *of) for message, of in said.MOUNTS.items()]
)
def test_a_volume_that_only_events_tell_of(kind: str, message: str, key: str, grace: int) -> None:
    found = stays(kind, "ContainerCreating")
    assert_fails_after(grace, key, kind, found, event(UID, "FailedMount", message, times=3))
    # What has happened twice may have been the start of the node.
    assert_never_fails_by_itself(key, kind, found, event(UID, "FailedMount", message, times=2))


def test_a_volume_that_was_late_is_no_reason_once_the_image_is_pulled() -> None:
    found = stays(DEPLOYMENT, "ContainerCreating")
    late = event(UID, "FailedMount", 'volume "v" : secret "sec" not found', times=9)
    pulling = event(UID, "Pulling", f'Pulling image "{BAD}"', container="app")
    assert_never_fails_by_itself("image-pulling", DEPLOYMENT, found, late, pulling)


def test_a_volume_that_was_late_is_no_reason_once_the_sandbox_is_ready() -> None:
    ready = [condition("PodReadyToStartContainers", "True")]
    found = pod("web-1", DEPLOYMENT, status(waiting()), phase="Pending", conditions=ready)
    late = event(UID, "FailedMount", 'volume "v" : secret "sec" not found', times=9)
    assert judged(DEPLOYMENT, (0, 100), found, late) == [("running", "")] * 2


def test_a_volume_that_another_node_still_has_is_waited_for() -> None:
    message = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0'
    found = stays(DEPLOYMENT, "ContainerCreating")
    told = event(UID, "FailedAttachVolume", message, times=9)
    assert_never_fails_by_itself("volume-in-use", DEPLOYMENT, found, told)


def test_a_sandbox_that_fails_with_another_number_each_time_is_counted() -> None:
    message = 'Failed to create pod sandbox: rpc error: code = Unknown desc = x "{}": no network'
    events = tuple(
        event(UID, "FailedCreatePodSandBox", message.format(str(each) * 64)) for each in range(3)
    )
    found = stays(DEPLOYMENT, "ContainerCreating")
    assert_fails_after(120, "sandbox-failed", DEPLOYMENT, found, *events)


def test_a_memory_limit_that_is_too_low_for_the_sandbox() -> None:
    message = (
        'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox "4"'
        ": container init was OOM-killed (memory limit too low?)"
    )
    told = event(UID, "FailedCreatePodSandBox", message, times=3)
    found = stays(DEPLOYMENT, "ContainerCreating")
    assert_fails_after(30, "out-of-memory", DEPLOYMENT, found, told)


@pytest.mark.parametrize(
    ("message", "key", "grace"), [(message, *of) for message, of in said.REFUSALS.items()]
)
class TestPodsThatAreRefused:
    def test_of_a_deployment(self, message: str, key: str, grace: float) -> None:
        failure = condition("ReplicaFailure", "True", "FailedCreate", message)
        sets = (replica_set(NEW, failure),)
        deciding = patient()
        verdicts = [
            brief(deciding.look(look(at, DEPLOYMENT, replica_sets=sets)))
            for at in (0, grace - 1, grace)
        ]
        assert verdicts == [("running", key)] * 2 + [("failed", key)]

    @pytest.mark.parametrize("kind", KINDS[1:])
    def test_of_other_kinds(self, kind: str, message: str, key: str, grace: float) -> None:
        told = event("workload", "FailedCreate", f"Error creating: {message}")
        deciding = patient()
        verdicts = [
            brief(deciding.look(look(at, kind, events=(told,)))) for at in (0, grace - 1, grace)
        ]
        assert verdicts == [("running", key)] * 2 + [("failed", key)]


def test_a_refusal_of_an_older_replica_set_does_not_count() -> None:
    failure = condition("ReplicaFailure", "True", "FailedCreate", next(iter(said.REFUSALS)))
    sets = (replica_set(NEW), replica_set("5c4b", failure))
    deciding = patient()
    verdicts = [
        deciding.look(look(at, DEPLOYMENT, replica_sets=sets, conditions=(failure,)))
        for at in (0, 30)
    ]
    assert [brief(each) for each in verdicts] == [("running", "")] * 2


def test_a_deployment_that_can_make_no_replica_set() -> None:
    why = condition("Progressing", "False", "ReplicaSetCreateError", "exceeded quota: q")
    deciding = patient()
    verdicts = [
        brief(deciding.look(look(at, DEPLOYMENT, replica_sets=(), conditions=(why,))))
        for at in (0, 15)
    ]
    assert verdicts == [("running", "quota-exceeded"), ("failed", "quota-exceeded")]


@of_each_kind
@pytest.mark.parametrize(("message", "key"), said.UNSCHEDULABLE.items())
def test_a_pod_that_no_node_can_take(kind: str, message: str, key: str) -> None:
    found = pod(
        "web-1", kind, conditions=[condition("PodScheduled", "False", "Unschedulable", message)]
    )
    assert_fails_after(60, key, kind, found, event(UID, "FailedScheduling", message))
    # Without events nobody can tell whether an autoscaler is adding a node.
    assert_never_fails_by_itself(key, kind, found)


@of_each_kind
@pytest.mark.parametrize("reason", ["TriggeredScaleUp", "Nominated"])
def test_a_pod_that_an_autoscaler_makes_a_node_for_is_waited_for(kind: str, reason: str) -> None:
    found = pod(
        "web-1",
        kind,
        conditions=[condition("PodScheduled", "False", "Unschedulable", said.NO_ROOM)],
    )
    comes = event(UID, reason, "pod triggered scale-up: [{group 1->2 (max: 5)}]")
    assert_never_fails_by_itself("waiting-for-a-node", kind, found, comes)


def test_a_pod_behind_scheduling_gates() -> None:
    gated = condition("PodScheduled", "False", "SchedulingGated", "Scheduling is blocked")
    found = pod(
        "web-1", DEPLOYMENT, conditions=[gated], schedulingGates=[{"name": "example.com/wait"}]
    )
    assert_never_fails_by_itself("scheduling-gated", DEPLOYMENT, found)


def test_a_pod_that_no_scheduler_has_looked_at() -> None:
    found = pod("web-1", DEPLOYMENT, schedulerName="other")
    assert_never_fails_by_itself("no-scheduler", DEPLOYMENT, found)


@of_each_kind
def test_a_pod_that_the_node_rejects_is_a_failure_at_once(kind: str) -> None:
    found = pod("web-1", kind, phase="Failed", reason="SysctlForbidden", message=said.SYSCTL)
    assert judged(kind, (0,), found) == [("failed", "pod-rejected")]


def test_a_readiness_gate_is_named_when_the_time_is_over() -> None:
    message = 'corresponding condition of pod readiness gate "elb" does not exist.'
    conditions = [
        condition("Ready", "False", "ReadinessGatesNotReady", message),
        condition("ContainersReady", "True"),
    ]
    found = pod("web-1", DEPLOYMENT, status(RUNNING), conditions=conditions)
    assert_never_fails_by_itself("readiness-gate", DEPLOYMENT, found)

"""The judge over several looks: no false alarm, no false success, and a reason at every end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ship.kube.judge import Judge, Limits
from ship.kube.snapshot import DAEMON_SET, DEPLOYMENT, STATEFUL_SET
from unit.ship.kube import said
from unit.ship.kube.objects import (
    BAD,
    GOOD,
    KINDS,
    NEW,
    OLD,
    OURS,
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
    waiting,
)

if TYPE_CHECKING:
    from ship.kube.judge import Cause, Verdict
    from ship.kube.snapshot import Snapshot
    from unit.ship.kube.objects import Json

LIMITS = Limits(progress=120, stability=10)
UID = "uid-web-1"
of_each_kind = pytest.mark.parametrize("kind", KINDS)
LOST = [condition("Ready", "False"), condition("ContainersReady", "True")]


def judge(baseline: Snapshot | None = None, **limits: Any) -> Judge:
    return Judge(OURS, LIMITS._replace(**limits), baseline=baseline)


def states(deciding: Judge, *looks: Snapshot) -> list[str]:
    return [deciding.look(each).state for each in looks]


def last(deciding: Judge, *looks: Snapshot) -> Verdict:
    return [deciding.look(each) for each in looks][-1]


def cause(verdict: Verdict) -> Cause:
    assert verdict.cause
    return verdict.cause


def starting(name: str = "web-1", kind: str = DEPLOYMENT, **more: Any) -> Json:
    return pod(name, kind, status(RUNNING, ready=False), **more)


def unpulled(name: str = "web-1", kind: str = DEPLOYMENT, message: str = said.NOT_FOUND) -> Json:
    return pod(name, kind, status(waiting("ErrImagePull", message)), phase="Pending")


def crashed(name: str = "web-1", kind: str = DEPLOYMENT, ends: int = 2, **more: Any) -> Json:
    end = terminated(3)
    return pod(name, kind, status(end, last=end, restarts=ends - 1), **more)


def unschedulable(name: str = "web-2", kind: str = DEPLOYMENT) -> Json:
    why = condition("PodScheduled", "False", "Unschedulable", said.NO_ROOM)
    return pod(name, kind, conditions=[why])


# ---- A rollout that is well


@of_each_kind
def test_a_rollout_is_done_when_its_pods_have_stayed_ready(kind: str) -> None:
    well = [look(at, kind, ready_pod("web-1", kind)) for at in (5, 10, 14.9, 15)]
    deciding = judge()
    first = look(0, kind, starting("web-1", kind))
    assert states(deciding, first, *well) == ["running"] * 4 + ["done"]


def test_without_a_window_it_is_done_at_once() -> None:
    assert states(judge(stability=0), look(0, DEPLOYMENT, ready_pod())) == ["done"]


# ---- No false alarm


@of_each_kind
@pytest.mark.parametrize("message", [said.HUB_LIMIT, said.NOT_FOUND])
def test_a_pull_that_succeeds_in_the_end_is_no_failure(kind: str, message: str) -> None:
    looks = [look(at, kind, unpulled("web-1", kind, message)) for at in range(15)]
    looks += [look(at, kind, ready_pod("web-1", kind)) for at in range(15, 26)]
    assert states(judge(), *looks) == ["running"] * 25 + ["done"]


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
def test_an_old_pod_that_crashes_is_no_failure(kind: str) -> None:
    old = crashed("web-0", kind, ends=9, template=OLD)
    looks = [look(at, kind, old, starting("web-1", kind), wanted=2) for at in range(0, 100, 10)]
    assert set(states(judge(), *looks)) == {"running"}


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


@of_each_kind
@pytest.mark.parametrize(
    ("end", "more"),
    [
        (terminated(255, "Unknown"), {}),
        (terminated(137, "ContainerStatusUnknown"), {}),
        (terminated(0, "RestartingAllContainers"), {}),
        (terminated(42), {"restartPolicyRules": [
            {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]}),
        (terminated(0), {"restartPolicy": "Never"}),
    ],
    ids=["machine restarted", "status unknown", "all restarted", "rule", "runs once"],
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
def test_where_another_new_pod_is_well_a_sick_one_gets_four_times_as_long(kind: str) -> None:
    pods = (ready_pod("web-ok", kind), unpulled("web-1", kind))
    looks = [look(at, kind, *pods, wanted=2) for at in (0, 59, 60)]
    assert states(judge(), *looks) == ["running", "running", "failed"]
    ends = [look(at, kind, ready_pod("web-ok", kind), crashed("web-1", kind, at), wanted=2)
            for at in range(1, 6)]  # fmt: skip
    assert states(judge(), *ends) == ["running"] * 4 + ["failed"]


def test_a_pod_without_room_waits_for_the_others_of_its_rollout() -> None:
    deciding = judge()
    # Another is still starting, then an old one is stopping; only then the minute begins.
    looks = [look(at, DEPLOYMENT, starting(), unschedulable(), wanted=2) for at in (0, 40, 80)]
    stops = ready_pod("web-0", template=OLD, leaving=True)
    looks += [
        look(at, DEPLOYMENT, ready_pod("web-1"), unschedulable(), stops, wanted=2)
        for at in (100, 130)
    ]
    looks += [
        look(at, DEPLOYMENT, ready_pod("web-1"), unschedulable(), wanted=2) for at in (150, 160)
    ]
    assert states(deciding, *looks) == ["running"] * 6 + ["failed"]


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


# ---- No false success


@of_each_kind
def test_a_rollout_of_somebody_else_is_not_ours(kind: str) -> None:
    other = template("ghcr.io/acme/app:other")
    verdict = last(judge(), look(0, kind, ready_pod("web-1", kind), template=other))
    assert verdict.state == "superseded"
    assert cause(verdict).text == (
        "another change has set the image of the container app to ghcr.io/acme/app:other meanwhile"
    )


def test_init_containers_can_be_ours() -> None:
    found = template(GOOD, initContainers=[{"name": "mig", "image": BAD}])
    sets = (replica_set(NEW),)
    snapshot = look(0, DEPLOYMENT, starting(), template=found, replica_sets=sets)
    deciding = Judge({"app": GOOD, "mig": BAD}, LIMITS, baseline=None)
    assert deciding.look(snapshot).state == "running"
    assert Judge({"mig": GOOD}, LIMITS, baseline=None).look(snapshot).state == "superseded"


@pytest.mark.parametrize(
    ("kind", "more", "key"),
    [
        (DEPLOYMENT, {"wanted": 0}, "zero-replicas"),
        (STATEFUL_SET, {"wanted": 0}, "zero-replicas"),
        (DAEMON_SET, {"wanted": 0}, "no-node"),
        (STATEFUL_SET, {"updateStrategy": {"type": "OnDelete"}}, "on-delete"),
        (DAEMON_SET, {"updateStrategy": {"type": "OnDelete"}}, "on-delete"),
    ],
)
def test_where_nothing_runs_the_new_template_that_is_said(kind: str, more: Json, key: str) -> None:
    verdict = judge().look(look(0, kind, **more))
    assert (verdict.state, cause(verdict).key) == ("nothing-runs", key)


@of_each_kind
def test_pods_that_are_ready_and_then_crash_are_a_failure(kind: str) -> None:
    end = terminated(1)
    again = pod("web-1", kind, status(RUNNING, last=end, restarts=1))
    deciding = judge()
    verdict = last(
        deciding,
        look(0, kind, ready_pod("web-1", kind)),
        look(6, kind, pod("web-1", kind, status(end))),
        look(7, kind, again),
        # The restart has let the window begin anew.
        look(14, kind, again),
        look(15, kind, pod("web-1", kind, status(end, last=end, restarts=1))),
    )
    assert (verdict.state, cause(verdict).key) == ("failed", "crashed")


@of_each_kind
def test_pods_that_are_ready_and_then_are_not_are_a_failure(kind: str) -> None:
    told = event(UID, "Unhealthy", "Readiness probe failed: no db", container="app", times=3)
    deciding = judge()
    verdicts = [
        deciding.look(each)
        for each in (
            look(0, kind, ready_pod("web-1", kind)),
            look(5, kind, starting("web-1", kind), events=(told,)),
            look(14, kind, starting("web-1", kind), events=(told,)),
            look(15, kind, starting("web-1", kind), events=(told,)),
        )
    ]
    assert [each.state for each in verdicts] == ["running"] * 3 + ["failed"]
    assert cause(verdicts[-1]).key == "unstable"
    assert cause(verdicts[-1]).text == (
        "the pod was ready, and is not any more: Readiness probe failed: no db "
        "(pod web-1, container app)"
    )


@of_each_kind
def test_a_moment_of_not_being_ready_lets_the_window_begin_anew(kind: str) -> None:
    well, ill = ready_pod("web-1", kind), starting("web-1", kind)
    looks = [look(0, kind, well), look(9, kind, ill), look(10, kind, well), look(19, kind, well)]
    deciding = judge()
    assert states(deciding, *looks, look(20, kind, well)) == ["running"] * 4 + ["done"]


@of_each_kind
def test_pods_that_are_ready_now_and_then_are_a_failure(kind: str) -> None:
    well, ill = ready_pod("web-1", kind), starting("web-1", kind)
    looks = [look(at, kind, ill if at % 2 else well) for at in range(6)]
    assert states(judge(), *looks) == ["running"] * 5 + ["failed"]


@of_each_kind
def test_a_pod_that_is_replaced_only_interrupts_the_window(kind: str) -> None:
    # As when a node is drained. Six seconds before and four after it make ten.
    one, gone = ready_pod("web-1", kind), ready_pod("web-1", kind, leaving=True)
    looks = [
        look(0, kind, one),
        look(6, kind, one),
        look(7, kind, gone, starting("web-2", kind)),
        look(50, kind, ready_pod("web-2", kind)),
        look(53, kind, ready_pod("web-2", kind)),
        look(54, kind, ready_pod("web-2", kind)),
    ]
    assert states(judge(), *looks) == ["running"] * 5 + ["done"]


@of_each_kind
def test_a_pod_on_a_node_that_gets_lost_only_interrupts_the_window(kind: str) -> None:
    lost = pod("web-1", kind, status(RUNNING), conditions=LOST)
    looks = [look(0, kind, ready_pod("web-1", kind)), look(5, kind, lost), look(60, kind, lost)]
    assert states(judge(), *looks) == ["running"] * 3


# ---- The end of patience


def test_a_deployment_that_its_controller_gives_up_has_failed() -> None:
    late = condition(
        "Progressing", "False", "ProgressDeadlineExceeded",
        f'ReplicaSet "web-{NEW}" has timed out progressing.',
    )  # fmt: skip
    unsure = unpulled(message=said.HUB_LIMIT)
    verdict = judge().look(look(0, DEPLOYMENT, unsure, conditions=(late,)))
    assert (verdict.state, cause(verdict).key) == ("failed", "registry-rate-limit")
    verdict = judge().look(look(0, DEPLOYMENT, conditions=(late,), progressDeadlineSeconds=30))
    assert cause(verdict).text == "the controller has given the rollout up: no progress for 30 s"
    other = {**late, "message": f'ReplicaSet "web-{NEW}1" has timed out progressing.'}
    assert judge().look(look(0, DEPLOYMENT, unsure, conditions=(other,))).state == "running"


@of_each_kind
def test_a_pod_that_is_made_again_and_again_is_no_progress(kind: str) -> None:
    deciding = judge()
    seen = states(
        deciding,
        *(look(at, kind, starting(f"web-{at}", kind)) for at in range(0, 121, 10)),
    )
    assert seen == ["running"] * 12 + ["failed"]


@of_each_kind
def test_a_controller_that_does_not_answer_is_named(kind: str) -> None:
    looks = [look(at, kind, ready_pod("web-0", kind, template=OLD), observed=1) for at in (0, 120)]
    verdict = last(judge(), *looks)
    assert (verdict.state, cause(verdict).key) == ("failed", "not-observed")


@of_each_kind
def test_a_rollout_that_does_not_move_says_how_far_it_is(kind: str) -> None:
    looks = [look(at, kind, ready_pod("web-0", kind, template=OLD)) for at in (0, 120)]
    verdict = last(judge(), *looks)
    assert (verdict.state, cause(verdict).key) == ("failed", "no-progress")
    assert "0 of 1 new pods ready, 1 old" in cause(verdict).text


def test_a_rollout_that_is_paused_for_two_looks_is_paused() -> None:
    deciding = judge()
    assert states(
        deciding,
        look(0, DEPLOYMENT, starting(), paused=True),
        look(1, DEPLOYMENT, starting()),
        look(2, DEPLOYMENT, starting(), paused=True),
        look(3, DEPLOYMENT, starting(), paused=True),
    ) == ["running", "running", "running", "paused"]


def test_an_old_pod_that_blocks_a_stateful_set_is_named() -> None:
    broken = crashed("web-1", STATEFUL_SET, template=OLD)
    verdict = judge().look(look(0, STATEFUL_SET, broken))
    assert (verdict.state, cause(verdict).key) == ("running", "stuck-on-an-old-pod")
    assert cause(verdict).pod == "web-1"
    parallel = look(0, STATEFUL_SET, broken, podManagementPolicy="Parallel")
    assert judge().look(parallel).cause is None


def test_while_a_container_runs_again_what_hinders_it_now_is_told_before_its_end() -> None:
    told = event(UID, "Unhealthy", "Readiness probe failed: no db", container="app", times=3)
    again = pod("web-1", DEPLOYMENT, status(RUNNING, last=terminated(1), restarts=1, ready=False))
    verdict = judge().look(look(0, DEPLOYMENT, again, events=(told,)))
    assert cause(verdict).key == "readiness-failing"

"""Each rollout comes to an end that has a reason, whatever the cluster shows."""

from __future__ import annotations

from typing import Any

import pytest

from ship.kube.snapshot import DAEMON_SET, DEPLOYMENT, STATEFUL_SET
from unit.ship.kube import said
from unit.ship.kube.objects import (
    NEW,
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
    last,
    of_each_kind,
    starting,
    states,
    unpulled,
    unschedulable,
)


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


@pytest.mark.parametrize("kind", [STATEFUL_SET, DAEMON_SET])
def test_a_lost_node_that_blocks_a_rollout_is_named(kind: str) -> None:
    # Its old pod cannot be stopped, and no further one may be unavailable meanwhile.
    gone = pod("web-1", kind, status(RUNNING), conditions=LOST, template=OLD, leaving=True)
    waits = ready_pod("web-0", kind, template=OLD)
    looks = [look(at, kind, gone, waits, wanted=2) for at in (0, 149, 150)]
    deciding = judge()
    assert states(deciding, *looks[:2]) == ["running"] * 2
    verdict = deciding.look(looks[2])
    assert (verdict.state, cause(verdict).key, cause(verdict).pod) == (
        "failed", "node-lost", "web-1",
    )  # fmt: skip


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


def test_a_rollout_that_is_paused_for_a_second_is_paused() -> None:
    deciding = judge()
    assert states(
        deciding,
        look(0, DEPLOYMENT, starting(), paused=True),
        look(1, DEPLOYMENT, starting()),
        look(2, DEPLOYMENT, starting(), paused=True),
        look(2.5, DEPLOYMENT, starting(), paused=True),
        look(3, DEPLOYMENT, starting(), paused=True),
    ) == ["running", "running", "running", "running", "paused"]


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


def without(found: Any, path: tuple[Any, ...], *, is_null: bool) -> Any:
    """Return a copy in which a field is absent, or null."""
    copy = found.copy()
    first, *rest = path
    if rest:
        copy[first] = without(found[first], tuple(rest), is_null=is_null)
    elif is_null:
        copy[first] = None
    else:
        del copy[first]
    return copy


def paths(found: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return all fields that an object of the API may lack."""
    always = ("name", "uid", "kind", "metadata", "involvedObject", "spec", "template", "type")
    below = found.items() if isinstance(found, dict) else enumerate(found)
    listed: list[tuple[Any, ...]] = []
    for key, value in below:
        listed += [] if key in always or isinstance(found, list) else [(*above, key)]
        listed += paths(value, (*above, key)) if isinstance(value, (dict, list)) else []
    return listed


@of_each_kind
def test_a_field_that_is_absent_is_no_traceback(kind: str) -> None:
    limits = {"app": {"resources": {"limits": {"memory": "64Mi"}}, "livenessProbe": {}}}
    end = terminated(1, "Error", "no")
    init = status(terminated(0), name="mig")
    pods = [
        pod("a", kind, status(RUNNING, last=end, restarts=2), inits=(init,), specs=limits),
        unpulled("b", kind),
        unschedulable("c", kind),
        pod("d", kind, phase="Failed", reason="Evicted", message="no"),
        crashed("e", kind, template=OLD, leaving=True),
    ]
    told = event("uid-b", "Failed", "Failed to pull image: no", container="app")
    whole = look(0, kind, *pods, events=(told,), updateStrategy={"type": "RollingUpdate"})
    parts = (whole.workload, *pods, told)
    for number, part in enumerate(parts):
        for path in paths(part):
            for is_null in (False, True):
                changed = list(parts)
                changed[number] = without(part, path, is_null=is_null)
                seen = whole._replace(
                    workload=changed[0], pods=tuple(changed[1:-1]), events=(changed[-1],)
                )
                assert judge(whole).look(seen).state

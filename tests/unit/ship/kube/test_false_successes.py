"""What looks like a success, and is none, also where `kubectl rollout status` says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ship.kube.judge import Judge
from ship.kube.snapshot import DAEMON_SET, DEPLOYMENT, STATEFUL_SET
from unit.ship.kube.objects import (
    BAD,
    GOOD,
    NEW,
    RUNNING,
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
    LIMITS,
    LOST,
    UID,
    Watch,
    cause,
    judge,
    last,
    of_each_kind,
    starting,
    states,
)

if TYPE_CHECKING:
    from unit.ship.kube.objects import Json


@of_each_kind
def test_a_rollout_is_done_when_its_pods_have_stayed_ready(kind: str) -> None:
    well = [look(at, kind, ready_pod("web-1", kind)) for at in (5, 10, 14.9, 15)]
    deciding = judge()
    first = look(0, kind, starting("web-1", kind))
    assert states(deciding, first, *well) == ["running"] * 4 + ["done"]


def test_without_a_window_it_is_done_at_once() -> None:
    assert states(judge(stability=0), look(0, DEPLOYMENT, ready_pod())) == ["done"]


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
    deciding = Watch(Judge({"app": GOOD, "mig": BAD}, LIMITS, baseline=None))
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
    looks = (
        look(0, kind, ready_pod("web-1", kind)),
        look(6, kind, pod("web-1", kind, status(end))),
        look(7, kind, again),
        # The restart has let the window begin anew.
        look(14, kind, again),
    )
    assert states(deciding, *looks) == ["running"] * 4
    verdict = deciding.look(look(15, kind, pod("web-1", kind, status(end, last=end, restarts=1))))
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

"""How far a rollout is: also where `kubectl rollout status` says that it is done, and it is not."""

from __future__ import annotations

import pytest

from ship.kube.progress import progress_of
from ship.kube.snapshot import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Snapshot
from unit.ship.kube.objects import (
    KINDS,
    OLD,
    RUNNING,
    Json,
    condition,
    look,
    pod,
    ready_pod,
    status,
)

of_each_kind = pytest.mark.parametrize("kind", KINDS)


def unready(name: str, kind: str) -> Json:
    return pod(name, kind, status(RUNNING, ready=False))


@of_each_kind
def test_it_is_done_when_all_pods_are_new_and_ready(kind: str) -> None:
    half = look(0, kind, ready_pod("a", kind), unready("b", kind), wanted=2)
    assert progress_of(half).shown == "1 of 2 new pods ready"
    assert not progress_of(half).is_done
    whole = look(0, kind, ready_pod("a", kind), ready_pod("b", kind), wanted=2)
    assert progress_of(whole).is_done


@of_each_kind
def test_it_is_not_done_while_old_pods_are_wanted(kind: str) -> None:
    pods = (ready_pod("a", kind), ready_pod("b", kind, template=OLD))
    progress = progress_of(look(0, kind, *pods, wanted=2))
    assert not progress.is_done
    assert progress.shown == "1 of 2 new pods ready, 1 old"


@of_each_kind
def test_old_pods_that_are_stopping_are_said_and_not_waited_for(kind: str) -> None:
    pods = (ready_pod("a", kind), ready_pod("b", kind, template=OLD, leaving=True))
    progress = progress_of(look(0, kind, *pods))
    assert progress.is_done
    assert progress.shown == "1 of 1 new pods ready, 1 stopping"


@of_each_kind
def test_the_counts_of_a_template_before_are_not_believed(kind: str) -> None:
    progress = progress_of(look(0, kind, ready_pod("a", kind), observed=1))
    assert not progress.is_done
    assert progress.shown == "the cluster has not taken up the change yet"


def test_a_deployment_whose_surge_is_still_there_is_not_done() -> None:
    snapshot = look(0, DEPLOYMENT, ready_pod("a"), ready_pod("b"), wanted=1)
    assert not progress_of(snapshot).is_done


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET])
def test_with_zero_replicas_nothing_runs(kind: str) -> None:
    assert progress_of(look(0, kind, wanted=0)).nothing_runs == "zero replicas"


def test_an_empty_daemon_set_runs_nothing() -> None:
    assert progress_of(look(0, DAEMON_SET, wanted=0)).nothing_runs == "no node"


@pytest.mark.parametrize("kind", [STATEFUL_SET, DAEMON_SET])
def test_on_delete_runs_nothing_until_the_pods_are_deleted(kind: str) -> None:
    on_delete = {"type": "OnDelete"}
    old = ready_pod("a", kind, template=OLD)
    assert progress_of(look(0, kind, old, updateStrategy=on_delete)).nothing_runs == "OnDelete"
    new = progress_of(look(0, kind, ready_pod("a", kind), updateStrategy=on_delete))
    assert (new.is_done, new.nothing_runs) == (True, "")


def partitioned(*pods: Json, partition: int) -> Snapshot:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    return look(0, STATEFUL_SET, *pods, wanted=3, updateStrategy=strategy)


def test_a_partition_keeps_the_pods_below_it() -> None:
    old = [ready_pod(f"web-{each}", STATEFUL_SET, template=OLD) for each in (0, 1, 2)]
    new = ready_pod("web-2", STATEFUL_SET)
    assert not progress_of(partitioned(*old, partition=2)).is_done
    progress = progress_of(partitioned(*old[:2], new, partition=2))
    assert progress.is_done
    assert progress.shown == (
        "1 of 1 new pods ready, 2 old (pods below number 2 keep the old template)"
    )
    assert progress_of(partitioned(*old, partition=3)).nothing_runs == "partition"


def test_a_cron_job_runs_nothing_before_its_next_time() -> None:
    template: Json = {"spec": {"containers": []}}
    spec = {"jobTemplate": {"spec": {"template": template}}}
    found = {
        "kind": "CronJob",
        "metadata": {"name": "c", "uid": "u", "generation": 2},
        "spec": spec,
    }
    snapshot = Snapshot(0, found, (), ())
    assert snapshot.template == template
    progress = progress_of(snapshot)
    assert (progress.nothing_runs, progress.is_observed) == ("schedule", True)


LOST = [condition("Ready", "False"), condition("ContainersReady", "True")]


def test_a_daemon_set_does_not_wait_for_a_node_that_is_known_as_closed() -> None:
    pods = (ready_pod("a", DAEMON_SET), ready_pod("b", DAEMON_SET, template=OLD, nodeName="n2"))
    open_nodes, closed = {"n1": True, "n2": True}, {"n1": True, "n2": False}
    assert not progress_of(look(0, DAEMON_SET, *pods, wanted=2, nodes=open_nodes)).is_done
    progress = progress_of(look(0, DAEMON_SET, *pods, wanted=2, nodes=closed))
    assert progress.is_done
    assert progress.note == "1 on nodes that are not ready or take no pods"


def test_a_daemon_set_does_not_wait_for_a_pod_that_looks_as_on_a_lost_node() -> None:
    lost = pod("b", DAEMON_SET, status(RUNNING), conditions=LOST)
    assert progress_of(look(0, DAEMON_SET, ready_pod("a", DAEMON_SET), lost, wanted=2)).is_done
    # When all are lost, nothing has shown that the new template works.
    assert not progress_of(look(0, DAEMON_SET, lost, wanted=1)).is_done


def test_a_deployment_waits_for_the_pod_in_the_place_of_one_that_is_lost() -> None:
    lost = pod("b", DEPLOYMENT, status(RUNNING), conditions=LOST)
    assert not progress_of(look(0, DEPLOYMENT, ready_pod("a"), lost, wanted=2)).is_done

"""Which pods are of the template that a workload has now."""

from __future__ import annotations

import pytest

from ship.kube.snapshot import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Snapshot, name
from unit.ship.kube.objects import (
    GOOD,
    KINDS,
    NEW,
    OLD,
    look,
    ready_pod,
    replica_set,
    template,
)


def names(snapshot: Snapshot) -> tuple[list[str], list[str]]:
    return [name(each) for each in snapshot.new_pods], [name(each) for each in snapshot.old_pods]


@pytest.mark.parametrize("kind", KINDS)
def test_pods_are_told_apart_by_their_template(kind: str) -> None:
    both = (ready_pod("a", kind), ready_pod("b", kind, template=OLD))
    assert names(look(0, kind, *both)) == (["a"], ["b"])


def test_the_pods_of_another_owner_are_not_new() -> None:
    foreign = ready_pod("a")
    foreign["metadata"]["ownerReferences"] = []
    assert names(look(0, DEPLOYMENT, foreign)) == ([], ["a"])


def test_a_deployment_has_no_new_pods_before_its_replica_set_is_there() -> None:
    snapshot = look(0, DEPLOYMENT, ready_pod("b", template=OLD), replica_sets=(replica_set(OLD),))
    assert names(snapshot) == ([], ["b"])
    assert snapshot.new_replica_set is None


def test_after_a_return_to_a_template_of_before_its_pods_are_the_new_ones() -> None:
    pods = (ready_pod("a"), ready_pod("b", template=OLD))
    assert names(look(0, DEPLOYMENT, *pods, template=template(GOOD))) == (["b"], ["a"])


def test_of_several_replica_sets_with_the_same_template_the_oldest_is_meant() -> None:
    younger = replica_set("ffff", image="ghcr.io/acme/app:nope")
    sets = (younger, replica_set(NEW), replica_set(OLD))
    found = look(0, DEPLOYMENT, replica_sets=sets).new_replica_set
    assert found
    assert name(found) == f"web-{NEW}"


def test_a_stateful_set_has_no_new_pods_before_its_controller_has_seen_the_change() -> None:
    pods = (ready_pod("a", STATEFUL_SET),)
    assert names(look(0, STATEFUL_SET, *pods, observed=1)) == ([], ["a"])


def test_a_daemon_set_keeps_the_pods_of_a_template_that_it_returns_to() -> None:
    # They have the number of before, and the same revision as those that are made now.
    kept = ready_pod("kept", DAEMON_SET)
    kept["metadata"]["labels"] = {**kept["metadata"]["labels"], "pod-template-generation": "0"}
    pods = (kept, ready_pod("made", DAEMON_SET), ready_pod("b", DAEMON_SET, template=OLD))
    assert names(look(0, DAEMON_SET, *pods)) == (["kept", "made"], ["b"])


def test_a_daemon_set_that_has_made_no_pod_yet_is_told_by_its_images() -> None:
    kept = ready_pod("kept", DAEMON_SET)
    kept["metadata"]["labels"] = {**kept["metadata"]["labels"], "pod-template-generation": "0"}
    old = ready_pod("b", DAEMON_SET, template=OLD)
    assert names(look(0, DAEMON_SET, kept, old)) == (["kept"], ["b"])

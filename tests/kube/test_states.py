"""Every state of a new version that fails: the cause is named, and what ran before serves again.

The cases of a run are done side by side, each in a namespace of its own.
"""

from __future__ import annotations

import itertools
import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kube.app import App
from kube.states import STATES, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from bed.kube.cluster import Cluster
    from bed.step import StepResult

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
ROLLED_BACK = 4
AT_ONCE = 6
KINDS = ("Deployment", "StatefulSet", "DaemonSet")
# One of each way to be found: in the words of a container, in its log, in events of the pod, by its
# restarts, by a probe, by what the controller says. The others are in `make test-all`. A crash of a
# Deployment and of a StatefulSet is in test_update.py.
IN_EVERY_RUN = (
    "no such image", "a private image without a login", "a program for another processor",
    "too much memory", "a command that is not there",
    "a ConfigMap that is gone", "a volume of a Secret that is gone",
    "a readiness probe that fails", "a liveness probe that fails", "ready, and then a crash",
    "a quota",
)  # fmt: skip
# It shows in `make test` that the pods of a DaemonSet are told apart as well, and what the other
# situations are about.
CRASH = ("a crash",)
# What a Deployment alone has, or what counts pods.
OF_DEPLOYMENTS = ("a quota",)


AFTER_GOOD, AFTER_BAD, WITH_OTHERS, FIRST = (
    "after a good version", "after another bad one", "beside another workload", "as the first one"
)  # fmt: skip
SITUATIONS = (AFTER_GOOD, AFTER_BAD, WITH_OTHERS, FIRST)
# Their only node has no pod of a good version any more when a bad one was left in place.
ALONE = "DaemonSet"
# What does not hinder the first pods: they are as many as may be, or nobody has crashed so far.
NOT_FIRST = ("a quota", "ready, and then a crash")


class Case(NamedTuple):
    """A state of a workload of some kind, in one situation."""

    name: str
    kind: str
    situation: str = AFTER_GOOD

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}, {self.situation}"

    @property
    def state(self) -> State:
        return STATES[self.name]

    @property
    def is_in_every_run(self) -> bool:
        if self.situation == AFTER_GOOD:
            return self.name in {"Deployment": IN_EVERY_RUN, "DaemonSet": CRASH}.get(self.kind, ())
        return self.name in CRASH and self.kind == "Deployment"

    @property
    def is_possible(self) -> bool:
        if self.kind != KINDS[0] and self.name in OF_DEPLOYMENTS:
            return False
        if self.situation == FIRST:
            return self.name not in NOT_FIRST
        # Without a probe the bad one before is ready for a moment, and takes all places.
        is_lost = self.kind == ALONE or not self.state.probe
        return not (self.situation == AFTER_BAD and is_lost)


class Seen(NamedTuple):
    """What a case has left: the result, the workload before and after, the pods of before."""

    result: StepResult
    before: object
    after: object
    healthy: bool
    others: object = None


def cases() -> Iterator[ParameterSet]:
    every = (Case(*each) for each in itertools.product(STATES, KINDS, SITUATIONS))
    for case in filter(lambda each: each.is_possible, every):
        marks = [] if case.is_in_every_run else [pytest.mark.test_all]
        yield pytest.param(case, marks=marks, id=str(case))


@pytest.fixture(scope="module")
def seen(
    kube: Cluster, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Case, Future[Seen]]]:
    """Start all cases that this run has, and give what they have seen."""
    asked = [
        _parameters(item)["case"]
        for item in request.session.items
        if item.path == request.path and "case" in _parameters(item)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            case: pool.submit(fail, case, kube, tmp_path_factory.mktemp("step")) for case in asked
        }


def _parameters(item: pytest.Item) -> Mapping[str, Any]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec else {}


def fail(case: Case, kube: Cluster, folder: Path) -> Seen:
    """Deploy a version that fails, in the situation of the case."""
    with kube.namespace() as namespace:
        app = App(kube, namespace, folder)
        case.state.before(app)
        return fail_first(case, app) if case.situation == FIRST else fail_later(case, app)


def fail_first(case: Case, app: App) -> Seen:
    """Let a manifest create a workload that fails."""
    state = case.state
    made = app.manifest(
        case.kind, "web", "app", probe=state.probe, pod=state.pod, container=state.container
    )
    (app.folder / "web.json").write_text(json.dumps(made), encoding="utf-8")
    state.after(app)
    new = f"app={state.new_image(app)}"
    done = app.update(new, workload="", apply="web.json", **state.inputs)
    return Seen(done, None, None, healthy=False)


def fail_later(case: Case, app: App) -> Seen:
    """Deploy a version that fails over one that is good, or over a bad one above that."""
    state, workload = case.state, f"{case.kind.lower()}/web"
    app.create(case.kind, probe=state.probe, pod=state.pod, container=state.container)
    before = app.template(case.kind)
    if case.situation == AFTER_BAD:
        tag = "segv" if state.tag != "segv" else "crash"
        bad = app.update(f"app={app.image(tag)}", workload=workload, on_failure="keep")
        assert bad.outputs["status"] == "failed", bad.log
    if case.situation == WITH_OTHERS:
        app.create(name="other")
    state.after(app)
    other = f"deployment/other app={app.image('ok2')}" if case.situation == WITH_OTHERS else ""
    new = f"{workload} app={state.new_image(app)}\n{other}"
    done = app.update(workload=new, **state.inputs)
    others = app.images(name="other") if other else None
    ready = app.ready_pods(app.image("ok"))
    return Seen(done, before, app.template(case.kind), bool(ready), others)


@pytest.mark.parametrize("case", list(cases()))
def test_the_cause_is_named_and_what_ran_before_serves(
    case: Case, seen: dict[Case, Future[Seen]], kube: Cluster
) -> None:
    found = seen[case].result()
    result = found.result
    assert result.outputs["cause"] == case.state.cause, result.log
    assert case.state.seen in result.errors[0], result.log
    assert found.after == found.before
    if case.situation == FIRST:
        assert result.outputs["status"] == "failed", result.log
        assert "so it was not rolled back" in result.log
        return
    # Where the cluster cannot make the version before again either, a Deployment still has it.
    assert result.outputs["status"] in {"rolled-back", "failed"}, result.log
    if case.kind == KINDS[0]:
        assert found.healthy, result.log
        assert result.code == ROLLED_BACK, result.log
    if case.situation == WITH_OTHERS:
        good = kube.registry.digest("acme/app", "ok")
        assert found.others == {"app": f"ghcr.io/acme/app@{good}"}, result.log

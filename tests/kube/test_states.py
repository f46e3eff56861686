"""Every state of a new version that fails: the cause is named, and what ran before serves again.

The cases of a run are done side by side, each in a namespace of its own.
"""

from __future__ import annotations

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

pytestmark = pytest.mark.needs("kubebed")
ROLLED_BACK = 4
AT_ONCE = 6
KINDS = ("Deployment", "StatefulSet", "DaemonSet")
# One of each way to be found: in the words of a container, in its log, in events of the pod, by its
# restarts, by a probe, by what the controller says. The others are in `make test-all`.
IN_EVERY_RUN = (
    "no such image", "a private image without a login", "a program for another processor",
    "a crash", "a crash without a probe", "too much memory", "a command that is not there",
    "a ConfigMap that is gone", "a volume of a Secret that is gone",
    "a readiness probe that fails", "a liveness probe that fails", "ready, and then a crash",
    "a quota",
)  # fmt: skip
# For the other kinds it shows in `make test` that their pods are told apart as well.
OF_EACH_KIND = ("a crash",)
# What a Deployment alone has, or what counts pods.
OF_DEPLOYMENTS = ("a quota",)


class Case(NamedTuple):
    """A state of a workload of some kind."""

    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"

    @property
    def state(self) -> State:
        return STATES[self.name]


class Seen(NamedTuple):
    """What a case has left: the result, and the workload before and after."""

    result: StepResult
    before: object
    after: object
    healthy: bool


def cases() -> Iterator[ParameterSet]:
    for kind in KINDS:
        for name in STATES:
            if kind != KINDS[0] and name in OF_DEPLOYMENTS:
                continue
            case = Case(name, kind)
            more = name not in (IN_EVERY_RUN if kind == KINDS[0] else OF_EACH_KIND)
            yield pytest.param(case, marks=[pytest.mark.test_all] if more else [], id=str(case))


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
    """Deploy a version that fails over one that is good."""
    state, kind, name = case.state, case.kind, case.kind.lower()
    with kube.namespace() as namespace:
        app = App(kube, namespace, folder)
        state.before(app)
        app.create(kind, probe=state.probe, pod=state.pod, container=state.container)
        state.after(app)
        before = app.template(kind)
        new = f"app={state.new_image(app)}"
        done = app.update(new, workload=f"{name}/web", **state.inputs)
        ready = app.ready_pods(app.image("ok"))
        return Seen(done, before, app.template(kind), bool(ready))


@pytest.mark.parametrize("case", list(cases()))
def test_the_cause_is_named_and_what_ran_before_serves(
    case: Case, seen: dict[Case, Future[Seen]]
) -> None:
    found = seen[case].result()
    result = found.result
    assert result.outputs["cause"] == case.state.cause, result.log
    assert case.state.seen in result.errors[0], result.log
    assert found.after == found.before
    # Where the cluster cannot make the version before again either, a Deployment still has it.
    assert result.outputs["status"] in {"rolled-back", "failed"}, result.log
    if case.kind == KINDS[0]:
        assert found.healthy, result.log
        assert result.code == ROLLED_BACK, result.log

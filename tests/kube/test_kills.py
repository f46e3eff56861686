"""Whatever ends the step, and whenever: the workload has the old or the new version, both healthy.

And the next run needs no hand.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bed.waiting import wait_until
from kube.app import PATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _pytest.mark import ParameterSet

    from bed.step import RunningStep
    from kube.app import App

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
# What the log has when a phase begins. The change itself is held up before the server sees it.
CHANGE = "change"
PHASES = {
    "look": r"^cluster https",
    CHANGE: "",
    "watch": r"was changed",
    "rollback": r"rolling back",
}
# Seconds after the beginning of a phase.
MOMENTS = (0.0, 0.2, 1.0)
# One of each way and of each phase; the others show the same at other moments.
IN_EVERY_RUN = {
    ("the run is cancelled", "watch", 0.2),
    ("the step is killed", "watch", 0.2),
    ("the step is killed", "rollback", 0.2),
    ("the server is gone", "watch", 0.0),
}


class Point(NamedTuple):
    """A place in the matrix."""

    fault: str
    phase: str
    seconds: float


def cancel(step: RunningStep, _: App) -> None:
    step.cancel()


def kill(step: RunningStep, _: App) -> None:
    step.process.kill()


def cut(step: RunningStep, app: App) -> None:
    app.cluster.faults.fault("*", "drop")
    time.sleep(1)
    step.process.kill()


FAULTS: dict[str, Callable[[RunningStep, App], None]] = {
    "the run is cancelled": cancel,
    "the step is killed": kill,
    "the server is gone": cut,
}


def points() -> Iterator[ParameterSet]:
    for fault in FAULTS:
        for phase in PHASES:
            for seconds in MOMENTS:
                more = (fault, phase, seconds) not in IN_EVERY_RUN
                marks = [pytest.mark.test_all] if more else []
                yield pytest.param(
                    Point(fault, phase, seconds), marks=marks, id=f"{fault}-{phase}+{seconds}"
                )


@pytest.mark.parametrize("point", list(points()))
def test_the_old_or_the_new_version_serves_and_the_next_run_needs_no_hand(
    app: App, point: Point
) -> None:
    app.create()
    tag = "crash" if point.phase == "rollback" else "slow"
    if point.phase == CHANGE:
        app.cluster.faults.clear_requests()
        app.cluster.faults.fault(PATCH, "hang", times=1)
    step = app.start(app.image(tag), kubeconfig=app.cluster.kubeconfig_through_faults)
    wait_until(lambda: has_begun(point.phase, step, app), point.phase, seen=step.log)
    time.sleep(point.seconds)
    FAULTS[point.fault](step, app)
    done = step.result()
    app.cluster.faults.clear_faults()
    assert app.images()["app"] in {app.image("ok"), app.image(tag)}, done.log
    # What served before still does, or the new version does: never nothing.
    assert app.ready_pods(app.image("ok")) or app.ready_pods(app.image(tag)), done.log
    _says_what_it_left(done.code, done.log, app, tag)
    again = app.update(app.image("ok2"))
    assert again.code == 0, again.log
    app.wait_ready()
    assert app.images() == {"app": app.image("ok2")}


def has_begun(phase: str, step: RunningStep, app: App) -> bool:
    if phase == CHANGE:
        sent = [each for each in app.cluster.faults.requests() if each.method == "PATCH"]
        return any("dryRun" not in each.path for each in sent)
    return bool(re.search(PHASES[phase], step.log(), re.MULTILINE))


def _says_what_it_left(code: int, log: str, app: App, tag: str) -> None:
    """See that a cancelled run says which version the workload has."""
    if code != 130:
        return
    now = app.images()["app"]
    if "has its previous version again" in log or "no workload was changed" in log:
        assert now == app.image("ok"), log
    elif "has the new version" in log:
        assert now == app.image(tag), log

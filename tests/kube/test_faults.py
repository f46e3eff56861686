"""An API server that fails while a rollout is watched, and whatever ends the step, and whenever.

The verdict is still right, the workload has the old or the new version, both healthy, and the next
run needs no hand.
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

    from bed.kube.servers import Fault
    from bed.step import RunningStep
    from kube.app import App

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
ROLLED_BACK = 4
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
    ("the step is killed", "rollback", 0.2),
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


@pytest.fixture
def faulty(app: App) -> Iterator[App]:
    """An app whose API server is behind a proxy that fails when told to."""
    app.create()
    yield app
    app.cluster.faults.clear_faults()
    app.cluster.faults.limit = None


def start(app: App, image: str, **inputs: str) -> RunningStep:
    return app.start(image, kubeconfig=app.cluster.kubeconfig_through_faults, **inputs)


def await_image(app: App, image: str, step: RunningStep) -> None:
    wait_until(lambda: app.images() == {"app": image}, "the image is set", seen=step.log)


@pytest.mark.parametrize(
    "answer",
    [429, 500, 503, "drop"],
)
@pytest.mark.test_all
def test_requests_that_fail_are_made_again(faulty: App, answer: Fault) -> None:
    step = start(faulty, faulty.image("slow"))
    await_image(faulty, faulty.image("slow"), step)
    faulty.cluster.faults.fault("GET *", answer, times=8)
    done = step.result()
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"


@pytest.mark.test_all
def test_a_failure_is_still_named_when_requests_fail_in_between(faulty: App) -> None:
    step = start(faulty, faulty.image("crash"))
    await_image(faulty, faulty.image("crash"), step)
    faulty.cluster.faults.fault("GET *", 503, times=6)
    done = step.result()
    assert done.code == ROLLED_BACK, done.log
    assert done.outputs["cause"] == "crashed"


@pytest.mark.test_all
def test_the_patch_is_sent_once_when_the_server_is_busy(faulty: App) -> None:
    faulty.cluster.faults.fault("PATCH *deployments/web*", 429, times=2)
    done = start(faulty, faulty.image("ok2")).result()
    assert done.code == 0, done.log
    assert faulty.get()["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


def test_a_patch_whose_answer_is_lost_counts_once(faulty: App) -> None:
    faulty.cluster.faults.fault(PATCH, "cut", times=1)
    done = start(faulty, faulty.image("ok2")).result()
    assert done.code == 0, done.log
    assert "the answer was lost" in done.log
    assert faulty.images() == {"app": faulty.image("ok2")}
    assert faulty.get()["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


@pytest.mark.test_all
def test_a_patch_that_conflicts_with_nobody_is_made_again(faulty: App) -> None:
    faulty.cluster.faults.fault(PATCH, 409, times=2)
    done = start(faulty, faulty.image("ok2")).result()
    assert done.code == 0, done.log
    assert faulty.images() == {"app": faulty.image("ok2")}


@pytest.mark.test_all
def test_connections_that_are_cut_every_second_do_no_harm(faulty: App) -> None:
    faulty.cluster.faults.limit = 1.0
    done = start(faulty, faulty.image("slow")).result()
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"


def test_a_server_that_is_restarted_while_it_is_watched_does_no_harm(faulty: App) -> None:
    step = start(faulty, faulty.image("slow"))
    await_image(faulty, faulty.image("slow"), step)
    faulty.cluster.restart_api()
    done = step.result()
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"


@pytest.mark.test_all
def test_a_token_that_expires_while_it_is_watched_is_told(faulty: App) -> None:
    step = start(faulty, faulty.image("unready"))
    await_image(faulty, faulty.image("unready"), step)
    faulty.cluster.faults.fault("*", 401)
    done = step.result()
    assert done.code == 1, done.log
    assert done.outputs["cause"] == "api-lost"
    assert re.search(r"401|[Uu]nauthorized", done.errors[0])
    assert "is not back to what ran before" in done.log


@pytest.mark.test_all
def test_a_server_that_never_answers_is_given_up_before_anything_is_changed(faulty: App) -> None:
    faulty.cluster.faults.fault("*", "drop")
    done = start(faulty, faulty.image("ok2")).result()
    faulty.cluster.faults.clear_faults()
    assert done.code == 2, done.log
    assert "does not answer" in done.errors[0]
    assert faulty.images() == {"app": faulty.image("ok")}

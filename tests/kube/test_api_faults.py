"""An API server that fails while a rollout is watched: still the right verdict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bed.waiting import wait_until
from kube.app import PATCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.kube.servers import Fault
    from bed.step import RunningStep
    from kube.app import App

pytestmark = pytest.mark.needs("packages", "engine", "engine-forky", "kubebed")
ROLLED_BACK = 4


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
    [503, *(pytest.param(each, marks=pytest.mark.test_all) for each in (429, 500, "drop"))],
)
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

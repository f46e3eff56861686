"""Why an image cannot be pulled, in each kind of workload, and when that is a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ship.kube.snapshot import DEPLOYMENT
from unit.ship.kube import said
from unit.ship.kube.objects import BAD, event, look, pod, status, waiting
from unit.ship.kube.watching import (
    UID,
    assert_fails_after,
    brief,
    judged,
    of_each_kind,
    patient,
    stays,
)

if TYPE_CHECKING:
    from unit.ship.kube.objects import Json


@of_each_kind
@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
@pytest.mark.parametrize(("message", "key"), said.PULLS.items(), ids=said.PULLS.values())
def test_an_image_that_cannot_be_pulled(kind: str, reason: str, message: str, key: str) -> None:
    if reason == "ImagePullBackOff":
        message = f'Back-off pulling image "{BAD}": ErrImagePull: {message}'
    grace = 20 if key in said.FOR_GOOD else 120
    assert_fails_after(grace, key, kind, stays(kind, reason, message))


@of_each_kind
def test_the_two_words_for_a_failed_pull_are_one_finding(kind: str) -> None:
    deciding = patient()
    both = ("ErrImagePull", "ImagePullBackOff")
    verdicts = [
        deciding.look(look(second, kind, stays(kind, both[second // 5 % 2], said.NOT_FOUND)))
        for second in range(21)
    ]
    assert [each.state for each in verdicts] == ["running"] * 20 + ["failed"]


def test_a_back_off_that_names_no_reason_keeps_the_one_before_it() -> None:
    deciding = patient()
    deciding.look(look(0, DEPLOYMENT, stays(DEPLOYMENT, "ErrImagePull", said.NOT_FOUND)))
    bare = stays(DEPLOYMENT, "ImagePullBackOff", f'Back-off pulling image "{BAD}"')
    assert brief(deciding.look(look(20, DEPLOYMENT, bare))) == ("failed", "image-not-found")


def test_a_back_off_that_names_no_reason_takes_the_one_of_the_event() -> None:
    bare = stays(DEPLOYMENT, "ImagePullBackOff", f'Back-off pulling image "{BAD}"')
    failed = event(
        UID, "Failed", f'Failed to pull image "{BAD}": {said.NOT_FOUND}', container="app"
    )
    assert_fails_after(20, "image-not-found", DEPLOYMENT, bare, failed)


def test_a_failed_pull_is_known_from_its_event_while_the_status_lags_behind() -> None:
    failed = event(
        UID, "Failed", f'Failed to pull image "{BAD}": {said.NOT_FOUND}', container="app"
    )
    found = stays(DEPLOYMENT, "ContainerCreating")
    assert_fails_after(20, "image-not-found", DEPLOYMENT, found, failed)


def test_the_name_of_an_image_may_hold_the_words_of_any_reason() -> None:
    name = "ghcr.io/acme/denied-toomanyrequests:unauthorized"
    message = (
        f'failed to pull and unpack image "{name}": failed to do request: Head "https://ghcr.io/v2/'
        'acme/denied-toomanyrequests/manifests/unauthorized": dial tcp: lookup ghcr.io: no such '
        "host"
    )
    found = stays(DEPLOYMENT, "ErrImagePull", message)
    assert judged(DEPLOYMENT, (0,), found) == [("running", "registry-unreachable")]


def test_the_image_of_a_volume_is_named_with_its_volume() -> None:
    message = (
        'failed to pull and unpack image "ghcr.io/acme/data:1": ghcr.io/acme/data:1: not found'
    )
    volumes = [{"name": "v", "image": {"reference": "ghcr.io/acme/data:1"}}]
    found = pod("web-1", DEPLOYMENT, status(waiting("ErrImagePull", message)), volumes=volumes)
    cause = patient().look(look(0, DEPLOYMENT, found)).cause
    assert cause
    assert cause.text == (
        "the image ghcr.io/acme/data:1 of the volume v does not exist: the registry says not found "
        "(pod web-1, container app)"
    )


@pytest.mark.parametrize(
    ("secrets", "events", "login", "act"),
    [
        ([], (), "(the pod names no pull secret)", "create a pull secret"),
        ([{"name": "reg"}], (), "with the pull secret reg", "has not expired"),
        (
            [{"name": "reg"}],
            (
                event(
                    UID,
                    "FailedToRetrieveImagePullSecret",
                    "Unable to retrieve some image pull secrets (reg); attempting to pull the "
                    "image may not succeed.",
                ),
            ),
            "(the pull secret reg that the pod names is not there)",
            "create the pull secret reg",
        ),
    ],
    ids=["none", "wrong", "missing"],
)
def test_a_denied_pull_says_which_pull_secret_there_is(
    secrets: list[Json], events: tuple[Json, ...], login: str, act: str
) -> None:
    found = pod(
        "web-1",
        DEPLOYMENT,
        status(waiting("ErrImagePull", said.ANONYMOUS)),
        imagePullSecrets=secrets,
    )
    cause = patient().look(look(0, DEPLOYMENT, found, events=events)).cause
    assert cause
    assert f"pull the image {BAD} {login}: " in cause.text
    assert act in cause.hint


@of_each_kind
@pytest.mark.parametrize(
    ("reason", "key"),
    [("InvalidImageName", "image-name-invalid"), ("ErrImageNeverPull", "image-never-pulled")],
)
def test_what_cannot_pass_is_a_failure_at_once(kind: str, reason: str, key: str) -> None:
    assert judged(kind, (0,), stays(kind, reason, "no")) == [("failed", key)]

"""Text of a cluster is from elsewhere: a person reads one short line of it, without secrets."""

from __future__ import annotations

from typing import Any

import pytest

from ship.kube.judge import Judge, Limits
from ship.kube.snapshot import DEPLOYMENT
from ship.kube.words import one_line, short, whole
from unit.ship.kube import said
from unit.ship.kube.objects import (
    BAD,
    NEW,
    RUNNING,
    Json,
    condition,
    event,
    look,
    pod,
    replica_set,
    status,
    template,
    terminated,
    waiting,
)

HOSTILE = (
    "\x1b[31m\n::error::owned\r\n::add-mask::x\x1b]0;title\x07\x00\u2028\u202e\x1b"
    + "A" * 1_000_000
)
UID = "uid-web-1"


def hostile_pod(*containers: Json, **more: Any) -> Json:
    return pod("web-1", DEPLOYMENT, *containers, **more)


PODS = {
    "pull": (hostile_pod(status(waiting("ErrImagePull", HOSTILE))), ()),
    "name": (hostile_pod(status(waiting("InvalidImageName", f'image "{HOSTILE}"'))), ()),
    "config": (hostile_pod(status(waiting("CreateContainerConfigError", HOSTILE))), ()),
    "reason": (hostile_pod(status(waiting(HOSTILE, HOSTILE))), ()),
    "create": (hostile_pod(status(waiting("CreateContainerError", HOSTILE))), ()),
    "end": (hostile_pod(status(terminated(1, "Error", HOSTILE))), ()),
    "start": (hostile_pod(status(terminated(128, "StartError", HOSTILE))), ()),
    "probe": (
        hostile_pod(status(RUNNING, ready=False)),
        (event(UID, "Unhealthy", f"Readiness probe failed: {HOSTILE}", container="app"),),
    ),
    "mount": (hostile_pod(status(waiting())), (event(UID, "FailedMount", HOSTILE),)),
    "schedule": (
        hostile_pod(conditions=[condition("PodScheduled", "False", "Unschedulable", HOSTILE)]),
        (),
    ),
    "rejected": (hostile_pod(phase="Failed", reason="Strange", message=HOSTILE), ()),
    "secret": (
        hostile_pod(
            status(waiting("ErrImagePull", said.ANONYMOUS)), imagePullSecrets=[{"name": HOSTILE}]
        ),
        (),
    ),
    "gates": (
        hostile_pod(
            conditions=[condition("PodScheduled", "False", "SchedulingGated")],
            schedulingGates=[{"name": HOSTILE}],
        ),
        (),
    ),
}


def assert_is_a_line(text: str) -> None:
    assert text.isprintable()
    assert len(text) <= 700


@pytest.mark.parametrize("place", PODS)
def test_a_cause_is_one_printable_line_whatever_the_cluster_says(place: str) -> None:
    found, events = PODS[place]
    verdict = Judge({}, Limits(9, 9), baseline=None).look(look(0, DEPLOYMENT, found, events=events))
    assert verdict.cause
    assert_is_a_line(verdict.cause.text)
    assert_is_a_line(verdict.cause.hint)
    assert verdict.cause.text[0].isalnum()
    assert "\x1b" not in verdict.cause.message


def test_a_refusal_and_another_image_are_one_line_too() -> None:
    failure = condition("ReplicaFailure", "True", "FailedCreate", HOSTILE)
    refused = look(0, DEPLOYMENT, replica_sets=(replica_set(NEW, failure),))
    other = look(0, DEPLOYMENT, template=template(HOSTILE))
    for snapshot in (refused, other):
        verdict = Judge({"app": BAD}, Limits(9, 9), baseline=None).look(snapshot)
        assert verdict.cause
        assert_is_a_line(verdict.cause.text)


def test_a_log_is_read_from_its_end_and_shown_as_one_line() -> None:
    deciding = Judge({}, Limits(9, 9), baseline=None)
    cause = deciding.look(look(0, DEPLOYMENT, hostile_pod(status(terminated(1))))).cause
    assert cause
    log = f"{HOSTILE}\n::error::\x1b[31mexec /app: exec format error\n"
    read = deciding.read_log(cause, log)
    assert read.key == "wrong-architecture"
    assert_is_a_line(read.message)


@pytest.mark.parametrize("text", [said.HUB_LIMIT, f"x: {said.HUB_LIMIT}\nand more"])
def test_the_user_of_a_pull_limit_is_not_told(text: str) -> None:
    for shown in (short(text), whole(text)):
        assert "acmebot" not in shown
        assert "dckr_jti" not in shown
        assert "pull rate limit" in shown


def test_addresses_lose_their_query_and_their_user() -> None:
    text = f'Get "https://me:s3cret@x.io/v2/?sig=abc%2F": from {said.TOKEN}: 401 Unauthorized'
    assert short(text) == 'Get "https://x.io/v2/": from https://ghcr.io/token: 401 Unauthorized'
    assert "Bearer …" in short("Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (said.NOT_FOUND, f"{BAD}: not found"),
        (next(iter(said.STARTS)), 'exec: "nope": executable file not found in $PATH'),
        (next(iter(said.CREATES)).replace("1b", "0f"), None),
        (next(iter(said.MOUNTS)), 'volume "v" : secret "sec" not found'),
        ("Readiness probe failed: no db\n", "Readiness probe failed: no db"),
    ],
)
def test_what_a_person_need_not_know_is_left_out(text: str, shown: str | None) -> None:
    assert short(text) == (
        shown
        or 'failed to generate container "…" spec: failed to generate spec: no command specified'
    )


def test_digests_are_no_random_parts() -> None:
    digest = "sha256:" + "a" * 64
    assert short(f"{digest}: not found") == f"{digest}: not found"


def test_a_long_line_is_cut_with_a_sign() -> None:
    assert one_line("a" * 400) == "a" * 299 + "…"

"""Why a container does not run, in each kind of workload, and when that is a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ship.kube.snapshot import DEPLOYMENT
from unit.ship.kube import said
from unit.ship.kube.objects import BAD, RUNNING, event, look, pod, status, terminated, waiting
from unit.ship.kube.watching import (
    UID,
    assert_fails_after,
    assert_never_fails_by_itself,
    brief,
    judged,
    of_each_kind,
    patient,
    stays,
)

if TYPE_CHECKING:
    from unit.ship.kube.objects import Json


@of_each_kind
@pytest.mark.parametrize(("message", "key"), said.CONFIGS.items())
def test_a_container_whose_configuration_is_wrong(kind: str, message: str, key: str) -> None:
    found = stays(kind, "CreateContainerConfigError", message)
    assert_fails_after(20, key, kind, found)


@of_each_kind
def test_a_cache_that_is_not_synced_yet_may_take_a_minute(kind: str) -> None:
    message = "failed to sync secret cache: timed out waiting for the condition"
    found = stays(kind, "CreateContainerConfigError", message)
    assert_fails_after(60, "config-not-synced", kind, found)


@of_each_kind
@pytest.mark.parametrize(("message", "key"), said.CREATES.items(), ids=said.CREATES.values())
def test_a_container_that_cannot_be_made(kind: str, message: str, key: str) -> None:
    assert_fails_after(20, key, kind, stays(kind, "CreateContainerError", message))


def test_random_parts_of_a_message_neither_start_it_anew_nor_are_shown() -> None:
    deciding = patient()
    path = "mount callback failed on /run/containerd/tmpmounts/containerd-mount{}: no users found"
    verdicts = [
        deciding.look(
            look(at, DEPLOYMENT, stays(DEPLOYMENT, "CreateContainerError", path.format(at)))
        )
        for at in (2, 12, 22)
    ]
    assert [brief(each) for each in verdicts] == [("running", "unknown-user")] * 2 + [
        ("failed", "unknown-user")
    ]
    assert len({each.cause.text for each in verdicts if each.cause}) == 1


@of_each_kind
@pytest.mark.parametrize(("message", "key"), said.STARTS.items())
def test_a_command_that_cannot_be_started(kind: str, message: str, key: str) -> None:
    ended = terminated(128, "StartError", message)
    once = status(waiting("RunContainerError", message), last=ended)
    again = status(waiting("RunContainerError", message), last=ended, restarts=1)
    deciding = patient()
    verdicts = [
        deciding.look(look(at, kind, pod("web-1", kind, each)))
        for at, each in ((0, once), (1, once), (3, again))
    ]
    assert [brief(each) for each in verdicts] == [("running", key)] * 2 + [("failed", key)]
    assert verdicts[-1].cause
    assert verdicts[-1].cause.logs == ""


ENDS = {
    "crashed": (terminated(3), (), "exit code 3, twice"),
    "exited": (terminated(0), (), "exit code 0, twice, though it is to run on"),
    "out-of-memory": (terminated(137, "OOMKilled"), (), "more memory than it may have, 64Mi, and"),
    "liveness-failing": (
        terminated(0),
        (
            event(
                UID,
                "Unhealthy",
                "Liveness probe failed: HTTP probe failed with statuscode: 404",
                container="app",
            ),
            event(
                UID,
                "Killing",
                "Container app failed liveness probe, will be restarted",
                container="app",
            ),
        ),
        "Liveness probe failed: HTTP probe failed with statuscode: 404",
    ),
    "startup-failing": (
        terminated(143),
        (
            event(UID, "Unhealthy", "Startup probe failed: no route", container="app"),
            event(
                UID,
                "Killing",
                "Container app failed startup probe, will be restarted",
                container="app",
            ),
        ),
        "Startup probe failed: no route",
    ),
    "post-start-failed": (
        terminated(0),
        (event(UID, "FailedPostStartHook", "PostStartHook failed", container="app"),),
        "PostStartHook failed",
    ),
}


@of_each_kind
@pytest.mark.parametrize(
    ("key", "end", "events", "words"), [(key, *of) for key, of in ENDS.items()]
)
def test_a_container_that_ends_twice(
    kind: str, key: str, end: Json, events: tuple[Json, ...], words: str
) -> None:
    limits = {"app": {"resources": {"limits": {"memory": "64Mi"}}}}
    deciding = patient()
    states = (
        status(end),
        status(RUNNING, last=end, restarts=1),
        status(end, last=end, restarts=1),
    )
    verdicts = [
        deciding.look(look(at, kind, pod("web-1", kind, each, specs=limits), events=events))
        for at, each in enumerate(states)
    ]
    assert [brief(each) for each in verdicts] == [("running", key)] * 2 + [("failed", key)]
    causes = [each.cause for each in verdicts if each.cause]
    assert words in causes[-1].text
    # While it runs again, the log of the end is the one before; else it is the plain one.
    assert [each.logs for each in causes] == ["current", "previous", "current"]


@pytest.mark.parametrize("of_restarts", [0, 1, 3])
def test_a_container_may_be_restarted_as_often_as_is_allowed(of_restarts: int) -> None:
    deciding = patient(restarts=of_restarts)
    end = terminated(1)
    verdicts = [
        deciding.look(look(at, DEPLOYMENT, pod("web-1", DEPLOYMENT, status(end, restarts=at))))
        for at in range(5)
    ]
    assert [each.state for each in verdicts].index("failed") == of_restarts


def test_a_crash_is_counted_by_what_has_ended_and_not_by_the_word_for_it() -> None:
    end = terminated(3)
    word = status(waiting("CrashLoopBackOff", "back-off 10s restarting failed"), last=end)
    deciding = patient()
    assert brief(deciding.look(look(0, DEPLOYMENT, pod("web-1", DEPLOYMENT, word)))) == (
        "running", "crashed",
    )  # fmt: skip
    # Two ends that no look has seen are counted as well.
    later = status(RUNNING, last=end, restarts=2)
    assert brief(deciding.look(look(9, DEPLOYMENT, pod("web-1", DEPLOYMENT, later)))) == (
        "failed", "crashed",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "exit code 1,"),
        (137, "exit code 137 (SIGKILL, killed from outside)"),
        (139, "exit code 139 (SIGSEGV, it used memory that is not its own)"),
        (143, "exit code 143 (SIGTERM, stopped from outside)"),
        (127, "exit code 127 (a command was not found)"),
    ],
)
def test_an_exit_code_is_said_in_words(code: int, words: str) -> None:
    found = pod("web-1", DEPLOYMENT, status(terminated(code)))
    cause = patient().look(look(0, DEPLOYMENT, found)).cause
    assert cause
    assert words in cause.text


def test_the_last_words_of_a_program_are_told() -> None:
    end = terminated(1, "Error", "no database at db:5432\n")
    cause = patient().look(look(0, DEPLOYMENT, pod("web-1", DEPLOYMENT, status(end)))).cause
    assert cause
    assert cause.text == (
        "the program has ended with exit code 1, once: no database at db:5432 "
        "(pod web-1, container app)"
    )


def test_a_restart_waits_for_the_event_that_says_which_probe_it_was() -> None:
    probe = {"app": {"livenessProbe": {"httpGet": {"path": "/", "port": 80}}}}
    end = terminated(0)
    twice = pod("web-1", DEPLOYMENT, status(RUNNING, last=end, restarts=2), specs=probe)
    deciding = patient()
    assert brief(deciding.look(look(0, DEPLOYMENT, twice))) == ("running", "exited")
    told = ENDS["liveness-failing"][1]
    verdict = deciding.look(look(1, DEPLOYMENT, twice, events=told))
    assert brief(verdict) == ("failed", "liveness-failing")
    # Where events may not be read, it does not wait for ever.
    assert judged(DEPLOYMENT, (0, 3), twice)[-1] == ("failed", "exited")


@of_each_kind
def test_an_init_container_that_crashes(kind: str) -> None:
    app = status(waiting("PodInitializing"))
    init = status(terminated(3), name="mig", last=terminated(3), restarts=1)
    found = pod("web-1", kind, app, inits=(init,), phase="Pending")
    cause = patient().look(look(0, kind, found)).cause
    assert cause
    assert (cause.key, cause.container) == ("crashed", "mig")


@of_each_kind
def test_a_sidecar_that_crashes_while_the_app_is_ready(kind: str) -> None:
    sidecar = {"mig": {"restartPolicy": "Always"}}
    init = status(terminated(3), name="mig", last=terminated(3), restarts=1)
    found = pod("web-1", kind, status(RUNNING), inits=(init,), specs=sidecar)
    assert judged(kind, (0,), found) == [("failed", "crashed")]


@of_each_kind
def test_a_probe_that_fails_is_named_when_the_time_is_over(kind: str) -> None:
    message = "Readiness probe failed: HTTP probe failed with statuscode: 404"
    told = event(UID, "Unhealthy", message, container="app", times=24)
    found = pod("web-1", kind, status(RUNNING, ready=False))
    assert_never_fails_by_itself("readiness-failing", kind, found, told)
    cause = patient().look(look(0, kind, found, events=(told,))).cause
    assert cause
    assert cause.logs == "current"
    assert f"(24 times): {message}" in cause.text


@pytest.mark.parametrize(
    ("containers", "inits", "events", "key"),
    [
        ((status(RUNNING, ready=False),), (), (), "not-ready"),
        ((status(waiting()),), (), (), "container-creating"),
        (
            (status(waiting()),),
            (),
            (event(UID, "Pulling", f'Pulling image "{BAD}"', container="app"),),
            "image-pulling",
        ),
        (
            (status(waiting("PodInitializing")),),
            (status(RUNNING, name="mig", ready=False),),
            (),
            "init-container-running",
        ),
        (
            (status(RUNNING, ready=False) | {"started": False},),
            (),
            (event(UID, "Unhealthy", "Startup probe failed: no", container="app", times=2),),
            "startup-probe-not-passed",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_slow_is_named_when_the_time_is_over(
    containers: tuple[Json, ...], inits: tuple[Json, ...], events: tuple[Json, ...], key: str
) -> None:
    found = pod("web-1", DEPLOYMENT, *containers, inits=inits, phase="Pending")
    assert_never_fails_by_itself(key, DEPLOYMENT, found, *events)


def test_a_log_shows_that_an_image_is_for_another_processor() -> None:
    deciding = patient()
    found = pod("web-1", DEPLOYMENT, status(terminated(1), last=terminated(1), restarts=1))
    cause = deciding.look(look(0, DEPLOYMENT, found)).cause
    assert cause
    assert deciding.judge.read_log(cause, "started\nno database\n") == cause
    read = deciding.judge.read_log(cause, "exec /bin/app: exec format error\n")
    assert read.key == "wrong-architecture"
    assert read.message == "exec /bin/app: exec format error"
    assert read.text.endswith("(pod web-1, container app)")

"""Each state of a pod has its cause in each kind of workload, and is no failure too early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ship.kube.judge import Judge, Limits
from ship.kube.snapshot import DEPLOYMENT
from unit.ship.kube import said
from unit.ship.kube.objects import (
    BAD,
    KINDS,
    NEW,
    OURS,
    RUNNING,
    condition,
    event,
    look,
    pod,
    replica_set,
    status,
    terminated,
    waiting,
)

if TYPE_CHECKING:
    from ship.kube.judge import Verdict
    from unit.ship.kube.objects import Json

PATIENT = Limits(progress=1000, stability=10)
UID = "uid-web-1"
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def judge(**limits: Any) -> Judge:
    return Judge(OURS, PATIENT._replace(**limits), baseline=None)


def brief(verdict: Verdict) -> tuple[str, str]:
    return verdict.state, verdict.cause.key if verdict.cause else ""


def judged(kind: str, seconds: tuple[float, ...], found: Json, *events: Json) -> list[Any]:
    """Return what comes out when a pod stays as it is, second by second."""
    deciding = judge()
    return [brief(deciding.look(look(at, kind, found, events=events))) for at in seconds]


def assert_fails_after(grace: float, key: str, kind: str, found: Json, *events: Json) -> None:
    seconds = (100, 100 + grace - 0.1, 100 + grace)
    running, failed = ("running", key), ("failed", key)
    assert judged(kind, seconds, found, *events) == [running, running, failed]


def assert_never_fails_by_itself(key: str, kind: str, found: Json, *events: Json) -> None:
    running, failed = ("running", key), ("failed", key)
    assert judged(kind, (0, 600, 999, 1000), found, *events) == [running] * 3 + [failed]


def stays(kind: str, reason: str, message: str = "", **more: Any) -> Json:
    return pod("web-1", kind, status(waiting(reason, message), **more), phase="Pending")


@of_each_kind
@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
@pytest.mark.parametrize(("message", "key"), said.PULLS.items(), ids=said.PULLS.values())
def test_an_image_that_cannot_be_pulled(kind: str, reason: str, message: str, key: str) -> None:
    if reason == "ImagePullBackOff":
        message = f'Back-off pulling image "{BAD}": ErrImagePull: {message}'
    grace = 15 if key in said.FOR_GOOD else 120
    assert_fails_after(grace, key, kind, stays(kind, reason, message))


@of_each_kind
def test_the_two_words_for_a_failed_pull_are_one_finding(kind: str) -> None:
    deciding = judge()
    both = ("ErrImagePull", "ImagePullBackOff")
    verdicts = [
        deciding.look(look(second, kind, stays(kind, both[second // 5 % 2], said.NOT_FOUND)))
        for second in range(16)
    ]
    assert [each.state for each in verdicts] == ["running"] * 15 + ["failed"]


def test_a_back_off_that_names_no_reason_keeps_the_one_before_it() -> None:
    deciding = judge()
    deciding.look(look(0, DEPLOYMENT, stays(DEPLOYMENT, "ErrImagePull", said.NOT_FOUND)))
    bare = stays(DEPLOYMENT, "ImagePullBackOff", f'Back-off pulling image "{BAD}"')
    assert brief(deciding.look(look(15, DEPLOYMENT, bare))) == ("failed", "image-not-found")


def test_a_back_off_that_names_no_reason_takes_the_one_of_the_event() -> None:
    bare = stays(DEPLOYMENT, "ImagePullBackOff", f'Back-off pulling image "{BAD}"')
    failed = event(
        UID, "Failed", f'Failed to pull image "{BAD}": {said.NOT_FOUND}', container="app"
    )
    assert_fails_after(15, "image-not-found", DEPLOYMENT, bare, failed)


def test_a_failed_pull_is_known_from_its_event_while_the_status_lags_behind() -> None:
    failed = event(
        UID, "Failed", f'Failed to pull image "{BAD}": {said.NOT_FOUND}', container="app"
    )
    found = stays(DEPLOYMENT, "ContainerCreating")
    assert_fails_after(15, "image-not-found", DEPLOYMENT, found, failed)


def test_the_image_of_a_volume_is_named_with_its_volume() -> None:
    message = (
        'failed to pull and unpack image "ghcr.io/acme/data:1": ghcr.io/acme/data:1: not found'
    )
    volumes = [{"name": "v", "image": {"reference": "ghcr.io/acme/data:1"}}]
    found = pod("web-1", DEPLOYMENT, status(waiting("ErrImagePull", message)), volumes=volumes)
    cause = judge().look(look(0, DEPLOYMENT, found)).cause
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
    cause = judge().look(look(0, DEPLOYMENT, found, events=events)).cause
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


@of_each_kind
@pytest.mark.parametrize(("message", "key"), said.CONFIGS.items())
def test_a_container_whose_configuration_is_wrong(kind: str, message: str, key: str) -> None:
    found = stays(kind, "CreateContainerConfigError", message)
    assert_fails_after(10, key, kind, found)


@of_each_kind
def test_a_cache_that_is_not_synced_yet_may_take_a_minute(kind: str) -> None:
    message = "failed to sync secret cache: timed out waiting for the condition"
    found = stays(kind, "CreateContainerConfigError", message)
    assert_fails_after(60, "config-not-synced", kind, found)


@of_each_kind
@pytest.mark.parametrize(("message", "key"), said.CREATES.items(), ids=said.CREATES.values())
def test_a_container_that_cannot_be_made(kind: str, message: str, key: str) -> None:
    assert_fails_after(10, key, kind, stays(kind, "CreateContainerError", message))


def test_random_parts_of_a_message_neither_start_it_anew_nor_are_shown() -> None:
    deciding = judge()
    path = "mount callback failed on /run/containerd/tmpmounts/containerd-mount{}: no users found"
    verdicts = [
        deciding.look(
            look(at, DEPLOYMENT, stays(DEPLOYMENT, "CreateContainerError", path.format(at)))
        )
        for at in (2, 7, 12)
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
    deciding = judge()
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
    deciding = judge()
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
    deciding = judge(restarts=of_restarts)
    end = terminated(1)
    verdicts = [
        deciding.look(look(at, DEPLOYMENT, pod("web-1", DEPLOYMENT, status(end, restarts=at))))
        for at in range(5)
    ]
    assert [each.state for each in verdicts].index("failed") == of_restarts


def test_a_crash_is_counted_by_what_has_ended_and_not_by_the_word_for_it() -> None:
    end = terminated(3)
    word = status(waiting("CrashLoopBackOff", "back-off 10s restarting failed"), last=end)
    deciding = judge()
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
    cause = judge().look(look(0, DEPLOYMENT, found)).cause
    assert cause
    assert words in cause.text


def test_the_last_words_of_a_program_are_told() -> None:
    end = terminated(1, "Error", "no database at db:5432\n")
    cause = judge().look(look(0, DEPLOYMENT, pod("web-1", DEPLOYMENT, status(end)))).cause
    assert cause
    assert cause.text == (
        "the program has ended with exit code 1, once: no database at db:5432 "
        "(pod web-1, container app)"
    )


def test_a_restart_waits_for_the_event_that_says_which_probe_it_was() -> None:
    probe = {"app": {"livenessProbe": {"httpGet": {"path": "/", "port": 80}}}}
    end = terminated(0)
    twice = pod("web-1", DEPLOYMENT, status(RUNNING, last=end, restarts=2), specs=probe)
    deciding = judge()
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
    cause = judge().look(look(0, kind, found)).cause
    assert cause
    assert (cause.key, cause.container) == ("crashed", "mig")


@of_each_kind
def test_a_sidecar_that_crashes_while_the_app_is_ready(kind: str) -> None:
    sidecar = {"mig": {"restartPolicy": "Always"}}
    init = status(terminated(3), name="mig", last=terminated(3), restarts=1)
    found = pod("web-1", kind, status(RUNNING), inits=(init,), specs=sidecar)
    assert judged(kind, (0,), found) == [("failed", "crashed")]


@of_each_kind
@pytest.mark.parametrize(
    ("message", "key", "grace"), [(message, *of) for message, of in said.MOUNTS.items()]
)
def test_a_volume_that_only_events_tell_of(kind: str, message: str, key: str, grace: int) -> None:
    found = stays(kind, "ContainerCreating")
    assert_fails_after(grace, key, kind, found, event(UID, "FailedMount", message, times=3))
    # What has happened twice may have been the start of the node.
    assert_never_fails_by_itself(key, kind, found, event(UID, "FailedMount", message, times=2))


def test_a_volume_that_was_late_is_no_reason_once_the_image_is_pulled() -> None:
    found = stays(DEPLOYMENT, "ContainerCreating")
    late = event(UID, "FailedMount", 'volume "v" : secret "sec" not found', times=9)
    pulling = event(UID, "Pulling", f'Pulling image "{BAD}"', container="app")
    assert_never_fails_by_itself("image-pulling", DEPLOYMENT, found, late, pulling)


def test_a_volume_that_another_node_still_has_is_waited_for() -> None:
    message = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0'
    found = stays(DEPLOYMENT, "ContainerCreating")
    told = event(UID, "FailedAttachVolume", message, times=9)
    assert_never_fails_by_itself("volume-in-use", DEPLOYMENT, found, told)


def test_a_sandbox_that_fails_with_another_number_each_time_is_counted() -> None:
    message = 'Failed to create pod sandbox: rpc error: code = Unknown desc = x "{}": no network'
    events = tuple(
        event(UID, "FailedCreatePodSandBox", message.format(str(each) * 64)) for each in range(3)
    )
    found = stays(DEPLOYMENT, "ContainerCreating")
    assert_fails_after(120, "sandbox-failed", DEPLOYMENT, found, *events)


def test_a_memory_limit_that_is_too_low_for_the_sandbox() -> None:
    message = (
        'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox "4"'
        ": container init was OOM-killed (memory limit too low?)"
    )
    told = event(UID, "FailedCreatePodSandBox", message, times=3)
    found = stays(DEPLOYMENT, "ContainerCreating")
    assert_fails_after(30, "out-of-memory", DEPLOYMENT, found, told)


@pytest.mark.parametrize(
    ("message", "key", "grace"), [(message, *of) for message, of in said.REFUSALS.items()]
)
class TestPodsThatAreRefused:
    def test_of_a_deployment(self, message: str, key: str, grace: float) -> None:
        failure = condition("ReplicaFailure", "True", "FailedCreate", message)
        sets = (replica_set(NEW, failure),)
        deciding = judge()
        verdicts = [
            brief(deciding.look(look(at, DEPLOYMENT, replica_sets=sets)))
            for at in (0, grace - 1, grace)
        ]
        assert verdicts == [("running", key)] * 2 + [("failed", key)]

    @pytest.mark.parametrize("kind", KINDS[1:])
    def test_of_other_kinds(self, kind: str, message: str, key: str, grace: float) -> None:
        told = event("workload", "FailedCreate", f"Error creating: {message}")
        deciding = judge()
        verdicts = [
            brief(deciding.look(look(at, kind, events=(told,)))) for at in (0, grace - 1, grace)
        ]
        assert verdicts == [("running", key)] * 2 + [("failed", key)]


def test_a_refusal_of_an_older_replica_set_does_not_count() -> None:
    failure = condition("ReplicaFailure", "True", "FailedCreate", next(iter(said.REFUSALS)))
    sets = (replica_set(NEW), replica_set("5c4b", failure))
    deciding = judge()
    verdicts = [
        deciding.look(look(at, DEPLOYMENT, replica_sets=sets, conditions=(failure,)))
        for at in (0, 30)
    ]
    assert [brief(each) for each in verdicts] == [("running", "")] * 2


def test_a_deployment_that_can_make_no_replica_set() -> None:
    why = condition("Progressing", "False", "ReplicaSetCreateError", "exceeded quota: q")
    deciding = judge()
    verdicts = [
        brief(deciding.look(look(at, DEPLOYMENT, replica_sets=(), conditions=(why,))))
        for at in (0, 15)
    ]
    assert verdicts == [("running", "quota-exceeded"), ("failed", "quota-exceeded")]


@of_each_kind
@pytest.mark.parametrize(("message", "key"), said.UNSCHEDULABLE.items())
def test_a_pod_that_no_node_can_take(kind: str, message: str, key: str) -> None:
    found = pod(
        "web-1", kind, conditions=[condition("PodScheduled", "False", "Unschedulable", message)]
    )
    assert_fails_after(60, key, kind, found)


@of_each_kind
@pytest.mark.parametrize("reason", ["TriggeredScaleUp", "Nominated"])
def test_a_pod_that_an_autoscaler_makes_a_node_for_is_waited_for(kind: str, reason: str) -> None:
    found = pod(
        "web-1",
        kind,
        conditions=[condition("PodScheduled", "False", "Unschedulable", said.NO_ROOM)],
    )
    comes = event(UID, reason, "pod triggered scale-up: [{group 1->2 (max: 5)}]")
    assert_never_fails_by_itself("waiting-for-a-node", kind, found, comes)


def test_a_pod_behind_scheduling_gates() -> None:
    gated = condition("PodScheduled", "False", "SchedulingGated", "Scheduling is blocked")
    found = pod(
        "web-1", DEPLOYMENT, conditions=[gated], schedulingGates=[{"name": "example.com/wait"}]
    )
    assert_never_fails_by_itself("scheduling-gated", DEPLOYMENT, found)


def test_a_pod_that_no_scheduler_has_looked_at() -> None:
    found = pod("web-1", DEPLOYMENT, schedulerName="other")
    assert_never_fails_by_itself("no-scheduler", DEPLOYMENT, found)


@of_each_kind
def test_a_pod_that_the_node_rejects_is_a_failure_at_once(kind: str) -> None:
    found = pod("web-1", kind, phase="Failed", reason="SysctlForbidden", message=said.SYSCTL)
    assert judged(kind, (0,), found) == [("failed", "pod-rejected")]


@of_each_kind
def test_a_probe_that_fails_is_named_when_the_time_is_over(kind: str) -> None:
    message = "Readiness probe failed: HTTP probe failed with statuscode: 404"
    told = event(UID, "Unhealthy", message, container="app", times=24)
    found = pod("web-1", kind, status(RUNNING, ready=False))
    assert_never_fails_by_itself("readiness-failing", kind, found, told)
    cause = judge().look(look(0, kind, found, events=(told,))).cause
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


def test_a_readiness_gate_is_named_when_the_time_is_over() -> None:
    message = 'corresponding condition of pod readiness gate "elb" does not exist.'
    conditions = [
        condition("Ready", "False", "ReadinessGatesNotReady", message),
        condition("ContainersReady", "True"),
    ]
    found = pod("web-1", DEPLOYMENT, status(RUNNING), conditions=conditions)
    assert_never_fails_by_itself("readiness-gate", DEPLOYMENT, found)


def test_a_log_shows_that_an_image_is_for_another_processor() -> None:
    deciding = judge()
    found = pod("web-1", DEPLOYMENT, status(terminated(1), last=terminated(1), restarts=1))
    cause = deciding.look(look(0, DEPLOYMENT, found)).cause
    assert cause
    assert deciding.read_log(cause, "started\nno database\n") == cause
    read = deciding.read_log(cause, "exec /bin/app: exec format error\n")
    assert read.key == "wrong-architecture"
    assert read.message == "exec /bin/app: exec format error"
    assert read.text.endswith("(pod web-1, container app)")

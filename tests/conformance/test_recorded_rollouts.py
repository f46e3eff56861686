"""The judge over what a real kubelet was seen to do: 81 rollouts of Kubernetes 1.37.2.

The objects were recorded as a busy cluster showed them, with seconds of delay between events and
status. They are no part of this repository: RECORDED_ROLLOUTS names the file, else it is looked for
beside the checkout. What they show is covered by small cases in tests/unit/ship/kube as well.
"""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from bed.tools import Cannot
from ship.kube.judge import Judge, Limits
from ship.kube.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ship.kube.judge import Verdict

BESIDE = Path(__file__).parents[3] / "shared/data/kube-seen-1.37.2.json.gz"
FILE = Path(os.environ.get("RECORDED_ROLLOUTS") or BESIDE)
LIMITS = Limits(progress=600, stability=10)
# The controller gave up after 30 s without progress: then the judge does as well.
EVERY = 0.5
AFTER = 20.0


class Expected(NamedTuple):
    """What comes out: `done`, or the cause; and within how many seconds after its first sight.

    The seconds are 5 and the grace of the state. The controller of the recorded cluster gives up
    30 s after the last progress, which may be sooner.
    """

    cause: str
    seconds: float = 5


def of(*names: str, cause: str, grace: float) -> dict[str, Expected]:
    return {name: Expected(cause, 5 + grace) for name in names}


EXPECTED = {
    **dict.fromkeys(
        ("ok", "private-ok", "run-oomchild", "init-ok", "evict-emptydir"), Expected("done")
    ),
    # The recording has the three of another architecture while their images were not there.
    **of(
        "no-tag", "no-repo", "no-digest", "reg-s404", "init-notag", "vol-image", "arch-index",
        "arch-plain", "arch-lies", cause="image-not-found", grace=20,
    ),
    **of(
        "private-anon", "private-badpw", "private-nosecret", "reg-s401", "reg-s403",
        cause="image-pull-denied", grace=20,
    ),
    **of("reg-s429", cause="registry-rate-limit", grace=120),
    **of("reg-s500", "reg-s503", cause="registry-error", grace=120),
    **of("reg-cut", "reg-badsum", cause="image-broken", grace=120),
    **of("reg-refused", "reg-nohost", cause="registry-unreachable", grace=120),
    **of("reg-hang", cause="image-pulling", grace=30),
    **of("never", cause="image-never-pulled", grace=0),
    **of("name-upper", "name-colons", cause="image-name-invalid", grace=0),
    **of("name-space", cause="pod-invalid", grace=15),
    **of("run-crash", "run-segv", "run-late", "init-crash", "sidecar-crash",
            cause="crashed", grace=5),
    **of("run-done", cause="exited", grace=5),
    **of("run-oom", "init-oom", cause="out-of-memory", grace=5),
    **of("oom-tiny", cause="out-of-memory", grace=30),
    **of("cmd-image", "cmd-spec", cause="command-not-found", grace=5),
    **of("cmd-noexec", cause="command-not-executable", grace=5),
    **of("workdir-file", cause="container-cannot-start", grace=5),
    **of("cmd-none", cause="no-command", grace=20),
    **of("user-bad", cause="unknown-user", grace=20),
    **of("cm-missing", "cm-key", "secret-missing", "secret-key", "envfrom-missing",
            cause="config-missing", grace=20),
    **of("vol-secret", "vol-cm", "vol-cmkey", cause="config-missing", grace=20),
    **of("vol-hostpath", cause="volume-not-mounted", grace=30),
    **of("ready-404", "ready-refused", "ready-exec", "ready-timeout",
            cause="readiness-failing", grace=30),
    **of("live-404", cause="liveness-failing", grace=5),
    **of("start-404", cause="startup-failing", grace=5),
    **of("poststart", cause="post-start-failed", grace=5),
    **of("init-hangs", cause="init-container-running", grace=30),
    **of("nonroot-root", "nonroot-name", cause="runs-as-root", grace=20),
    # One of its two pods starts meanwhile, and is waited for.
    **of("quota-pods", cause="quota-exceeded", grace=60),
    **of("quota-cpu", cause="quota-exceeded", grace=15),
    **of("limitrange", cause="limit-range", grace=15),
    **of("sa-missing", cause="service-account-missing", grace=15),
    **of("psa", cause="pod-security", grace=15),
    **of("runtimeclass", cause="runtime-class-missing", grace=15),
    **of("uns-cpu", "uns-selector", "uns-gpu", "uns-anti", "uns-hostport",
            cause="unschedulable", grace=60),
    **of("uns-nopvc", "uns-pvc", cause="volume-claim-missing", grace=60),
    **of("uns-gate", cause="scheduling-gated", grace=30),
    **of("noscheduler", cause="no-scheduler", grace=35),
    **of("sysctl", cause="pod-rejected", grace=0),
}  # fmt: skip


@cache
def recorded() -> dict[str, list[Any]]:
    if not FILE.is_file():
        return {}
    found: dict[str, list[Any]] = json.loads(gzip.decompress(FILE.read_bytes()))
    return found


def cases() -> list[Any]:
    absent = pytest.mark.skip(reason=f"{Cannot.RECORDED.reason}: {FILE.name} is not there")
    return list(recorded()) or [pytest.param("", id="absent", marks=absent)]


def snapshots(case: str) -> Iterator[Snapshot]:
    """Yield what looks every half second would have seen, and for a while after the last change."""
    steps = recorded()[case]
    seen: dict[str, Any] = {}
    at, number = 0.0, 0
    while at < steps[-1]["t"] + AFTER:
        while number < len(steps) and steps[number]["t"] <= at:
            found = steps[number]["object"]
            seen[found["metadata"]["uid"]] = found
            number += 1
        if any(each["kind"] == "Deployment" for each in seen.values()):
            yield snapshot(at, list(seen.values()))
        at += EVERY


def snapshot(at: float, seen: list[Any]) -> Snapshot:
    (deployment,) = (each for each in seen if each["kind"] == "Deployment")
    pods = tuple(each for each in seen if each["kind"] == "Pod")
    events = tuple(each for each in seen if each["kind"] == "Event")
    return Snapshot(at, deployment, replica_sets(deployment, pods, events), pods, events)


def replica_sets(
    deployment: Any, pods: tuple[Any, ...], events: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Return the only ReplicaSet, which was not recorded: it has the template and the refusal."""
    owners = [each["metadata"]["ownerReferences"][0] for each in pods]
    owners += [each["involvedObject"] for each in events]
    named = {each["uid"]: each["name"] for each in owners if each["kind"] == "ReplicaSet"}
    conditions = deployment["status"].get("conditions", ())
    refused = [each for each in conditions if each["type"] == "ReplicaFailure"]
    return tuple(
        {
            "metadata": {"uid": uid, "name": name},
            "spec": {"template": deployment["spec"]["template"]},
            "status": {"conditions": refused},
        }
        for uid, name in named.items()
    )


def verdicts(case: str) -> Iterator[tuple[float, Verdict]]:
    deciding: Judge | None = None
    for each in snapshots(case):
        if deciding is None:
            spec = each.template["spec"]
            ours = {one["name"]: one["image"] for one in spec["containers"]}
            deciding = Judge(ours, LIMITS, baseline=None)
        verdict = deciding.look(each)
        yield each.at, verdict
        if verdict.state != "running":
            return


def test_each_recorded_rollout_has_its_expectation() -> None:
    if FILE.is_file():
        assert set(recorded()) == set(EXPECTED)
        assert len(EXPECTED) == 81


@pytest.mark.parametrize("case", cases())
def test_a_recorded_rollout_is_judged_right_and_in_time(case: str) -> None:
    expected = EXPECTED[case]
    looks = list(verdicts(case))
    ended, verdict = looks[-1]
    if expected.cause == "done":
        assert verdict.state == "done"
        return
    assert verdict.cause
    assert (verdict.state, verdict.cause.key) == ("failed", expected.cause)
    first = next(at for at, each in looks if each.cause and each.cause.key == expected.cause)
    assert ended - first <= expected.seconds
    assert verdict.cause.hint
    assert verdict.cause.text.isprintable()

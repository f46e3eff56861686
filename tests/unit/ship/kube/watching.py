"""Shows a judge what a cluster looks like, second by second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ship.kube.judge import Judge, Limits
from ship.kube.snapshot import DEPLOYMENT
from unit.ship.kube import said
from unit.ship.kube.objects import (
    KINDS,
    OURS,
    RUNNING,
    condition,
    look,
    pod,
    status,
    terminated,
    waiting,
)

if TYPE_CHECKING:
    from ship.kube.judge import Cause, Verdict
    from ship.kube.snapshot import Snapshot
    from unit.ship.kube.objects import Json

LIMITS = Limits(progress=120, stability=10)
UID = "uid-web-1"
of_each_kind = pytest.mark.parametrize("kind", KINDS)
LOST = [condition("Ready", "False"), condition("ContainersReady", "True")]


class Watch:
    """Shows a judge looks, and between two of them every five seconds that all is as it was."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._before: Snapshot | None = None

    def look(self, snapshot: Snapshot) -> Verdict:
        before, self._before = self._before, snapshot
        while before and snapshot.at - before.at > 5:
            before = before._replace(at=before.at + 5)
            self.judge.look(before)
        return self.judge.look(snapshot)


def judge(baseline: Snapshot | None = None, **limits: Any) -> Watch:
    return Watch(Judge(OURS, LIMITS._replace(**limits), baseline=baseline))


def patient(**limits: Any) -> Watch:
    """Return a judge that waits long for progress."""
    return judge(progress=1000, **limits)


def states(deciding: Watch | Judge, *looks: Snapshot) -> list[str]:
    return [deciding.look(each).state for each in looks]


def last(deciding: Watch, *looks: Snapshot) -> Verdict:
    return [deciding.look(each) for each in looks][-1]


def cause(verdict: Verdict) -> Cause:
    assert verdict.cause
    return verdict.cause


def brief(verdict: Verdict) -> tuple[str, str]:
    return verdict.state, verdict.cause.key if verdict.cause else ""


def judged(kind: str, seconds: tuple[float, ...], found: Json, *events: Json) -> list[Any]:
    """Return what comes out when a pod stays as it is, second by second."""
    deciding = patient()
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


def starting(name: str = "web-1", kind: str = DEPLOYMENT, **more: Any) -> Json:
    return pod(name, kind, status(RUNNING, ready=False), **more)


def unpulled(name: str = "web-1", kind: str = DEPLOYMENT, message: str = said.NOT_FOUND) -> Json:
    return pod(name, kind, status(waiting("ErrImagePull", message)), phase="Pending")


def crashed(name: str = "web-1", kind: str = DEPLOYMENT, ends: int = 2, **more: Any) -> Json:
    end = terminated(3)
    return pod(name, kind, status(end, last=end, restarts=ends - 1), **more)


def unschedulable(name: str = "web-2", kind: str = DEPLOYMENT) -> Json:
    why = condition("PodScheduled", "False", "Unschedulable", said.NO_ROOM)
    return pod(name, kind, conditions=[why])

"""Watching rollouts to their end: of the new version, and of the one that comes back."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, TypeVar

from ship.kube.client import NOT_FOUND, Refused, Unanswered
from ship.kube.judge import Cause, Judge, Limits
from ship.kube.kinds import STATEFUL_SET
from ship.kube.observer import Observer
from ship.kube.pod import INIT, containers, is_ready
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ship.kube.client import Client
    from ship.kube.judge import Verdict
    from ship.kube.kinds import Kind
    from ship.kube.pod import Container
    from ship.kube.snapshot import Snapshot

    Object = Mapping[str, Any]

T = TypeVar("T")
POLL_SECONDS = 1.0
# Most rollouts that are good end soon: at the beginning we look more often.
QUICK_POLL_SECONDS, QUICK_SECONDS = 0.5, 10.0
# How long the API server may be gone: it restarts, or the network between has a fault.
LOST_SECONDS = 120.0
# Even when nothing changes a person wants to see that we are still there.
REMINDER_SECONDS = 30.0
# What hinders a rollout for less than this is a part of every start, and not worth a line.
SUSPICION_SECONDS = 5.0
LOG_LINES = 40
STARTING = ("", "ContainerCreating", "PodInitializing")
# For how long a pod of an older version is not ready before it counts as stuck.
STUCK_SECONDS = 5.0


class Outcome(NamedTuple):
    """How the rollout of a workload ended: a word, and why."""

    status: str
    cause: Cause | None = None
    last: Snapshot | None = None
    log: str = ""

    @property
    def is_good(self) -> bool:
        return self.status == "done"


class Rollout:
    """The rollout of one workload, look by look."""

    def __init__(
        self,
        observer: Observer,
        kind: Kind,
        name: str,
        judge: Judge,
        *,
        heals: bool,
    ) -> None:
        self.name = name
        self.outcome: Outcome | None = None
        self._observer = observer
        self._kind = kind
        self._judge = judge
        # Whether pods of another version that are not ready are in the way, and known to be bad.
        self._heals = heals
        self._stuck_since: dict[str, float] = {}
        self._lost_since: float | None = None
        self._told = ("", "")
        self._told_at = 0.0
        self._suspicion, self._suspected_since = "", 0.0
        self.verdict: Verdict | None = None
        self.last: Snapshot | None = None

    def look(self, now: float, tell: Callable[[str], None]) -> None:
        """Look once; `outcome` is set when the rollout has ended."""
        try:
            snapshot = self._observer.look()
        except (Refused, Unanswered) as error:
            self._note_loss(error, now, tell)
            return
        if self._lost_since is not None:
            tell(f"{self.name}: the API server answers again")
            self._lost_since = None
        self.last = snapshot
        verdict = self.verdict = self._judge.look(snapshot)
        if verdict.state in ("running", "done"):
            self._tell_progress(verdict, now, tell)
        if verdict.state == "running":
            # Until then all pods look like those of another version.
            if verdict.progress.is_observed:
                self._heal(snapshot, now, tell)
            return
        self.end(verdict.state, verdict.cause)
        if self.outcome and self.outcome.cause:
            tell(f"{self.name}: {self.outcome.cause.text}")

    def end(self, status: str, cause: Cause | None) -> None:
        """Note the end; for a failure the log of the container is read as well."""
        log = ""
        if status == "failed" and cause and cause.logs:
            with contextlib.suppress(Refused, Unanswered):
                previous = cause.logs == "previous"
                log = self._observer.log(
                    cause.pod, cause.container, previous=previous, lines=LOG_LINES
                )
                cause = self._judge.read_log(cause, log)
        self.outcome = Outcome(status, cause, self.last, log)

    def end_late(self, seconds: float) -> None:
        """Note that the time is over, with the suspicion that there is so far."""
        late = f"the rollout of {self.name} did not end within {seconds:.0f} s"
        hint = "look at its pods with `kubectl get pods`; a slow one needs a longer `timeout`"
        cause = self.verdict.cause if self.verdict else None
        if cause:
            # It may be no more than what the last pod that was on its way was waiting for.
            longer = "a rollout that is only slow needs a longer `timeout`"
            cause = cause._replace(text=f"{late}: {cause.text}", hint=f"{cause.hint}; {longer}")
        self.end("failed", cause or Cause("timeout", late, hint))

    def _note_loss(
        self, error: Refused | Unanswered, now: float, tell: Callable[[str], None]
    ) -> None:
        if isinstance(error, Refused) and error.status == NOT_FOUND:
            text = f"{self.name} was deleted while it was watched"
            hint = "find out who deletes it; the step needs it to be there"
            self.outcome = Outcome("failed", Cause("deleted", text, hint), self.last)
            return
        # What is seen when it answers again may be from before.
        self._stuck_since.clear()
        if self._lost_since is None:
            self._lost_since = now
            tell(f"{self.name}: the API server does not answer; trying again: {error.message}")
        if now - self._lost_since > LOST_SECONDS:
            text = f"the API server has not answered for {LOST_SECONDS:.0f} s: {error.message}"
            hint = "check the network and the login; what became of the rollout is not known"
            cause = Cause("api-lost", " ".join(text.split())[:1000], hint)
            self.outcome = Outcome("failed", cause, self.last)

    def _tell_progress(self, verdict: Verdict, now: float, tell: Callable[[str], None]) -> None:
        """Print how far it is, when that has changed, and what hinders it for some time."""
        key = verdict.cause.key if verdict.cause and verdict.state == "running" else ""
        if key != self._suspicion:
            self._suspicion, self._suspected_since = key, now
        is_old = bool(key) and now - self._suspected_since >= SUSPICION_SECONDS
        shown = (verdict.progress.shown, key if is_old else "")
        if shown == self._told and now - self._told_at < REMINDER_SECONDS:
            return
        why = f"; {verdict.cause.text}" if verdict.cause and is_old else ""
        tell(f"{self.name}: {shown[0]}{why}")
        self._told, self._told_at = shown, now

    def _heal(self, snapshot: Snapshot, now: float, tell: Callable[[str], None]) -> None:
        """Delete pods of a bad version that a StatefulSet waits for, so that it goes on.

        Its controller does not replace a pod that is not ready before that is ready, which a pod
        of a bad version never is: https://github.com/kubernetes/kubernetes/issues/67250.
        """
        if self._kind != STATEFUL_SET or _replaces_on_delete(snapshot.workload):
            return
        for pod in snapshot.old_pods:
            name = str(pod["metadata"]["name"])
            if _keeps_its_template(name, snapshot.workload):
                continue
            if is_ready(pod) or pod["metadata"].get("deletionTimestamp"):
                self._stuck_since.pop(name, None)
            elif (self._heals or _is_sick(pod)) and self._is_stuck(name, now):
                tell(f"{self.name}: the pod {name} of another version is stuck: deleting it")
                del self._stuck_since[name]
                with contextlib.suppress(Refused, Unanswered):
                    self._observer.delete_pod(pod)

    def _is_stuck(self, pod: str, now: float) -> bool:
        return now - self._stuck_since.setdefault(pod, now) >= STUCK_SECONDS


def _replaces_on_delete(workload: Object) -> bool:
    strategy = (workload.get("spec") or {}).get("updateStrategy") or {}
    return strategy.get("type") == "OnDelete"


def _keeps_its_template(pod: str, workload: Object) -> bool:
    """Say whether a pod is below the partition: made anew, it has its old template again."""
    strategy = (workload.get("spec") or {}).get("updateStrategy") or {}
    partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    number = pod.rpartition("-")[2]
    return number.isdecimal() and int(number) < partition


def _is_sick(pod: Object) -> bool:
    """Say whether a container of a pod has failed, or cannot start, and does not run now.

    One that runs may be recovering, as a database does: how often it has ended before says nothing.
    """
    return any(_cannot_run(each) for each in containers(pod))


def _cannot_run(container: Container) -> bool:
    if container.is_running or container.waits_for:
        return container.waits_for not in STARTING
    ended = container.ended
    return bool(ended) and (container.role != INIT or bool(ended.get("exitCode")))


class Watch:
    """Watches several rollouts side by side."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._tell = tell
        self.clock = clock
        self._sleep = sleep

    def until_answered(self, act: Callable[[], T], end: float) -> T:
        """Do something again until the server answers; at the end raise Unanswered."""
        while True:
            try:
                return act()
            except Unanswered:
                if self.clock() >= end:
                    raise
            self._sleep(POLL_SECONDS)

    def rollout(
        self,
        kind: Kind,
        name: str,
        images: Mapping[str, str],
        limits: Limits,
        *,
        baseline: Snapshot | None,
        heals: bool,
    ) -> Rollout:
        """Return the rollout of a workload, not looked at yet."""
        observer = Observer(self._client, kind, self._namespace, name, self.clock)
        judge = Judge(images, limits, baseline=baseline)
        return Rollout(observer, kind, f"{kind.word}/{name}", judge, heals=heals)

    def run(self, rollouts: Sequence[Rollout], seconds: float, *, stops_at_failure: bool) -> None:
        """Look until all have ended, or the time is over: once a second, at first twice.

        With `stops_at_failure` the first failure ends the watch: the others go back as well.
        """
        started = self.clock()
        while True:
            for each in rollouts:
                if not each.outcome:
                    each.look(self.clock(), self._tell)
            open_ones = [each for each in rollouts if not each.outcome]
            failed = any(each.outcome and each.outcome.status == "failed" for each in rollouts)
            if not open_ones or (failed and stops_at_failure):
                return
            if self.clock() - started > seconds:
                for each in open_ones:
                    each.end_late(seconds)
                return
            is_soon = self.clock() - started < QUICK_SECONDS
            self._sleep(QUICK_POLL_SECONDS if is_soon else POLL_SECONDS)

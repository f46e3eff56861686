"""Judges a rollout, look by look: whether it goes on, is done, or has failed, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ship.kube.baseline import Baseline
from ship.kube.causes.find import find
from ship.kube.causes.finding import NEVER, Cause, Finding
from ship.kube.causes.image_states import ARCHITECTURE
from ship.kube.causes.rollout_states import (
    DEADLINE,
    NO_PROGRESS,
    NOT_OBSERVED,
    NOTHING_RUNS,
    PAUSED,
    SUPERSEDED,
    UNSTABLE,
)
from ship.kube.memory import Memory, Scene
from ship.kube.patience import Patience, allowance
from ship.kube.pod import is_alive, is_leaving, is_lost, is_ready, node
from ship.kube.progress import ZERO_REPLICAS, Progress, is_away, progress_of
from ship.kube.snapshot import condition, name, uid
from ship.kube.stability import Stability
from ship.kube.words import one_line, short, without_secrets
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ship.kube.causes.finding import State
    from ship.kube.snapshot import Object, Snapshot

__all__ = ["Cause", "Judge", "Limits", "Outcome", "Verdict"]

Outcome = Literal["running", "done", "failed", "superseded", "paused", "nothing-runs"]
# A pause can be a matter of a moment, between two changes of another tool.
_PAUSED_SECONDS = 1.0
# A person, or an autoscaler, may scale to zero and up again.
_SCALED_DOWN = 30.0
_LONGEST_GAP = 10.0
_LONGEST_LOG = 100_000
_WRONG_PROCESSOR = "exec format error"


class Limits(NamedTuple):
    """How patient a judge is.

    In seconds: for how long a rollout may make no progress, and for how long its pods have to stay
    ready after it is done. And how often a new container may be restarted.
    """

    progress: float
    stability: float
    restarts: int = 1


class Verdict(NamedTuple):
    """What a look has come to.

    `cause` says why it has failed, or why nothing runs. While it is running, it is the best
    suspicion so far, to be shown when the caller's own time is over.
    """

    state: Outcome
    progress: Progress
    cause: Cause | None = None


class Judge:
    """Judges one rollout.

    `ours` is the image of each container that we have set. `baseline` is a look at the workload
    before the change: what was there then is not held against it. A judge has no clock of its own;
    it wants a look every few seconds, and longer gaps between looks do not count as time.
    """

    def __init__(
        self, ours: Mapping[str, str], limits: Limits, *, baseline: Snapshot | None
    ) -> None:
        self._ours = dict(ours)
        self._limits = limits
        self._baseline = Baseline(baseline)
        self._memory = Memory(limits.restarts, self._baseline.ends)
        self._patience = Patience()
        self._stability = Stability(limits.stability)
        self._template: Object = {}
        self._paused_since: float | None = None
        # When it wanted some pods for the last time.
        self._had_pods: float | None = None
        self._missed = 0.0
        self._last: float | None = None

    def look(self, snapshot: Snapshot) -> Verdict:
        """Judge the next snapshot."""
        snapshot = self._baseline.fresh(snapshot)._replace(at=self._watched(snapshot.at))
        progress = progress_of(snapshot)
        if progress.wanted:
            self._had_pods = snapshot.at
        if cause := self._superseded(snapshot):
            return Verdict("superseded", progress, cause)
        if self._stays_paused(snapshot, progress):
            return Verdict("paused", progress, _of_workload(PAUSED, snapshot))
        if progress.nothing_runs:
            cause = _of_workload(NOTHING_RUNS[progress.nothing_runs], snapshot)
            is_over = not self._was_scaled_down_just_now(snapshot, progress)
            return Verdict("nothing-runs" if is_over else "running", progress, cause)
        return self._judge(snapshot, progress)

    def read_log(self, cause: Cause, text: str) -> Cause:
        """Return a cause that the log of its container makes clearer, else the same.

        An image for another processor starts, and only its log says what is wrong.
        """
        lines = [each for each in text[-_LONGEST_LOG:].splitlines() if _WRONG_PROCESSOR in each]
        if not lines or not cause.container:
            return cause
        what = "the program of the image is for another processor than the node has, says its log"
        where = f"pod {cause.pod}, container {cause.container}"
        said = without_secrets(one_line(lines[-1]))
        return cause._replace(
            key="wrong-architecture", text=f"{what} ({where})", hint=ARCHITECTURE, message=said
        )

    def _watched(self, at: float) -> float:
        """Return the time without the gaps in which nobody looked.

        While an API server is down nobody can look, and what is seen just after that is old.
        """
        gap = 0.0 if self._last is None else at - self._last
        self._missed += max(0.0, gap - _LONGEST_GAP)
        self._last = at
        return at - self._missed

    def _stays_paused(self, snapshot: Snapshot, progress: Progress) -> bool:
        if not progress.is_paused:
            self._paused_since = None
            return False
        if self._paused_since is None:
            self._paused_since = snapshot.at
        return snapshot.at - self._paused_since >= _PAUSED_SECONDS

    def _was_scaled_down_just_now(self, snapshot: Snapshot, progress: Progress) -> bool:
        """Return whether it had pods a moment ago: who scales it to zero may scale it up again."""
        if progress.wanted or progress.nothing_runs != ZERO_REPLICAS:
            return False
        return self._had_pods is not None and snapshot.at - self._had_pods < _SCALED_DOWN

    def _judge(self, snapshot: Snapshot, progress: Progress) -> Verdict:
        if snapshot.template != self._template:
            self._template = snapshot.template
            self._patience.start_again()
        self._patience.look(progress, snapshot.at)
        found = self._memory.see(snapshot.at, find(snapshot))
        self._note_stability(snapshot, progress, found)
        if cause := self._failure(snapshot, progress, found):
            return Verdict("failed", progress, cause)
        if progress.is_done and self._stability.is_reached:
            return Verdict("done", progress)
        return Verdict("running", progress, self._suspicion(found))

    def _superseded(self, snapshot: Snapshot) -> Cause | None:
        """Return which image another change has set, if one has."""
        spec = snapshot.template.get("spec") or {}
        listed = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
        now = {each["name"]: each.get("image", "") for each in listed}
        for container, image in self._ours.items():
            if now.get(container) != image:
                fields = {"image": now.get(container) or "none", "container": container}
                return _of_workload(SUPERSEDED, snapshot, **fields)
        return None

    def _note_stability(
        self, snapshot: Snapshot, progress: Progress, found: Sequence[Finding]
    ) -> None:
        new = [pod for pod in snapshot.new_pods if is_alive(pod) and not is_away(pod, snapshot)]
        ends = {uid(pod): 0 for pod in new}
        for each in found:
            if each.of_end and each.uid in ends:
                ends[each.uid] += each.times
        ready = {uid(pod): ends[uid(pod)] for pod in new if is_ready(pod)}
        unready = {pod: number for pod, number in ends.items() if pod not in ready}
        self._stability.look(snapshot.at, ready, unready, is_done=progress.is_done)

    def _failure(
        self, snapshot: Snapshot, progress: Progress, found: Sequence[Finding]
    ) -> Cause | None:
        scene = self._scene(snapshot, found)
        self._memory.wait(found, scene)
        ripe = [each for each in found if self._memory.is_failure(each, scene)]
        if ripe:
            return self._suspicion(ripe)
        if cause := self._unstable(snapshot, found):
            return cause
        if _is_past_its_deadline(snapshot):
            return self._suspicion(found) or _of_workload(DEADLINE, snapshot)
        idle = snapshot.at - self._patience.moved
        if progress.is_done or idle < self._limits.progress + allowance(snapshot):
            return None
        state = NO_PROGRESS if progress.is_observed else NOT_OBSERVED
        return self._suspicion(found) or _of_workload(state, snapshot, shown=progress.shown)

    def _scene(self, snapshot: Snapshot, found: Sequence[Finding]) -> Scene:
        # What is named only when the time is over is no sign that a pod will not get ready.
        sick = {each.uid for each in found if each.state.grace != NEVER}
        ended = {each.uid for each in found if each.of_end}
        new = snapshot.new_pods
        starts = any(
            is_alive(pod) and node(pod) and not is_ready(pod) and uid(pod) not in sick
            for pod in new
        )
        stops = any(is_leaving(pod) and not is_lost(pod) for pod in snapshot.pods)
        calm = frozenset(uid(pod) for pod in new if is_ready(pod) and uid(pod) not in ended)
        return Scene(snapshot.at, self._patience.moved, starts or stops, calm)

    def _unstable(self, snapshot: Snapshot, found: Sequence[Finding]) -> Cause | None:
        """Return that a pod was ready and is not, with what is known of it."""
        fallen = self._stability.unstable_pod(snapshot.at)
        if not fallen:
            return None
        why = [each for each in found if each.uid == fallen]
        best = max(why, key=lambda each: each.state.rank, default=Finding(UNSTABLE, fallen))
        said = f": {short(best.message)}" if best.message else ""
        pod = next(name(each) for each in snapshot.pods if uid(each) == fallen)
        found_now = best._replace(state=UNSTABLE, pod=pod, fields={"said": said}, logs="current")
        return found_now.cause()

    def _suspicion(self, found: Sequence[Finding]) -> Cause | None:
        """Return the finding that says most: the hardest, of these the oldest."""
        first = sorted(found, key=self._memory.since)
        best = max(first, key=lambda each: each.state.rank, default=None)
        return best.cause() if best else None


def _is_past_its_deadline(snapshot: Snapshot) -> bool:
    """Return whether the controller has given up a Deployment, for the template of now."""
    progressing = condition(snapshot.workload, "Progressing")
    if progressing.get("reason") != "ProgressDeadlineExceeded" or not snapshot.new_replica_set:
        return False
    return f'"{name(snapshot.new_replica_set)}"' in str(progressing.get("message"))


def _of_workload(state: State, snapshot: Snapshot, **fields: str) -> Cause:
    seconds = snapshot.workload["spec"].get("progressDeadlineSeconds", "")
    named = {"name": name(snapshot.workload), "seconds": str(seconds), **fields}
    return Finding(state, uid(snapshot.workload), fields=named).cause()

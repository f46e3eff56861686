"""For how long a rollout has made no progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube.pod import is_leaving

if TYPE_CHECKING:
    from ship.kube.progress import Progress
    from ship.kube.snapshot import Snapshot

_GRACE_SECONDS = 30


class Patience:
    """Remembers when a rollout made progress for the last time.

    Progress is more new pods, more of them ready or available, or fewer old ones than ever before.
    A pod that is made again and again is none.
    """

    def __init__(self) -> None:
        self.moved = 0.0
        self._best: tuple[int, ...] = ()

    def look(self, progress: Progress, at: float) -> None:
        now = (progress.updated, progress.ready, progress.available, -progress.old)
        best = tuple(map(max, now, self._best)) if self._best else now
        if progress.is_done or best != self._best:
            self.moved = at
        self._best = best

    def start_again(self) -> None:
        """Begin anew: the template is another one."""
        self._best = ()


def allowance(snapshot: Snapshot) -> float:
    """Return how many seconds without progress are as they should be.

    A pod is available after `minReadySeconds`, and may take its time to stop.
    """
    stopping = [
        int(pod["metadata"].get("deletionGracePeriodSeconds") or _GRACE_SECONDS)
        for pod in snapshot.pods
        if is_leaving(pod)
    ]
    return int(snapshot.workload["spec"].get("minReadySeconds") or 0) + max(stopping, default=0)

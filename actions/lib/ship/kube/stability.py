"""For how long the pods of a rollout that is done have stayed ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# A pod may be not ready for a moment.
_MOMENT = 10.0
_FALLS = 3


class Stability:
    """Adds up the seconds in which all was well.

    A pod that another takes the place of, as when a node is drained, interrupts them. A restart,
    or a pod that is not ready any more, lets them begin anew.
    """

    def __init__(self, wanted: float) -> None:
        self._wanted = wanted
        self._lasted = 0.0
        self._last: float | None = None
        self._ready: Mapping[str, int] = {}
        self._ends: Mapping[str, int] = {}
        self._fallen: dict[str, float] = {}
        self._falls = 0

    def look(
        self, at: float, ready: Mapping[str, int], unready: Mapping[str, int], *, is_done: bool
    ) -> None:
        """Note a look: how often each new pod has ended, those that are ready and the others."""
        fallen = {pod for pod, ends in unready.items() if self._ready.get(pod) == ends}
        fell_now = len(fallen - self._fallen.keys())
        self._falls += fell_now
        self._fallen = {pod: self._fallen.get(pod, at) for pod in fallen}
        ends = {**ready, **unready}
        if fell_now or any(number > self._ends.get(pod, 0) for pod, number in ends.items()):
            self._lasted, self._last = 0.0, None
        self._ends = ends
        if is_done:
            self._lasted += 0 if self._last is None else at - self._last
            self._ready = ready
        self._last = at if is_done else None

    @property
    def is_reached(self) -> bool:
        return self._last is not None and self._lasted >= self._wanted

    def unstable_pod(self, at: float) -> str:
        """Return the uid of a pod that was ready and is not; empty where there is none."""
        for pod, since in self._fallen.items():
            if at - since >= _MOMENT or self._falls >= _FALLS:
                return pod
        return ""

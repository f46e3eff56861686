"""Remembers what was found: since when, how often, and whether that makes it a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.kube.causes.finding import NEVER, RESTARTS
from ship.kube.causes.image_states import PULL_FAILED, PULLS
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ship.kube.causes.finding import Finding

    Spot = tuple[str, str, str]

_PULLS = {state.key for state in PULLS}
# One sick pod among others of its template that are well may be the fault of its node.
_FACTOR_OF_NODE = 4
# Who was refused again and again asks again later and later: after t seconds within t more.
_AFTER_OTHERS = 45.0


class Scene(NamedTuple):
    """What goes on around a finding.

    `moved` is when the rollout made progress for the last time. `others_get_on` says that pods are
    starting or stopping. `calm` are the pods that are ready and have never ended.
    """

    at: float
    moved: float
    others_get_on: bool
    calm: frozenset[str]


class Memory:
    """The findings of all looks. `ends` are how often containers had ended before."""

    def __init__(self, restarts: int, ends: Mapping[tuple[str, str], int]) -> None:
        self._restarts = restarts
        self._ends = dict(ends)
        self._since: dict[Spot, float] = {}
        self._who: dict[Spot, set[str]] = {}
        self._pulls: dict[tuple[str, str], Finding] = {}

    def see(self, at: float, found: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings that count, with the times of all looks."""
        seen = tuple(self._counted(found))
        self._since = {each.spot: self._since.get(each.spot, at) for each in seen}
        return seen

    def wait(self, found: Iterable[Finding], scene: Scene) -> None:
        """Let patient states begin anew as long as others get on, with some time on top."""
        for each in found:
            if each.state.patient and scene.others_get_on:
                self._since[each.spot] = scene.at + _AFTER_OTHERS

    def since(self, finding: Finding) -> float:
        return self._since[finding.spot]

    def is_failure(self, finding: Finding, scene: Scene) -> bool:
        """Return whether a finding has lasted and been seen for long enough."""
        state = finding.state
        if state.grace == NEVER or finding.held:
            return False
        node_is_sick = finding.on_node and scene.calm - {finding.uid}
        factor = _FACTOR_OF_NODE if node_is_sick else 1
        since = self.since(finding)
        if state.patient:
            since = max(since, scene.moved)
        more = self._restarts if state.times == RESTARTS else state.times - 1
        return scene.at - since >= state.grace * factor and finding.times > more * factor

    def _counted(self, found: Iterable[Finding]) -> Iterator[Finding]:
        for each in found:
            if each.of_end:
                yield from self._of_end(each)
            elif each.who:
                who = self._who.setdefault(each.spot, set())
                who.add(each.who)
                yield each._replace(times=len(who))
            elif each.state.key in _PULLS:
                yield self._of_pull(each)
            else:
                yield each

    def _of_end(self, finding: Finding) -> Iterator[Finding]:
        """Yield a finding without the ends that were before, or that were no crashes."""
        place = (finding.uid, finding.container)
        if finding.excused:
            self._ends[place] = finding.times
        times = finding.times - self._ends.get(place, 0)
        if times > 0:
            yield finding._replace(times=times)

    def _of_pull(self, finding: Finding) -> Finding:
        """Return the reason that was told before, where a back-off tells none."""
        place = (finding.uid, finding.container)
        if finding.state is not PULL_FAILED or place not in self._pulls:
            self._pulls[place] = finding
        return self._pulls[place]._replace(held=finding.held)

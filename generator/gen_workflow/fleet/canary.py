"""Opens the first pull requests of a fleet, and the others only when those have turned green."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen_workflow.errors import Drift, Heading
from gen_workflow.fleet import pulls
from gen_workflow.fleet.pulls import Light
from gen_workflow.fleet.standing import Stands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gen_workflow.fleet.applying import Applied, Apply
    from gen_workflow.fleet.pulls import Pull
    from gen_workflow.fleet.survey import Surveyed
    from gen_workflow.github.connection import Connection

_EVERY = 20.0  # seconds between two looks; each is one request
_CLOSED = "closed"


@dataclass(frozen=True)
class Canary:
    """The first `many` repositories, whose checks have to be green before the others follow.

    They are the first ones in the order of the fleet that need the pull request, or have it: so a
    run that was stopped looks at the same ones again. `within` is how long they may take, in
    seconds.
    """

    connection: Connection
    branch: str
    many: int
    within: float
    log: Callable[[str], None]
    every: float = _EVERY

    def run(
        self, apply: Apply, todo: Sequence[Surveyed], found: Sequence[Surveyed]
    ) -> Iterator[Applied]:
        """Yield what was done with each repository.

        Nothing follows when one of the first ones fails. Raises Drift when the checks of one are
        red, its pull request was closed, or the time is over.
        """
        awaited = self.first(todo, found)
        for one in apply.run([task for task in todo if task.standing.slug in awaited]):
            yield one
            awaited[one.slug] = one.pull
            if one.error:
                self.log("stopped here, because one of the first repositories failed")
                return
        if awaited:
            self._await(awaited)
        yield from apply.run([task for task in todo if task.standing.slug not in awaited])

    def first(self, todo: Sequence[Surveyed], found: Sequence[Surveyed]) -> dict[str, str]:
        """Return the first repositories, each with the address of its pull request or nothing."""
        taken = {task.standing.slug for task in todo}
        stands = (one.standing for one in found)
        ones = [one for one in stands if one.stands == Stands.PROPOSED or one.slug in taken]
        return {one.slug: one.pull for one in ones[: self.many]}

    def _await(self, awaited: Mapping[str, str]) -> None:
        end = time.monotonic() + self.within
        said: dict[str, str] = {}
        while True:
            lights = self._lights(awaited)
            if bad := [slug for slug, light in lights.items() if light in (Light.RED, _CLOSED)]:
                raise _stopped([f"{slug}: {awaited[slug]} is {lights[slug]}" for slug in bad])
            waiting = [slug for slug, light in lights.items() if light != Light.GREEN]
            if not waiting:
                self.log(f"the first {len(awaited)} are green")
                return
            if time.monotonic() + self.every > end:
                raise _stopped([f"{slug}: {_late(lights[slug])}" for slug in waiting])
            if lights != said:
                told = ", ".join(f"{slug} {light}" for slug, light in lights.items())
                self.log(f"waiting for the first {len(awaited)} to turn green: {told}")
                said = lights
            time.sleep(self.every)

    def _lights(self, awaited: Mapping[str, str]) -> dict[str, str]:
        found = pulls.read(self.connection, [*awaited], self.branch)
        return {
            slug: _light(one.pull, awaited[slug]) for slug, one in zip(awaited, found, strict=True)
        }


def _light(pull: Pull | None, url: str) -> str:
    """Return how a pull request does; one that GitHub does not list yet is waited for.

    Without an address there was nothing to open: somebody else has brought it in step meanwhile.
    """
    if not url:
        return Light.GREEN
    if pull is None or pull.url != url:
        return Light.NONE
    if pull.state == _CLOSED:
        return _CLOSED
    return Light.GREEN if pull.state == "merged" and pull.checks != Light.RED else pull.checks


def _late(light: str) -> str:
    if light == Light.NONE:
        return "no check has started; does its workflow run for pull requests?"
    return "its checks have not ended in time"


def _stopped(which: Sequence[str]) -> Drift:
    listed = "".join(f"\n  {one}" for one in which)
    what = f"stopped, because the first repositories are not green:{listed}"
    hint = "mend what is wrong, and run it again: it looks at the same ones again, and goes on"
    return Drift(what, where="--canary", hint=hint, anchor=Heading.CANARY)

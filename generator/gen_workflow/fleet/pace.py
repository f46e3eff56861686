"""Keeps the changes to many repositories under the limits that GitHub documents.

GitHub allows 80 requests that create content in a minute, and 500 in an hour. Source: its page
"Rate limits for the REST API", secondary rate limits. A branch, a commit and a pull request each
create content, also when one request makes all three.

What counts is when GitHub gets a request, and we know only when it was sent. GitHub gives up on a
request after ten seconds, so it was counted by then.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PER_MINUTE = 80
PER_HOUR = 500
_ON_ITS_WAY = 10.0  # seconds between sending a change and the latest time at which it counts
_MINUTE, _HOUR = 60.0 + _ON_ITS_WAY, 3600.0 + _ON_ITS_WAY


class Pace:
    """How many changes were made lately, and when the next ones may be; times are in seconds.

    `before` are changes of earlier runs with the same token, as (time, how many). In `spread`
    seconds, no more than `at_once` are made: so builds that they start do not all start at once.
    """

    def __init__(
        self,
        before: Iterable[tuple[float, int]] = (),
        *,
        per_minute: int = PER_MINUTE,
        per_hour: int = PER_HOUR,
        spread: float = 0.0,
        at_once: int = 1,
    ) -> None:
        self._windows = ((_MINUTE, per_minute), (_HOUR, per_hour), (spread, at_once))
        self._made: deque[tuple[float, int]] = deque(sorted(before))

    def note(self, now: float, count: int) -> None:
        """Note that changes are made now."""
        self._made.append((now, count))

    def wait(self, now: float, count: int) -> float:
        """Return the seconds until so many changes may be made; 0 when they may be made now."""
        while self._made and self._made[0][0] <= now - _HOUR:
            self._made.popleft()
        return max(self._wait(now, count, *window) for window in self._windows)

    def _wait(self, now: float, count: int, seconds: float, most: int) -> float:
        """Return the seconds until the oldest changes of a window have left it, as far as needed.

        More changes at once than the window allows have to wait until it is empty.
        """
        inside = [(at, many) for at, many in self._made if at > now - seconds]
        room = most - sum(many for _, many in inside) - count
        until = now
        for at, many in inside:
            if room >= 0:
                break
            room += many
            until = at + seconds
        return until - now

    def lasts(self, now: float, counts: Iterable[int]) -> float:
        """Return about how many seconds these changes take, if each could be made at once."""
        copy = Pace(self._made)
        copy._windows = self._windows
        at = now
        for count in counts:
            at += copy.wait(at, count)
            copy.note(at, count)
        return at - now

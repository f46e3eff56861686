"""Reads events: what has happened to an object, how often, and when for the last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ship.kube.snapshot import Object


class Event(NamedTuple):
    """What has happened to an object. `container` is empty for the object as a whole."""

    reason: str
    message: str
    times: int
    last: str
    container: str


Events = dict[str, "list[Event]"]


def by_object(events: Iterable[Object]) -> Events:
    """Return events by the uid of their object, those that happened last at the end."""
    found: Events = {}
    for each in sorted(events, key=last_time):
        found.setdefault(each["involvedObject"].get("uid", ""), []).append(_event(each))
    return found


def last_time(event: Object) -> str:
    """Return when it happened for the last time; it can be compared as a text."""
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )


def count(event: Object) -> int:
    """Return how often it has happened; events of the scheduler do not count themselves."""
    return int((event.get("series") or {}).get("count") or event.get("count") or 1)


def last_of(events: Sequence[Event], reason: str, text: str = "", container: str = "") -> Event:
    """Return the last event of a reason that has a text; an empty one where there is none.

    With a container, those of other containers do not count.
    """
    fitting = (
        each
        for each in reversed(events)
        if each.reason == reason
        and text in each.message
        and (not container or each.container in ("", container))
    )
    return next(fitting, NEVER)


NEVER = Event("", "", 0, "", "")


def _event(event: Object) -> Event:
    path = str(event["involvedObject"].get("fieldPath") or "")
    return Event(
        str(event.get("reason") or ""),
        str(event.get("message") or ""),
        count(event),
        last_time(event),
        path.partition("{")[2].rstrip("}"),
    )

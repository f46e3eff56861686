"""Finds the workflow that an edited one was made from, which nobody has stored.

The stamp of a workflow holds the hash of what was rendered. Whatever text has this hash is the one,
so it may come from anywhere: a wrong one cannot be taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.sync import pinned, stamp
from gen_workflow.sync.parts import Parts, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_workflow.sync.history import Render, Sources
    from gen_workflow.sync.stamp import Stamp


class NotFound(Exception):  # noqa: N818 - named after what happened
    """Nothing has the hash; the message says where nothing was found."""


def find(there: bytes, wanted: bytes, found: Stamp, sources: Sources) -> Parts:
    """Return what was rendered when `there` was written; raises NotFound."""
    for parts in _candidates(there, wanted, found, sources):
        if parts.content == found.content:
            return parts
    history = sources.history(found.content)
    stored = Parts.rendered(history.stored or b"")
    if stored.content == found.content:
        return stored
    if by_history := _by_history(there, found, history.of(sources.path)):
        return by_history
    for parts in _rendered(there, found, history.of(sources.source), sources.render):
        if parts.content == found.content:
            return parts
    raise NotFound(history.gap)


def _candidates(there: bytes, wanted: bytes, found: Stamp, sources: Sources) -> Iterator[Parts]:
    """Yield what can be had without git: nothing changed but pins, or nothing but the generator."""
    new, edited = Parts.of(wanted), Parts.of(there)
    yield new
    for pins in (pinned.pins(new.below), _older(edited.below, new.below)):
        yield edited._replace(below=pinned.with_pins(edited.below, pins))
    yield from _rendered(there, found, (sources.spec,), sources.render)


def _rendered(
    there: bytes, found: Stamp, specs: Iterable[bytes], render: Render
) -> Iterator[Parts]:
    """Yield what the spec of that time gives: with the pins of today, and with those there."""
    pins = {one.repository: one for one in map(pinned.of, Parts.of(there).below) if one}
    for spec in specs:
        if stamp.digest(spec) == found.spec:
            texts = (render(spec, found.version, with_these) for with_these in ({}, pins))
            yield from (Parts.of(text) for text in texts if text)


def _older(one: list[str], other: list[str]) -> dict[str, str]:
    """Return for each action the line with its older version: a bot and we move pins forward."""
    lines = pinned.pins(one)
    for key, line in pinned.pins(other).items():
        mine, theirs = pinned.of(lines.get(key, line)), pinned.of(line)
        if mine and theirs and not pinned.is_newer(theirs.version, mine.version):
            lines[key] = line
    return lines


def _by_history(there: bytes, found: Stamp, versions: tuple[bytes, ...]) -> Parts | None:
    """Return the base from earlier versions of the workflow, which are newest first.

    It may never have been there, because an edit was kept when it was written. Then the edit that
    an earlier version has against its own base is taken out of it again.
    """
    bases: dict[str, Parts] = {}
    last: tuple[Parts, Parts] | None = None  # a version, and its base
    for version in (*reversed(versions), there):
        about, parts = stamp.of(version), Parts.of(version)
        if about is None:
            continue
        if not about.edited:
            bases[about.content] = parts
        elif about.content not in bases and last:
            base, _ = merged(last[0], last[1], parts, frozenset())
            if base.content == about.content:
                bases[about.content] = base
        if about.content in bases:
            last = parts, bases[about.content]
    return bases.get(found.content)

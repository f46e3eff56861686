"""Compares a workflow with what its spec gives, and says what has to be written.

Every verb uses this answer: `check` says the state, `diff` shows the text, `generate` writes it.
"""

from __future__ import annotations

from gen_workflow.sync import drift, stamp
from gen_workflow.sync.history import History, Sources
from gen_workflow.sync.outcome import Outcome, State


def compare(
    there: bytes | None, wanted: bytes, sources: Sources, ours: frozenset[str] = frozenset()
) -> Outcome:
    """Return what a workflow is today against what it should be.

    `ours` are the repositories of our own actions, whose pins only the generator moves.
    """
    return _compare(there, wanted, sources, ours)._replace(rendered=wanted)


def alone(path: str, there: bytes, wanted: bytes, ours: frozenset[str]) -> Outcome:
    """Return what a workflow is of which nothing else is known, such as one on GitHub."""
    if stamp.of(there) and stamp.body(there) == stamp.body(wanted):
        return Outcome(path, there, wanted, State.CURRENT, [])
    nothing = Sources(path, "", b"", lambda _: History({}), lambda *_: None)
    return compare(there, wanted, nothing, ours)


def _compare(there: bytes | None, wanted: bytes, sources: Sources, ours: frozenset[str]) -> Outcome:
    path = sources.path
    if there is None:
        return Outcome(path, None, wanted, State.MISSING, [])
    found, meant = stamp.of(there), stamp.of(wanted)
    if found is None or meant is None:
        return Outcome(path, there, there, State.NOT_OURS, [])
    if found.edited:
        from gen_workflow.sync import edited  # noqa: PLC0415 - slow to load

        return edited.compare(there, wanted, (found, meant), sources, ours)
    if stamp.body(there) == stamp.body(wanted):
        return Outcome(path, there, wanted, State.CURRENT, [])
    causes = drift.causes(found, meant, sources.source)
    return Outcome(path, there, wanted, State.CHANGED, causes)


def overwrite(path: str, there: bytes | None, wanted: bytes) -> Outcome:
    """Return the outcome when whatever is there is to be lost."""
    return Outcome(path, there, wanted, State.CHANGED, [], rendered=wanted)


def left(path: str, there: bytes) -> Outcome:
    """Return the outcome for a file that an earlier spec gave: it goes, unless it was edited."""
    found = stamp.of(there)
    if found is None or found.edited:
        return Outcome(path, there, there, State.LEFT_EDITED, [])
    return Outcome(path, there, None, State.LEFT, [])

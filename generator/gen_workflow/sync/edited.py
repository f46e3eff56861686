"""Compares a workflow that a person edited, or in which a bot moved pins, by merging it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.sync import base as bases
from gen_workflow.sync import drift, meaning, stamp
from gen_workflow.sync.outcome import Outcome, State
from gen_workflow.sync.parts import Parts, merged

if TYPE_CHECKING:
    from gen_workflow.sync.history import Sources
    from gen_workflow.sync.merge import Merged
    from gen_workflow.sync.stamp import Stamp


def compare(
    there: bytes,
    wanted: bytes,
    stamps: tuple[Stamp, Stamp],
    sources: Sources,
    ours: frozenset[str],
) -> Outcome:
    """Return the outcome of a merge; `stamps` are those of what is there and of what is wanted."""
    found, meant = stamps
    outcome = Outcome(sources.path, there, there, State.NO_BASE, [])
    try:
        base = bases.find(there, wanted, found, sources)
    except bases.NotFound as error:
        causes = drift.causes(found, meant, sources.source, known=False)
        return outcome._replace(causes=causes, why=str(error))
    yours, new = Parts.of(there), Parts.of(wanted)
    changed = base.below != new.below
    causes = drift.causes(found, meant, sources.source) if changed else []
    outcome = outcome._replace(causes=causes, base=base.with_line(stamp.split(there)[1]))
    whole, result = merged(base, yours, new, ours)
    outcome = outcome._replace(moved=tuple(result.moved), reset=tuple(result.reset))
    conflict = _conflict(outcome, result, yours)
    if conflict is None and result.edited and changed:
        conflict = _misfit(outcome, (base, yours, new, whole))
    if conflict:
        return conflict
    text = whole.with_line(stamp.split(wanted)[1])
    state = _state(outcome, is_edited=result.edited, changes=yours.below != whole.below)
    return outcome._replace(text=text, state=state)


def _conflict(outcome: Outcome, result: Merged, yours: Parts) -> Outcome | None:
    """Return the outcome for lines that both sides changed; None without any."""
    if not result.conflicts:
        return None
    first = len(yours.above) + 1  # the number of the line after the machine line
    placed = tuple(one._replace(line=one.line + first) for one in result.conflicts)
    return outcome._replace(state=State.CONFLICT, conflicts=placed)


def _misfit(outcome: Outcome, sides: tuple[Parts, Parts, Parts, Parts]) -> Outcome | None:
    """Return the outcome for a result that does not say what is meant; None when it does."""
    try:
        meaning.check(*(side.lines for side in sides))
    except meaning.Unclear as error:
        below = error.line >= len(sides[1].above)  # there the machine line is above it
        return outcome._replace(state=State.CONFLICT, why=str(error), line=error.line + below)
    return None


def _state(outcome: Outcome, *, is_edited: bool, changes: bool) -> str:
    if is_edited:
        return State.EDITED_AND_CHANGED if changes else State.EDITED
    if changes:
        return State.CHANGED if outcome.causes else State.OURS_MOVED
    return State.PINS_MOVED if outcome.moved else State.CURRENT

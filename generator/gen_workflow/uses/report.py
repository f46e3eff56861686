"""Prints what `update` found, for people and for programs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_workflow.uses.choice import Choice
    from gen_workflow.uses.moves import Move

_PLACES = 3  # that a line names


def lines(found: Sequence[Move], *, written: bool) -> Iterator[str]:
    """Yield a line for each use that moves, one for each reason to leave others, and the sum."""
    moved = [move for move in found if move.choice.to]
    yield from (_moved(move) for move in moved)
    yield from _left(found)
    uses = _count(len(found), "use")
    if not moved:
        yield f"nothing to move: {uses}" if found else "no workflow here uses an action"
        return
    files = _count(len({move.path for move in moved}), "file")
    yield f"{'moved' if written else 'would move'} {len(moved)} of {uses} in {files}"


def _moved(move: Move) -> str:
    notes = ", ".join(filter(None, _notes(move)))
    to = move.choice.to.version.tag if move.choice.to else ""
    line = f"{move.place} {move.use.reference.action} {move.choice.was} → {to}"
    return shown(f"{line} ({notes})" if notes else line)


def _notes(move: Move) -> Iterator[str]:
    yield move.choice.note
    if move.choice.to and move.choice.to.commit == move.use.reference.ref:
        yield "the commit stays"


def _left(found: Sequence[Move]) -> Iterator[str]:
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for move in found:
        if left := move.choice.left:
            at = _at(move.choice)
            groups[(move.use.reference.action, at, left.words)].append(move.place)
    for (action, at, words), places in groups.items():
        more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
        yield shown(f"left {action} at {at}: {words} ({', '.join(places[:_PLACES])}{more})")


def _at(choice: Choice) -> str:
    return choice.to.version.tag if choice.to else choice.was


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def as_data(found: Sequence[Move], unread: Sequence[str], *, written: bool) -> dict[str, Any]:
    """Return the result for programs."""
    return {
        "uses": len(found),
        "written": written,
        "moves": [
            {
                **_of(move),
                "from": move.use.reference.ref,
                "to": move.choice.to.commit,
                "version": move.choice.to.version.tag,
                "note": move.choice.note,
            }
            for move in found
            if move.choice.to
        ],
        "left": [
            {**_of(move), "why": move.choice.left.why, "words": move.choice.left.words}
            for move in found
            if move.choice.left
        ],
        "unread": list(unread),
    }


def _of(move: Move) -> dict[str, Any]:
    at = {"file": move.path, "line": move.use.line}
    return {**at, "action": move.use.reference.action, "was": move.choice.was}

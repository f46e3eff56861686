"""What a verb says about the state of a workflow: why it is not in step, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Drift, Heading, Problem
from gen_workflow.pins.table import OURS
from gen_workflow.sync import drift
from gen_workflow.sync.outcome import IN_STEP, Outcome, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.sync.pinned import Pinned


_PUT_IN_SPEC = "put the edit into the spec"
_BLOCKED = (State.NOT_OURS, State.NO_BASE, State.CONFLICT)
_GONE = "no longer given: the spec does not give this file any more"
# What is said of a state that has one reason.
_ALONE = {
    State.MISSING: "missing: it was not generated yet",
    State.NOT_OURS: drift.NOT_OURS,
    State.LEFT: _GONE,
    State.LEFT_EDITED: f"{_GONE}, and it was edited by hand",
}
_LINES = 12  # of one side of a conflict


def of_check(outcomes: tuple[Outcome, ...], command: Callable[[str], str]) -> Drift | None:
    """Return why files are not in step, with the one act that ends it; None when they are.

    `command` returns a command with the options of this run.
    """
    drifted = [one for one in outcomes if one.state not in IN_STEP]
    if not drifted:
        return None
    what = "\n".join(f"{one.path}: {reason}" for one in drifted for reason in reasons(one))
    what += "".join(f"\n{text}" for one in drifted for text in _conflicts(one))
    hint = _next_act(drifted, command)
    found = {
        Problem(one.path, _line(one), 0, reason, hint=hint): _anchor([one])
        for one in drifted
        for reason in reasons(one)
    }
    return Drift(what, hint=hint, anchor=_anchor(drifted), found=found)


def of_generate(outcomes: tuple[Outcome, ...], command: Callable[[str], str]) -> Drift | None:
    """Return why nothing may be written; None when everything may."""
    blocked = [one for one in outcomes if one.state in _BLOCKED]
    if not blocked:
        return None
    said = {one.path: f"{_refusal(one)}; nothing was changed" for one in blocked}
    what = "\n".join(f"{path}: {refusal}" for path, refusal in said.items())
    what += "".join(f"\n{text}" for one in blocked for text in _conflicts(one))
    hint = _next_act(blocked, command)
    found = {
        Problem(one.path, _line(one), 0, said[one.path], hint=hint): _anchor([one])
        for one in blocked
    }
    return Drift(what, hint=hint, anchor=_anchor(blocked), found=found)


def reasons(outcome: Outcome) -> list[str]:
    """Return each reason why a file is not in step."""
    causes = list(outcome.causes)
    causes += dict.fromkeys(
        f"pin moved: {there.repository} is at {there.version.tag}, and {_who_pins(there)} says "
        f"{meant.version.tag}"
        for meant, there in outcome.reset
    )
    if outcome.state in _ALONE:
        return [_ALONE[outcome.state]]
    if outcome.state == State.NO_BASE:
        return [f"{drift.EDITED}, and {_why_no_merge(outcome)}", *causes]
    if outcome.state == State.CONFLICT:
        return [f"{drift.EDITED}, and {_why_conflict(outcome)}", *causes]
    is_edited = outcome.state in (State.EDITED, State.EDITED_AND_CHANGED)
    return [*([drift.EDITED] if is_edited else []), *causes]


def kept(outcomes: tuple[Outcome, ...]) -> tuple[str, ...]:
    """Return what `generate` keeps although the spec does not give it."""
    states = {one.state for one in outcomes}
    is_edited = states & {State.EDITED, State.EDITED_AND_CHANGED}
    moved = [
        f"{there.repository} {there.version.tag} (this gen-workflow has {meant.version.tag})"
        for one in outcomes
        for meant, there in one.moved
    ]
    left = [
        f"{one.path}, which the spec does not give any more, because it was edited by hand"
        for one in outcomes
        if one.state == State.LEFT_EDITED
    ]
    return tuple(dict.fromkeys(["the edit made by hand"] * bool(is_edited) + moved + left))


def _who_pins(action: Pinned) -> str:
    return "this gen-workflow" if action.repository == OURS else "the spec"


def _refusal(outcome: Outcome) -> str:
    if outcome.state == State.NOT_OURS:
        return drift.NOT_OURS
    why = _why_no_merge if outcome.state == State.NO_BASE else _why_conflict
    return f"was {drift.EDITED} since gen-workflow wrote it, and {why(outcome)}"


def _why_no_merge(outcome: Outcome) -> str:
    gap = f" ({outcome.why})" if outcome.why else ""
    return f"what gen-workflow wrote is not in the git history{gap}, so the edit cannot be merged"


def _why_conflict(outcome: Outcome) -> str:
    at = f" (line {outcome.line})" if outcome.line else ""
    return f"{outcome.why}{at}" if outcome.why else "the new workflow changes the same lines"


def _line(outcome: Outcome) -> int:
    """Return the line of the file where the first conflict is; 0 without one."""
    return outcome.conflicts[0].line if outcome.conflicts else outcome.line


def _conflicts(outcome: Outcome) -> list[str]:
    """Return each conflict with both sides, and where it is in the file."""
    found = []
    for one in outcome.conflicts:
        last = one.line + max(len(one.yours), 1) - 1
        place = str(one.line) if last == one.line else f"{one.line}-{last}"
        lines = [f"{outcome.path}:{place}: conflict"]
        lines += _side("it was generated as", one.base)
        lines += _side("it was edited to", one.yours)
        lines += _side("today it would be", one.new)
        found.append("\n".join(lines))
    return found


def _side(name: str, lines: list[str]) -> list[str]:
    shown = [f"    | {line}" for line in lines[:_LINES]] or ["    (nothing)"]
    if len(lines) > _LINES:
        shown.append(f"    ... {len(lines) - _LINES} more lines")
    return [f"  {name}", *shown]


def _next_act(outcomes: list[Outcome], command: Callable[[str], str]) -> str:
    """Return the one act that ends every reason."""
    states = {one.state for one in outcomes}
    force = command("generate --force")
    if State.NOT_OURS in states:
        return f"move it away, or overwrite it with {force}"
    if State.CONFLICT in states:
        return (
            "change these lines of the workflow to what they would be today, then run "
            f"{command('generate')}; or {_PUT_IN_SPEC}, and remove it from the workflow with "
            f"{force}"
        )
    if State.NO_BASE in states or states == {State.EDITED}:
        return f"{_PUT_IN_SPEC}, then remove it from the workflow with {force}"
    if states == {State.OURS_MOVED}:
        by_us = any(there.repository == OURS for one in outcomes for _, there in one.reset)
        update = "update gen-workflow" if by_us else "write the new commit into the spec"
        return f"{update}, and run {command('generate')}; without that, it puts the old commit back"
    then = "and commit the result"
    if State.EDITED in states or State.EDITED_AND_CHANGED in states:
        then = f"which keeps the edit; then {_PUT_IN_SPEC}, or {command('check')} still fails"
        return f"run {command('generate')}, {then}"
    return f"run {command('generate')} {then}"


def _anchor(outcomes: list[Outcome]) -> str:
    """Return the heading that says most about the states."""
    states = {one.state for one in outcomes}
    for state, anchor in (
        (State.NOT_OURS, Heading.NOT_OURS),
        (State.CONFLICT, Heading.CONFLICT),
        (State.NO_BASE, Heading.NO_BASE),
        (State.EDITED, Heading.EDITED),
        (State.EDITED_AND_CHANGED, Heading.EDITED),
        (State.OURS_MOVED, Heading.PIN_MOVED),
    ):
        if state in states:
            return anchor
    return Heading.NOT_IN_STEP

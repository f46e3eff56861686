"""What would be written, as a diff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import DONE, NOT_IN_STEP
from gen_workflow.report import terminal
from gen_workflow.report.terminal import put
from gen_workflow.sync import stamp
from gen_workflow.sync.outcome import State
from gen_workflow.sync.writing import like

if TYPE_CHECKING:
    from gen_workflow.sync.outcome import Outcome


def of_generate(outcome: Outcome) -> list[str]:
    """Return the lines of the diff of what `generate` would write; none when it writes nothing."""
    if not outcome.writes:
        return []
    text = outcome.text and like(outcome.there, outcome.text)
    return _between(outcome.path, outcome.there, text)


def show(outcomes: tuple[Outcome, ...], others: list[str]) -> int:
    """Print what `generate` would write; return 1 when that is something, as diff(1) does.

    `others` are lines about files that the diff leaves out.
    """
    lines = [*others, *(line for one in outcomes for line in of_generate(one))]
    return put(_printed(lines)) or (NOT_IN_STEP if lines else DONE)


def show_one(path: str, before: bytes, after: bytes) -> None:
    """Print the change of one file."""
    put(_printed(_between(path, before, after)))


def _printed(lines: list[str]) -> str:
    if lines and terminal.has_colours():
        from gen_workflow.report import diff  # noqa: PLC0415 - slow to load

        lines = diff.coloured(lines)
    return "".join(f"{line}\n" for line in lines)


def shown_by_check(outcome: Outcome) -> list[str]:
    """Return the lines of the diff that says most about a file that is not in step.

    That of a file which nobody has edited is what `generate` would write. Of an edited one that is
    in step otherwise, it is the edit. A whole file says nothing, and a conflict has its own lines.
    """
    if outcome.state == State.EDITED:
        return _between(outcome.path, outcome.base, stamp.plain(outcome.there or b""))
    if outcome.state in (State.CHANGED, State.EDITED_AND_CHANGED, State.OURS_MOVED, State.LEFT):
        return of_generate(outcome)
    return []


def _between(path: str, before: bytes | None, after: bytes | None) -> list[str]:
    from gen_workflow.report import diff  # noqa: PLC0415 - slow to load

    return diff.between(path, before, after)

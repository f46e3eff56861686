"""What was found about one file: its state, and what has to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.sync import stamp

if TYPE_CHECKING:
    from gen_workflow.sync.merge import Conflict
    from gen_workflow.sync.pinned import Pinned


class State:
    """The states of a workflow. The first two are in step; all others are drift."""

    CURRENT = "current"
    PINS_MOVED = "pins moved"
    MISSING = "missing"
    CHANGED = "changed"  # what is rendered is another workflow, and nobody edited this one
    OURS_MOVED = "pins of ours moved"
    EDITED = "edited"
    EDITED_AND_CHANGED = "edited and changed"
    CONFLICT = "conflict"
    NO_BASE = "edited, and the base is not known"
    NOT_OURS = "not ours"
    LEFT = "no longer given"
    LEFT_EDITED = "no longer given, and edited"


IN_STEP = (State.CURRENT, State.PINS_MOVED)
BY_HAND = (State.EDITED, State.EDITED_AND_CHANGED, State.CONFLICT, State.NO_BASE)


class Outcome(NamedTuple):
    """What was found about one file.

    `text` is what the file should be; it is what is there when nothing may be written, and None for
    a file that has to go. `causes` say why another workflow is rendered. `moved` and `reset` are
    pins that a bot moved, each as it is in the new workflow and as the bot left it. `why` is why no
    merge is possible, and `line` where in the file. `base` is what an edited workflow was made
    from, `rendered` what the spec gives.
    """

    path: str
    there: bytes | None
    text: bytes | None
    state: str
    causes: list[str]
    moved: tuple[tuple[Pinned, Pinned], ...] = ()
    reset: tuple[tuple[Pinned, Pinned], ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    why: str = ""
    line: int = 0
    base: bytes = b""
    rendered: bytes = b""

    @property
    def writes(self) -> bool:
        """Whether the file has to be written, or removed."""
        if self.there is None or self.text is None:
            return True
        return stamp.plain(self.there) != stamp.plain(self.text)

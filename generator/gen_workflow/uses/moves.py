"""What `update` found and what it changes: each use with its choice, and the text that follows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.comment import saying
from gen_workflow.pins.table import OURS
from gen_workflow.uses.choice import Choice, Left, choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_workflow.pins.reference import Reference
    from gen_workflow.uses.choice import Policy
    from gen_workflow.uses.files import File
    from gen_workflow.uses.places import Use
    from gen_workflow.uses.releases import Known

# In a workflow of ours, a spec may name another repository that holds a copy of our actions.
_COPIES = re.compile(r"actions/(?:build-push|ssh-deploy|kubectl-set-image)")
_OF_GENERATE = Left("ours", "`gen-workflow generate` writes it; install a newer gen-workflow")
_OF_SPEC = Left("spec", "the spec names it; change it there, and run `gen-workflow generate`")


class Move(NamedTuple):
    """What comes of one use in a file."""

    path: str
    use: Use
    choice: Choice

    @property
    def place(self) -> str:
        """Its file and line, as editors read it."""
        return f"{self.path}:{self.use.line}"


def kept(meant: Reference) -> Left | None:
    """Return why a use in a generated workflow is not for `update`; None when it is.

    Besides our own actions these are copies of them, and the central workflow of `mode: caller`.
    """
    if meant.key == OURS:
        return _OF_GENERATE
    return _OF_SPEC if meant.is_workflow or _COPIES.fullmatch(meant.path) else None


def moves(files: Iterable[File], known: Mapping[str, Known], policy: Policy) -> list[Move]:
    """Return what comes of each use, in the order of the files."""
    found = []
    for file in files:
        for use in file.uses:
            meant, comment = use.reference, file.text[use.comment]
            choice = choose(meant, comment, known.get(meant.key), policy)
            if file.generated and (why := kept(meant)):
                choice = Choice(choice.was, left=why if _behind(choice) else None)
            elif use.obstacle and choice.to:
                choice = Choice(choice.was, left=Left("form", use.obstacle))
            found.append(Move(file.path, use, choice))
    return found


def _behind(choice: Choice) -> bool:
    return choice.to is not None and choice.to.version.tag != choice.was


def edited(file: File, found: Iterable[Move]) -> str:
    """Return the text of a file with the commits and the comments of its moves, and no more."""
    text = file.text
    for move in reversed([one for one in found if one.path == file.path]):
        to = move.choice.to
        if to is None:
            continue
        ref, comment = move.use.ref, move.use.comment
        said = saying(text[comment], to.version)
        text = text[: comment.start] + said + text[comment.stop :]
        text = text[: ref.start] + to.commit + text[ref.stop :]
    return text

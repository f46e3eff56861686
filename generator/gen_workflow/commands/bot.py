"""Dependabot's configuration, which `generate --dependabot` offers to extend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gen_workflow import files
from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.table import OURS
from gen_workflow.sync.writing import write
from gen_workflow.uses import dependabot
from gen_workflow.uses.files import with_uses
from gen_workflow.uses.moves import kept
from gen_workflow.uses.places import find

if TYPE_CHECKING:
    from collections.abc import Iterable


class Configuration(NamedTuple):
    """A file of Dependabot before and after."""

    path: str
    before: str
    after: str

    def write(self, *, would: bool) -> str:
        """Write it when there is something new in it, unless it only `would` be; say which."""
        if self.after == self.before:
            return f"nothing to add to {shown(self.path)}\n"
        if would:
            return f"would write {shown(self.path)}\n"
        write({self.path: self.after.encode()})
        return f"wrote {shown(self.path)}\n"


def configuration(folder: str, workflows: Iterable[str]) -> Configuration:
    """Return what Dependabot's file has to be beside workflows of ours; raises UserError."""
    read, _ = with_uses(folder)
    named = (use.reference for text in workflows for use in find(text))
    ours = [one.repository for one in named if kept(one)]
    wanted = dependabot.rule((file.path for file in read), (OURS, *ours))
    where = dependabot.path(folder)
    path = str(Path(folder, where))
    try:
        before = (files.read(path) or b"").decode()
    except UnicodeDecodeError:
        hint = "save it as UTF-8"
        what = "is not in UTF-8"
        raise UserError(what, where=where, hint=hint, anchor=Heading.DEPENDABOT) from None
    return Configuration(path, before, dependabot.configured(before, wanted, where))

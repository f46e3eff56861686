"""The two parts of a workflow that are merged: the comment above the machine line, and the rest.

The machine line itself is never merged: it is always that of the workflow that was rendered last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.sync import stamp
from gen_workflow.sync.merge import Merged, merge

if TYPE_CHECKING:
    from collections.abc import Iterator


class Parts(NamedTuple):
    """The lines above the machine line, and those below; the last one is empty in both."""

    above: list[str]
    below: list[str]

    @classmethod
    def of(cls, workflow: bytes) -> Parts:
        """Return the parts of a workflow that has a machine line."""
        above, _, below = stamp.split(workflow)
        return cls(_lines(above), _lines(below))

    @classmethod
    def rendered(cls, text: bytes) -> Parts:
        """Return the parts of a rendered text that has no machine line yet."""
        end = stamp.place(text)
        return cls(_lines(text[:end]), _lines(text[end:]))

    def with_line(self, line: bytes) -> bytes:
        """Return the workflow with a machine line; without one (`b""`) it is what is hashed."""
        return _joined(self.above) + line + _joined(self.below)

    @property
    def lines(self) -> list[str]:
        """All lines but the machine line."""
        return [*self.above[:-1], *self.below]

    @property
    def content(self) -> str:
        """The hash that the stamp of an unedited workflow holds."""
        return stamp.blob(self.with_line(b""))


def merged(base: Parts, yours: Parts, new: Parts, ours: frozenset[str]) -> tuple[Parts, Merged]:
    """Return `new` with the edits of `yours`, and what is to be said about them."""
    found = merge(base.below, yours.below, new.below, ours)
    above = _header(base.above, yours.above, new.above)
    return Parts(above, found.lines), found._replace(edited=found.edited or above != new.above)


def _header(base: list[str], yours: list[str], new: list[str]) -> list[str]:
    """Return the new comment with the lines that an edit added, without those that it removed.

    It is no three-way merge, because the line with the version would be a conflict every time. An
    added first line stays the first, such as a licence; all others are at the end.
    """
    if base == new:
        return yours
    added = [line for line in yours if line not in base and line not in new]
    top = list(_first(yours, set(added)))
    kept = [line for line in new[:-1] if line in yours or line not in base]
    return [*top, *kept, *added[len(top) :], *new[-1:]]


def _first(lines: list[str], wanted: set[str]) -> Iterator[str]:
    for line in lines:
        if line not in wanted:
            return
        yield line


def _lines(text: bytes) -> list[str]:
    return text.decode("utf-8", "surrogateescape").split("\n")


def _joined(lines: list[str]) -> bytes:
    return "\n".join(lines).encode("utf-8", "surrogateescape")

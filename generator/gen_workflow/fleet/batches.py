"""Asks GitHub about many things in few requests: in batches, each in halves when it is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gen_workflow.github.refusal import TooMuch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")


def read(
    asked: Sequence[_Asked],
    at_once: int,
    ask: Callable[[Sequence[_Asked]], list[_Found]],
    progress: Callable[[int], None] = lambda _: None,
) -> list[_Found]:
    """Return what `ask` answers for each, in their order; it is asked for `at_once` of them.

    A request that is too much for GitHub is asked again in two halves. `progress` is told how many
    were answered each time.
    """
    found: list[_Found] = []
    for begin in range(0, len(asked), at_once):
        for some in _halved(asked[begin : begin + at_once], ask):
            found += some
            progress(len(some))
    return found


def _halved(
    batch: Sequence[_Asked], ask: Callable[[Sequence[_Asked]], list[_Found]]
) -> Iterator[list[_Found]]:
    try:
        found = ask(batch)
    except TooMuch:
        if len(batch) == 1:
            raise
    else:
        yield found
        return
    half = len(batch) // 2
    yield from _halved(batch[:half], ask)
    yield from _halved(batch[half:], ask)


class Variables:
    """The variables of a query: names go only through these, the same one only once."""

    def __init__(self, given: dict[str, str]) -> None:
        self.values = given
        self._known: dict[str, str] = {}

    def of(self, value: str) -> str:
        """Return the variable that stands for a value."""
        if value not in self._known:
            self._known[value] = f"v{len(self._known)}"
            self.values[self._known[value]] = value
        return f"${self._known[value]}"

    @property
    def declared(self) -> str:
        """Their declaration at the beginning of the query."""
        return ", ".join(f"${name}: String!" for name in self.values)

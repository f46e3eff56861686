"""How far a run over many repositories is, on the standard error."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gen_workflow.report import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EVERY = 30.0  # seconds between two lines, where none can be redrawn
_HALF_A_DAY = 12 * 3600


class Progress:
    """Names what is in work, and how many of how many that is.

    On a terminal this is one line, which is redrawn and goes at the end. Elsewhere, as in the log
    of a run of GitHub, it is a line now and then; what is done before the first has none.

    With `least`, the seconds that so many take at least, the line also says when all are done. The
    estimate is that, or what follows from the time until now.
    """

    def __init__(
        self, doing: str, names: Sequence[str], least: Callable[[int], float] | None = None
    ) -> None:
        self._doing = doing
        self._names = names
        self._least = least
        self._done = 0
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Progress:  # noqa: PYI034 - `Self` is not in Python 3.10
        self.forward(0)
        return self

    def __exit__(self, *_: object) -> None:
        terminal.draw("")

    def forward(self, count: int) -> None:
        """Say that so many more are done."""
        self._done += count
        if self._done >= len(self._names):
            return
        if terminal.can_redraw():
            terminal.draw(self._line())
        elif time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            terminal.log(self._line())

    def _line(self) -> str:
        done, many = self._done, len(self._names)
        return f"{self._doing} {done + 1} of {many}: {self._names[done]}{self._until()}"

    def _until(self) -> str:
        if self._least is None:
            return ""
        left = len(self._names) - self._done
        passed = time.monotonic() - self._began
        seconds = max(self._least(left), passed / self._done * left if self._done else 0.0)
        form = "%H:%M" if seconds < _HALF_A_DAY else "%a %H:%M"
        return f", until about {time.strftime(form, time.localtime(time.time() + seconds))}"

"""The errors a person can meet.

ShipError
├── UserError    the person must change something; nothing was touched (exit 2)
├── StepFailed   the build or the deploy failed (exit 1)
└── Interrupted  the run was cancelled (exit 130)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self


REPOSITORY = "https://github.com/gen-workflow/gen-workflow"
# The page that says more about a cause.
ERRORS = f"{REPOSITORY}/blob/main/docs/errors.md"


class Problem(NamedTuple):
    """One thing that is wrong: where, what, and the next act of the person who reads it.

    `anchor` is the heading in docs/errors.md that says more.
    """

    where: str
    what: str
    hint: str = ""
    anchor: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{text}{hint}" + (f"\n  see: {self.link}" if self.anchor else "")

    @property
    def link(self) -> str:
        """The address of the page that says more; empty where there is none."""
        return f"{ERRORS}#{self.anchor}" if self.anchor else ""


class Evidence(NamedTuple):
    """Text from another program that shows what went wrong, such as the last lines of a log."""

    title: str
    text: str


class ShipError(Exception):
    """An error with a cause and a hint, which is shown without a traceback."""

    exit_code = 1
    title = "Failed"

    def __init__(
        self,
        *problems: Problem,
        title: str = "",
        details: str = "",
        evidence: Evidence | None = None,
    ) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.title = title or type(self).title
        # Markdown that follows the error in the job summary.
        self.details = details
        self.evidence = evidence

    @classmethod
    def of(
        cls,
        what: str,
        *,
        where: str = "",
        hint: str = "",
        anchor: str = "",
        evidence: Evidence | None = None,
    ) -> Self:
        """Build the error from a single problem."""
        return cls(Problem(where, what, hint, anchor), evidence=evidence)


class UserError(ShipError):
    """An input, a permission or a secret has to be changed; nothing was touched."""

    exit_code = 2
    title = "Check the inputs"


class StepFailed(ShipError):  # noqa: N818 - what is said to the user is that a step failed
    """The build or the deploy itself failed."""


class Interrupted(ShipError):  # noqa: N818 - named after what the runner did
    """The run was cancelled by a signal."""

    exit_code = 130
    title = "Cancelled"


def near_match(word: str, known: Iterable[str], shown: Callable[[str], str] = repr) -> str:
    """Return the hint for a word that is not known: the nearest one that is, or all of them."""
    import difflib  # noqa: PLC0415 - 1 ms, only for an error

    listed = list(known)
    close = difflib.get_close_matches(word, listed, 1)
    return f"did you mean {shown(close[0])}?" if close else f"use one of {', '.join(listed)}"

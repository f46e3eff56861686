"""The errors that a user can see.

GenWorkflowError
├── UserError   the user must change something; nothing was written (exit 2)
│   └── SpecError   everything that is wrong with a spec, each problem with its line
├── Drift       the workflow is not what the spec says, or holds an edit (exit 1)
└── Defect      gen-workflow itself is wrong (exit 3)
"""

from __future__ import annotations

DONE = 0
NOT_IN_STEP = 1
USER_MUST_ACT = 2
OUR_BUG = 3
INTERRUPTED = 130


def shown(text: str) -> str:
    """Return a text from outside as a message may hold it: quoted when it could end a line."""
    return text if text and text.isprintable() else repr(text)


class GenWorkflowError(Exception):
    """An error that is reported in words, without a traceback."""

    exit_code = NOT_IN_STEP

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        text = f"{where}: {what}" if where else what
        super().__init__(f"{text}\n  hint: {hint}" if hint else text)


class UserError(GenWorkflowError):
    """The spec, an argument or a permission has to be changed; nothing was written."""

    exit_code = USER_MUST_ACT


class SpecError(UserError):
    """Everything that is wrong with a spec, in the order of its lines."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Drift(GenWorkflowError):  # noqa: N818 - named after what was found
    """The workflow in the repository is not what the spec says, or an edit in it would be lost."""


class Defect(GenWorkflowError):  # noqa: N818 - named after what it is
    """gen-workflow did something that it must never do."""

    exit_code = OUR_BUG

"""The errors that a user can see.

GenWorkflowError
├── UserError   the user must change something; nothing was written (exit 2)
│   └── SpecError   everything that is wrong with a spec, each problem with its line
├── Drift       the workflow is not what the spec says, or holds an edit (exit 1)
└── Defect      gen-workflow itself is wrong (exit 3)
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing for it would cost each start a millisecond
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

DONE = 0
NOT_IN_STEP = 1
USER_MUST_ACT = 2
OUR_BUG = 3
INTERRUPTED = 130
# The page that says more about a cause.
ERRORS = "https://github.com/gen-workflow/gen-workflow/blob/main/docs/errors.md"


class Heading:
    """The headings of docs/errors.md that messages link to, as anchors."""

    # The spec.
    NO_SPEC = "no-spec"
    NO_YAML = "a-text-that-is-not-yaml"
    TOO_LARGE = "a-spec-that-is-too-large"
    LIMIT = "a-limit-of-github"
    UNKNOWN_KEY = "a-key-that-is-not-known"
    MISSING_KEY = "a-key-that-is-missing"
    TWICE = "something-that-appears-twice"
    TOGETHER = "keys-that-cannot-be-together"
    LATER = "what-is-not-supported-yet"
    WRONG_KIND = "a-value-of-the-wrong-kind"
    WRONG_VALUE = "a-value-that-is-not-accepted"
    RESERVED = "a-name-that-is-reserved"
    ADDRESS = "a-host-an-address-or-a-port"
    NOT_ALLOWED = "an-expression-that-is-not-allowed"
    SECRET = "a-secret-in-the-wrong-place"  # noqa: S105 - a heading
    NOT_THERE = "a-path-that-is-not-in-the-repository"
    # The workflow and its files.
    NOT_IN_STEP = "the-workflow-is-not-in-step"
    EDITED = "the-workflow-was-edited-by-hand"
    CONFLICT = "an-edit-that-conflicts-with-the-new-workflow"
    NO_BASE = "an-edit-that-cannot-be-merged"
    PIN_MOVED = "a-pin-that-a-bot-should-not-move"
    NOT_OURS = "a-workflow-that-gen-workflow-did-not-write"
    COPY = "a-copy-of-the-actions-that-is-not-in-step"
    TEMPLATE = "a-template-of-your-own"
    OPTION = "an-option-that-is-not-accepted"
    FILE = "a-file-or-folder-that-cannot-be-used"
    IN_THE_WAY = "a-link-or-a-file-in-the-way"
    # update, Dependabot and the lock of GitHub.
    NO_SUCH_USE = "a-name-that-no-workflow-uses"
    LOCK = "the-lock-of-github-is-not-in-step"
    DEPENDABOT = "a-dependabotyml-that-cannot-be-extended"
    # commit and GitHub.
    REPOSITORY = "the-repository-is-not-known"
    API = "the-address-of-the-api"
    NO_TOKEN = "a-token-that-github-does-not-accept"  # noqa: S105 - a heading
    FEW_RIGHTS = "a-token-that-may-not-do-this"
    NOT_FOUND = "not-found-on-github"
    NO_COMMIT = "a-repository-that-takes-no-commit"
    REFUSED = "a-request-that-github-does-not-accept"
    OLD_SERVER = "a-server-that-is-too-old"
    NOT_NOW = "github-cannot-answer-now"
    BRANCH = "a-branch-that-commit-cannot-use"
    MOVED = "the-branch-has-changed-meanwhile"
    OF_A_PERSON = "the-branch-holds-a-commit-of-a-person"
    CLOSED = "the-pull-request-was-closed"
    HANDLING = "a-label-a-reviewer-or-a-merge-that-github-refuses"
    PLAN = "what-the-plan-of-the-owner-has-not-got"
    NOT_POSSIBLE = "what-bootstrap-cannot-set"
    RUN = "the-first-run"
    FOREIGN = "what-answered-is-not-github"
    NOT_REACHED = "github-is-not-reached"
    PROXY = "the-proxy-to-github"
    CERTIFICATE = "a-certificate-that-is-not-trusted"
    # fleet.
    ANOTHER_RUN = "another-run-changes-the-fleet"
    CANARY = "a-canary-that-is-not-green"
    TIME_IS_OVER = "the-time-for-a-fleet-is-over"


def shown(text: str) -> str:
    """Return a text from outside as a message may hold it: quoted when it could end a line."""
    return text if text and text.isprintable() else repr(text)


class GenWorkflowError(Exception):
    """An error that is reported in words, without a traceback.

    `anchor` is the heading in docs/errors.md that says more. `found` holds its single problems,
    each with the heading of its own.
    """

    exit_code = NOT_IN_STEP

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        hint: str = "",
        anchor: str,
        found: dict[Problem, str] | None = None,
    ) -> None:
        self.what = text = f"{where}: {what}" if where else what
        self.hint = hint
        super().__init__(f"{text}\n  hint: {hint}" if hint else text)
        self.anchors: tuple[str, ...] = (anchor,)
        self.found = found or {Problem("", 0, 0, text, hint=hint): anchor}

    @property
    def report(self) -> str:
        """The message, and below it one link for each heading, however many problems it is for."""
        return "\n".join([str(self), *(f"see: {ERRORS}#{anchor}" for anchor in self.anchors)])


class UserError(GenWorkflowError):
    """The spec, an argument or a permission has to be changed; nothing was written."""

    exit_code = USER_MUST_ACT


class Problem(str):
    """A problem of a file: its text, and apart from it the place, the path, what and the hint.

    Line and column count from 1, and 0 is one that is not known; so is a file without a name.
    """

    __slots__ = ("file", "line", "column", "path", "what", "hint")  # noqa: RUF023 - as one reads them

    file: str
    line: int
    column: int
    path: str
    what: str
    hint: str

    def __new__(  # noqa: PYI034 - `Self` is not in Python 3.10
        cls, file: str, line: int, column: int, what: str, *, hint: str = "", path: str = ""
    ) -> Problem:
        place = ":".join(str(one) for one in (file, line, column) if one)
        said = f"{path}: {what}" if path else what
        text = f"{place} {said}" if place else said
        self = super().__new__(cls, f"{text}\n  hint: {hint}" if hint else text)
        self.file, self.line, self.column = file, line, column
        self.path, self.what, self.hint = path, what, hint
        return self

    @property
    def without_place(self) -> str:
        """What is said where the place is shown in another way: the path, what, and the hint."""
        said = f"{self.path}: {self.what}" if self.path else self.what
        return f"{said}\n{self.hint}" if self.hint else said


class SpecError(UserError):
    """Everything that is wrong with a spec or a command line, in order, each with its anchor."""

    def __init__(self, problems: dict[str, str]) -> None:
        found = {
            one if isinstance(one, Problem) else Problem("", 0, 0, one): anchor
            for one, anchor in problems.items()
        }
        super().__init__("\n".join(problems), anchor="", found=found)
        self.problems = tuple(found)
        self.anchors = tuple(dict.fromkeys(problems.values()))


def gathered(*attempts: Callable[[], Any]) -> list[Any]:
    """Return what the attempts return; raises what is wrong in all of them as one UserError."""
    errors: list[UserError] = []
    results = [_attempted(one, errors) for one in attempts]
    raise_all(errors)
    return results


def _attempted(attempt: Callable[[], Any], errors: list[UserError]) -> Any:
    try:
        return attempt()
    except UserError as error:
        errors.append(error)


def raise_all(errors: Sequence[UserError]) -> None:
    """Raise several errors as one; do nothing without any."""
    if len(errors) > 1:
        raise SpecError({one: anchor for error in errors for one, anchor in error.found.items()})
    if errors:
        raise errors[0]


class Drift(GenWorkflowError):  # noqa: N818 - named after what was found
    """The workflow in the repository is not what the spec says, or an edit in it would be lost."""


def together(*found: Drift | None) -> Drift | None:
    """Return several errors as one, each with its hint; None when there is none."""
    there = [one for one in found if one]
    if not there:
        return None
    *others, last = there
    texts = [one.what if one.hint == last.hint else str(one) for one in others]
    whole = Drift(
        "\n".join([*texts, last.what]),
        hint=last.hint,
        anchor=last.anchors[0],
        found={problem: anchor for one in there for problem, anchor in one.found.items()},
    )
    whole.anchors = tuple(dict.fromkeys(anchor for one in there for anchor in one.anchors))
    return whole


class Defect(GenWorkflowError):  # noqa: N818 - named after what it is
    """gen-workflow did something that it must never do; no page says more about that."""

    exit_code = OUR_BUG

    def __init__(self, what: str) -> None:
        super().__init__(what, anchor="")

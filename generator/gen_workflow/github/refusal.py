"""Why GitHub refused a request: one cause and one next act for each of its answers."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import GenWorkflowError, Heading, UserError
from gen_workflow.github.answer import Foreign, flat

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_workflow.github.answer import Answer
    from gen_workflow.github.tokens import Token

_BAD_GATEWAYS = (502, 503, 504)
_OF_ITS_GATEWAY = (500, *_BAD_GATEWAYS)  # these may come with a page in place of JSON
_TRIES = 4
_UNSEEN = {"NOT_FOUND", "FORBIDDEN"}  # one part is missing, and GraphQL answers the others


class Moved(GenWorkflowError):  # noqa: N818 - named after what happened
    """The branch or its pull request was changed since it was read."""


class Unknown(UserError):  # noqa: N818 - named after what it is
    """This GitHub does not know what it was asked for: an older GitHub Enterprise Server."""


class TooMuch(GenWorkflowError):  # noqa: N818 - named after what was asked
    """One request asked for more than GitHub can answer in its ten seconds."""


@dataclass(frozen=True)
class Refusal:
    """An answer of GitHub that is an error, from REST and from GraphQL alike.

    `kind` is GraphQL's type of the error, such as STALE_DATA; `status` is 200 for those.
    """

    status: int
    message: str
    kind: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False  # GraphQL has answered the rest of the query

    @classmethod
    def of(cls, answer: Answer, *, graphql: bool) -> Refusal | None:
        """Return the refusal that an answer is; None when it is none.

        Raises Foreign when it is one that GitHub does not give.
        """
        if answer.status < 300:  # noqa: PLR2004 - what HTTP calls success
            return cls._of_graphql(answer) if graphql else None
        data = answer.data()
        said = data.get("message") if isinstance(data, dict) else None
        if graphql and answer.status == 404:  # noqa: PLR2004 - only a server without GraphQL
            raise Foreign(answer.described())
        if isinstance(said, str) and answer.status >= 400:  # noqa: PLR2004 - errors of HTTP
            return cls(answer.status, _message(data), "", answer.headers)
        if answer.status in (429, *_OF_ITS_GATEWAY):
            return cls(answer.status, answer.content(), "", answer.headers)
        raise Foreign(answer.described())

    @classmethod
    def of_scopes(cls, scopes: str | None, paths: Iterable[str]) -> Refusal | None:
        """Return what GitHub would say of files when a classic token lists too few scopes.

        So it is said before anything is written. Other tokens do not list theirs: None then.
        """
        workflows = [path for path in paths if path.startswith(".github/workflows/")]
        if scopes is None or not workflows or "workflow" in scopes.replace(",", " ").split():
            return None
        said = (
            "refusing to allow a Personal Access Token to create or update workflow"
            f" `{workflows[0]}` without `workflow` scope"
        )
        return cls(403, said)

    @classmethod
    def _of_graphql(cls, answer: Answer) -> Refusal | None:
        data = answer.data()
        errors = data.get("errors") if isinstance(data, dict) else None
        if not errors:
            return None
        listed = errors if isinstance(errors, list) else [errors]
        ones = [one if isinstance(one, dict) else {"message": one} for one in listed]
        kind = next((f"{one['type']}" for one in ones if one.get("type")), "")
        message = "; ".join(f"{one.get('message', one)}" for one in ones)
        partial = bool(data.get("data")) and {one.get("type") for one in ones} <= _UNSEEN
        return cls(200, message, flat(kind), answer.headers, partial)

    @property
    def limited(self) -> bool:
        """Whether GitHub wants fewer requests."""
        limit = re.search(r"rate limit|abuse detection", self.message, re.IGNORECASE)
        return self.status == 429 or self.kind == "RATE_LIMITED" or limit is not None  # noqa: PLR2004

    @property
    def moved(self) -> bool:
        """Whether the branch was changed since it was read, so reading it again helps."""
        text = r"already exists|Name must be unique|is not a fast.?forward"
        text += r"|Expected branch to point to"
        text += r"|\"sha\" wasn't supplied"  # the file that was to be new is there
        return self.kind == "STALE_DATA" or re.search(text, self.message) is not None

    def wait(self, attempt: int) -> float | None:
        """Return the seconds after which a retry may help; None when it does not.

        Source: GitHub's "Rate limits for the REST API" for both headers.
        """
        if attempt >= _TRIES or not (self.limited or self.status in _BAD_GATEWAYS or self._later):
            return None
        if self._later:
            return float(self._later)
        if self.headers.get("x-ratelimit-remaining") == "0":
            reset = _digits(self.headers.get("x-ratelimit-reset")) or "0"
            return max(0.0, float(reset) - time.time())
        return 60.0 if self.limited else float(2**attempt)

    @property
    def _later(self) -> str:
        return _digits(self.headers.get("retry-after"))

    def explained(self, repository: str, doing: str, api: str, token: Token) -> GenWorkflowError:
        """Return the error for the user; `doing` is what was tried, as in `commit on main`."""
        kind, why, hint, anchor = self._cause(token)
        what, act = f"cannot {doing}: {why}", f"{hint}\n  server: {api}"
        return kind(what, where=repository, hint=act, anchor=anchor)

    def _cause(self, token: Token) -> tuple[type[GenWorkflowError], str, str, str]:
        """Return the kind of the error, the cause, the next act and the anchor."""
        if self.moved:
            return Moved, flat(self.message), _AGAIN, Heading.MOVED
        if self.limited:
            return GenWorkflowError, self._limit(), _LATER, Heading.NOT_NOW
        if self.status in (502, 504) or self.kind == "RESOURCE_LIMITS_EXCEEDED":
            return TooMuch, self._in_words(), _STATE, Heading.NOT_NOW
        answer = f"{self.status} {self.kind} {self.message}"
        for pattern, cause, hint, anchor in _CAUSES:
            if found := re.search(pattern, answer, re.IGNORECASE | re.DOTALL):
                said = {
                    "said": flat(self.message), "rights": token.rights, "page": token.page,
                    "renewed": token.renewed, **found.groupdict(),
                }  # fmt: skip
                error = Unknown if anchor == Heading.OLD_SERVER else UserError
                return error, cause.format(**said), hint.format(**said), anchor
        return GenWorkflowError, self._in_words(), _STATE, Heading.NOT_NOW

    def _in_words(self) -> str:
        status = self.status if self.status >= 300 else "with an error:"  # noqa: PLR2004 - HTTP's
        return f"GitHub answered {status} {flat(self.message)}".strip()

    def _limit(self) -> str:
        seconds = self.wait(0) or 0
        return f"GitHub's rate limit is reached for the next {seconds:.0f} s ({flat(self.message)})"


_AGAIN = "run the command again; it reads the branch again and continues from there"
_STATE = "read GitHub's state at https://www.githubstatus.com, and run the command again later"
_LATER = "run the command again then; no step is done twice"
# The first that fits is reported. Each pattern is an answer that GitHub was seen to give. Where
# only a thread quotes the answer, the pattern is the part that threads agree on.
_CAUSES = (
    (
        r"doesn't exist on type|isn't a defined|doesn't accept argument|undefinedField",
        "this GitHub does not know what is asked for ({said})",
        "update the GitHub Enterprise Server, or commit the files with git",
        Heading.OLD_SERVER,
    ),
    (
        r"^401 ",
        "GitHub does not accept the token ({said})",
        "{renewed}",
        Heading.NO_TOKEN,
    ),
    (
        r"billing plan|Upgrade to ",
        "the plan of the owner has not got it ({said})",
        "make the repository public, change the plan, or do without it",
        Heading.PLAN,
    ),
    (
        r"refusing to allow an? (?P<who>.+?) to create or update workflow `(?P<file>[^`]+)`",
        "the token ({who}) may not write the workflow {file}",
        "{rights}; the GITHUB_TOKEN of a workflow run can never do this",
        Heading.FEW_RIGHTS,
    ),
    (
        r"SAML",
        "the organisation wants the token authorized for single sign-on",
        "choose `Configure SSO` beside the token at {page}",
        Heading.FEW_RIGHTS,
    ),
    (
        r"archived",
        "the repository is archived, so nothing can be written",
        "unarchive it under Settings > General, or leave it out",
        Heading.NO_COMMIT,
    ),
    (
        r"rule violations found|GH013|BRANCH_PROTECTION|protected branch",
        "a rule of the repository forbids it ({said})",
        "allow this branch under Settings > Rules, or give another name with --branch",
        Heading.NO_COMMIT,
    ),
    (
        r"Git Repository is empty",
        "the repository has no commit yet",
        "push a first commit, then run the command again",
        Heading.NO_COMMIT,
    ),
    (
        r"(clean|unstable) status|Protected branch rules not configured",
        "the pull request waits for nothing, so GitHub does not merge it later ({said})",
        "require a check or a review under Settings > Rules, or merge it by hand",
        Heading.HANDLING,
    ),
    (
        r"Reviews may only be requested from collaborators|requested from pull request author",
        "a reviewer cannot be asked ({said})",
        "give the person or the team access to the repository, or leave it out of --reviewer",
        Heading.HANDLING,
    ),
    (
        r"Draft pull requests are not supported",
        "this repository has no drafts ({said})",
        "leave out --draft; a private repository needs a paid plan for them",
        Heading.HANDLING,
    ),
    (
        r"^404 |NOT_FOUND",
        "it does not exist, or the token cannot see it ({said})",
        "check the name; {rights}",
        Heading.NOT_FOUND,
    ),
    (
        r"^403 |FORBIDDEN|INSUFFICIENT_SCOPES",
        "the token may not do that ({said})",
        "{rights}",
        Heading.FEW_RIGHTS,
    ),
    (
        r"^422 |UNPROCESSABLE",
        "GitHub does not accept it ({said})",
        "change what GitHub names, then run the command again",
        Heading.REFUSED,
    ),
)


def _message(data: Any) -> str:
    """Return REST's message with its details, which say more than `Validation Failed`."""
    details = data.get("errors") or ()
    listed = details if isinstance(details, (list, tuple)) else [details]
    said = [one.get("message") or "" if isinstance(one, dict) else one for one in listed]
    return "; ".join(f"{part}" for part in (data.get("message"), *said) if part)


def _digits(header: str | None) -> str:
    """Return a header that is a whole number; empty for anything else."""
    return header if header and re.fullmatch(r"[0-9]{1,12}", header) else ""

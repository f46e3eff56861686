"""Why GitHub refused a request: one cause and one next act for each of its answers."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from gen_workflow.errors import GenWorkflowError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from github import GithubException

_TOKEN_PAGE = "https://github.com/settings/tokens"  # noqa: S105 - an address
_BAD_GATEWAYS = (502, 503, 504)
_TRIES = 4


class Moved(GenWorkflowError):  # noqa: N818 - named after what happened
    """The branch or its pull request was changed since it was read."""


@dataclass(frozen=True)
class Refusal:
    """An answer of GitHub that is an error, from REST and from GraphQL alike.

    `kind` is GraphQL's type of the error, such as STALE_DATA; `status` is 200 for those.
    """

    status: int
    message: str
    kind: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, error: GithubException) -> Refusal:
        """Return what an exception of PyGithub says."""
        data: Any = error.data if isinstance(error.data, dict) else {}
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if graphql := data.get("errors") if "message" not in data else None:
            kind = next((one["type"] for one in graphql if "type" in one), "")
            message = "; ".join(f"{one.get('message', one)}" for one in graphql)
            return cls(200, message, kind, headers)
        return cls(error.status, _message(data), "", headers)

    @property
    def limited(self) -> bool:
        """Whether GitHub wants fewer requests."""
        limit = re.search(r"rate limit|abuse detection", self.message, re.IGNORECASE)
        return self.status == 429 or self.kind == "RATE_LIMITED" or limit is not None  # noqa: PLR2004

    @property
    def moved(self) -> bool:
        """Whether the branch was changed since it was read, so reading it again helps."""
        text = r"already exists|is not a fast.?forward|Expected branch to point to"
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
            return max(0.0, float(self.headers.get("x-ratelimit-reset", 0)) - time.time())
        return 60.0 if self.limited else float(2**attempt)

    @property
    def _later(self) -> str:
        later = self.headers.get("retry-after", "")
        return later if later.isdigit() else ""

    def explained(self, repository: str, doing: str) -> GenWorkflowError:
        """Return the error for the user; `doing` is what was tried, as in `commit on main`."""
        if self.moved:
            return Moved(f"cannot {doing}: {_flat(self.message)}", where=repository, hint=_AGAIN)
        if self.limited:
            return GenWorkflowError(
                f"cannot {doing}: {self._limit()}", where=repository, hint=_LATER
            )
        answer = f"{self.status} {self.kind} {self.message}"
        for pattern, cause, hint in _CAUSES:
            if found := re.search(pattern, answer, re.IGNORECASE | re.DOTALL):
                said = {"said": _flat(self.message), **found.groupdict()}
                why = f"cannot {doing}: {cause.format(**said)}"
                return UserError(why, where=repository, hint=hint.format(**said))
        hint = (
            "read GitHub's state at https://www.githubstatus.com, and run the command again later"
        )
        said_so = f"GitHub answered {self.status} {_flat(self.message)}".strip()
        return GenWorkflowError(f"cannot {doing}: {said_so}", where=repository, hint=hint)

    def _limit(self) -> str:
        seconds = self.wait(0) or 0
        return (
            f"GitHub's rate limit is reached for the next {seconds:.0f} s ({_flat(self.message)})"
        )


_AGAIN = "run the command again; it reads the branch again and continues from there"
_LATER = "run the command again then; no step is done twice"
_SCOPES = (
    "give GH_TOKEN a classic token with the scopes `repo` and `workflow`, or a fine-grained one"
    " that may read and write Contents, Workflows and Pull requests"
)
# The first that fits is reported. Each pattern is an answer that GitHub was seen to give. Where
# only a thread quotes the answer, the pattern is the part that threads agree on.
_CAUSES = (
    (
        r"^401 ",
        "GitHub does not accept the token ({said})",
        f"check GH_TOKEN, or make a new token at {_TOKEN_PAGE}",
    ),
    (
        r"refusing to allow an? (?P<who>.+?) to create or update workflow `(?P<file>[^`]+)`",
        "the token ({who}) may not write the workflow {file}",
        f"{_SCOPES}; the GITHUB_TOKEN of a workflow run can never do this",
    ),
    (
        r"SAML",
        "the organisation wants the token authorized for single sign-on",
        f"choose `Configure SSO` beside the token at {_TOKEN_PAGE}",
    ),
    (
        r"archived",
        "the repository is archived, so nothing can be written",
        "unarchive it under Settings > General, or leave it out",
    ),
    (
        r"rule violations found|GH013|BRANCH_PROTECTION|protected branch",
        "a rule of the repository forbids it ({said})",
        "allow this branch under Settings > Rules, or give another name with --branch",
    ),
    (
        r"Git Repository is empty",
        "the repository has no commit yet",
        "push a first commit, then run the command again",
    ),
    (
        r"^404 |NOT_FOUND",
        "it does not exist, or the token cannot see it ({said})",
        f"check the name; {_SCOPES}",
    ),
    (
        r"^403 |FORBIDDEN|INSUFFICIENT_SCOPES",
        "the token may not do that ({said})",
        _SCOPES,
    ),
    (
        r"^422 |UNPROCESSABLE",
        "GitHub does not accept it ({said})",
        "change what GitHub names, then run the command again",
    ),
)


def unreachable(error: requests.RequestException, api: str) -> GenWorkflowError:
    """Return the error for a GitHub that does not answer at all."""
    cause = "it did not answer in time" if isinstance(error, requests.Timeout) else "no connection"
    if isinstance(error, requests.exceptions.SSLError):
        cause = "its certificate is not trusted"
    hint = "check the network, the proxy and GITHUB_API_URL; then run the command again"
    return GenWorkflowError(f"cannot be reached: {cause}", where=api, hint=hint)


def _message(data: Any) -> str:
    """Return REST's message with its details, which say more than `Validation Failed`."""
    details = data.get("errors") or ()
    said = [one.get("message", "") if isinstance(one, dict) else f"{one}" for one in details]
    return "; ".join(part for part in (f"{data.get('message', '')}", *said) if part)


def _flat(text: str) -> str:
    """Return a text in one line, without control characters."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip().rstrip(".")[:300]

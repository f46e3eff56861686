"""The kinds of tokens, told apart, and what each needs before it may write a workflow."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from gen_workflow.errors import Heading, UserError
from gen_workflow.named_tuple import NamedTuple

RUN_LOGIN = "github-actions[bot]"  # as whom the GITHUB_TOKEN of a run acts
_PUBLIC = "https://github.com"
_NEEDS = "Contents, Workflows and Pull requests"
_RUN = (
    f"give a token of a GitHub App that may write {_NEEDS} (actions/create-github-app-token makes"
    " one in a run), or a personal one from a secret"
)
# The beginnings of tokens. Source: GitHub's "About authentication to GitHub", token formats.
_BEGINNINGS = (
    (r"github_pat_", "fine-grained"),
    (r"ghs_", "installation"),
    (r"ghp_|[0-9a-f]{40}\Z", "classic"),
    (r"gho_", "login"),
    (r"ghu_", "app of a user"),
)


class Token(NamedTuple):
    """What is known of a token without the token itself: its kind, and the page that changes it."""

    kind: str
    web: str

    @classmethod
    def of(cls, text: str, api: str) -> Token:
        """Return what is known of a token for the API at this address."""
        kind = next((kind for seen, kind in _BEGINNINGS if re.match(seen, text)), "")
        return cls(kind, _web(api))

    @property
    def page(self) -> str:
        """Where its owner sees and changes tokens of its kind."""
        if self.kind == "fine-grained":
            return f"{self.web}/settings/personal-access-tokens"
        return f"{self.web}/settings/tokens"

    @property
    def rights(self) -> str:
        """What to do so that the token may do all that `commit` does."""
        if self.kind == "fine-grained":
            return (
                f"edit the token at {self.page}: it needs this repository, and read and write for"
                f" {_NEEDS}; an organisation may have to approve that"
            )
        if self.kind in ("installation", "app of a user"):
            return (
                f"give the GitHub App of the token read and write for {_NEEDS}, let the owner of"
                " the repository accept that, and install it for this repository"
            )
        if self.kind == "login":
            return (
                "with GitHub's own tool, run `gh auth refresh --scopes repo,workflow` and set"
                " GH_TOKEN=$(gh auth token) again; or give GH_TOKEN a classic token of these scopes"
            )
        return (
            "give GH_TOKEN a classic token with the scopes `repo` and `workflow`, or a fine-grained"
            f" one that may read and write {_NEEDS}"
        )

    @property
    def renewed(self) -> str:
        """How to get a token that is accepted, in place of one that is not."""
        if self.kind == "installation":
            return "make a new token: one of a GitHub App ends after an hour, one of a run with it"
        return f"check GH_TOKEN, or make a new token at {self.page}"


def of_a_run(where: str) -> UserError:
    """Return the error for the GITHUB_TOKEN of a run.

    No permission of a job gives it that. Source: https://github.com/nextcloud/spreed/pull/16336.
    """
    what = "the GITHUB_TOKEN of a run may not write workflows, whatever permissions the job has"
    return UserError(what, where=where, hint=_RUN, anchor=Heading.FEW_RIGHTS)


def _web(api: str) -> str:
    """Return the address of the pages that belong to an API."""
    parts = urlsplit(api)
    host = parts.hostname or ""
    if host == "api.github.com" or not host:
        return _PUBLIC
    if host.startswith("api.") and host.endswith(".ghe.com"):
        return f"https://{host.removeprefix('api.')}"
    return f"{parts.scheme}://{parts.netloc}"

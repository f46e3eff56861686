"""A request as the handlers get it, and the accounts that it may be about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bed.github.state import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bed.github.schemas import Rest
    from bed.github.state import Repository, Token

_EXAMPLE = "octocat/Hello-World"


@dataclass(frozen=True)
class Account:
    """A user or an organisation. `plan` is "" for one that has everything.

    GitHub shows the plan of an organisation to its owners alone.
    """

    login: str
    number: int
    organization: bool
    plan: str
    teams: tuple[str, ...]
    shows_plan: bool
    packages: dict[str, str]  # the repository that each container of it is linked to, or ""


class Host(Protocol):
    """The server, as far as handlers need it."""

    accounts: dict[str, Account]

    def repository(self, slug: str) -> Repository:
        """Return a repository; raises Refused when there is none."""

    def has(self, slug: str) -> bool:
        """Return whether there is a repository."""

    def owned(self, owner: str) -> list[Repository]:
        """Return the repositories of an owner."""

    def create_repository(
        self,
        slug: str,
        files: Mapping[str, bytes] | None = None,
        *,
        branch: str = "main",
        private: bool = False,
    ) -> Repository:
        """Create a repository."""


@dataclass(frozen=True)
class Asked:
    """A request that was parsed: its token and its content."""

    host: Host
    token: Token
    url: str
    schema: Rest
    values: dict[str, str]  # what the path says in place of `{ref}` and the like
    query: dict[str, str]
    body: Any

    @property
    def repository(self) -> Repository:
        """The repository that the path names; raises Refused when there is none."""
        return self.host.repository(f"{self.values['owner']}/{self.values['repo']}")

    @property
    def owned(self) -> list[Repository]:
        """The repositories of the organisation that the path names; refused when it has none."""
        if not (found := self.host.owned(self.values["org"])):
            raise Refused(404, "Not Found", kind="NOT_FOUND")
        return found

    @property
    def owner(self) -> Account:
        """The account that the path names, or that has the repository in it."""
        names = (self.values.get(name) for name in ("owner", "org", "username"))
        login = next(name for name in names if name)
        if login.lower() not in self.host.accounts:
            raise Refused(404, "Not Found", kind="NOT_FOUND")
        return self.host.accounts[login.lower()]

    @property
    def plan(self) -> str:
        """The plan that limits a private repository; empty for a public one."""
        return self.owner.plan if self.repository.private else ""

    def demand(self, right: str) -> None:
        """Refuse what the token may not do.

        Fine-grained tokens: docs.github.com/en/rest/authentication/permissions-required-for-fine-
        grained-personal-access-tokens. Classic ones need `repo`, and an administrator.
        """
        if not self.token.classic and right not in self.token.scopes:
            raise Refused(403, "Resource not accessible by personal access token", kind="FORBIDDEN")
        if self.token.classic and "repo" not in self.token.scopes:
            raise Refused(404, "Not Found", kind="NOT_FOUND")
        if self.token.classic and not self.token.admin:
            raise Refused(403, "Must have admin rights to Repository.", kind="FORBIDDEN")

    def listed(self, key: str, items: Sequence[Any]) -> dict[str, Any]:
        """Return a page of a list with its whole length."""
        many, page = int(self.query.get("per_page", "30")), int(self.query.get("page", "1"))
        shown = items[(page - 1) * many : page * many]
        return {"total_count": len(items), key: [*shown]}


def example(asked: Asked, method: str, template: str, status: int) -> Any:
    """Return GitHub's example, changed to this repository on this server."""
    text = json.dumps(asked.schema.example(method, template, status))
    text = text.replace("https://api.github.com", asked.url)
    if "owner" in asked.values:
        text = text.replace(_EXAMPLE, f"{asked.values['owner']}/{asked.values['repo']}")
    return json.loads(text)

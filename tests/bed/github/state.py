"""The state of the server beside git: repositories, pull requests, tokens, and refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bed.github.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bed.github.store import Store

NO_OID = "0" * 40
FINE_GRAINED = frozenset({"contents", "pull_requests"})
_WORKFLOWS = ".github/workflows/"


class Refused(Exception):  # noqa: N818 - named after what happened
    """A request that GitHub answers with an error. `kind` is the type of the error in GraphQL."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str,
        details: Iterable[dict[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.details = tuple(details)
        self.headers = headers or {}


class Violation(Exception):  # noqa: N818 - named after what happened
    """A request of the client, or an answer of this server, that is not part of GitHub's API."""


@dataclass(frozen=True)
class Token:
    """A token. A classic token shows its scopes. All others do not show their permissions."""

    login: str = "octocat"
    scopes: frozenset[str] = frozenset({"repo", "workflow"})
    classic: bool = True
    app: bool = False  # that of the installation of a GitHub App, or of a run
    admin: bool = True  # whether its user administers all repositories

    @property
    def name(self) -> str:
        """The name of this kind of token in GitHub's refusals."""
        return "Personal Access Token" if self.classic else "GitHub App"

    def may_write(self) -> bool:
        """Whether the token may write contents and pull requests."""
        return bool(self.scopes & {"repo", "contents"})

    def check_workflows(self, paths: Iterable[str]) -> None:
        """Refuse workflow files, as GitHub does when a token lacks the right for them."""
        right = "`workflow` scope" if self.classic else "`workflows` permission"
        if self.scopes & {"workflow", "workflows"}:
            return
        for path in paths:
            if path.startswith(_WORKFLOWS):
                what = f"refusing to allow a {self.name} to create or update workflow"
                raise Refused(403, f"{what} `{path}` without {right}", kind="FORBIDDEN")


@dataclass
class Pull:
    """A pull request within one repository."""

    number: int
    title: str
    body: str
    head: str
    base: str
    state: str = "open"
    merged: bool = False
    last_head: str = ""  # the head of its branch when it was merged
    fork: bool = False  # from the branch of that name in a fork
    draft: bool = False
    labels: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)  # logins, and the slugs of teams
    reviews: int = 0
    merges: str = ""  # the way in which GitHub merges it by itself

    @property
    def shown_state(self) -> str:
        """The state as GraphQL names it."""
        return "MERGED" if self.merged else self.state.upper()


@dataclass(frozen=True)
class Release:
    """A release of a tag; one without a date is a draft."""

    tag: str
    published: str | None
    prerelease: bool = False


@dataclass
class Run:
    """A run of a workflow for a commit; without a conclusion it is not at its end."""

    number: int
    commit: str
    branch: str
    path: str
    conclusion: str = ""


@dataclass
class Repository:
    """A repository: its git repository, and what only GitHub stores about it.

    `rules` are the texts of a ruleset that refuses "creation" of branches or "update" of branches.
    `access` are the users and teams that may review. `merging` are the ways to merge; `auto_merge`
    says whether GitHub may do it by itself, and `waits` whether a pull request has to wait for
    checks or reviews.
    """

    slug: str
    git: Store
    default_branch: str = "main"
    number: int = 0
    archived: bool = False
    pulls: list[Pull] = field(default_factory=list)
    signed: set[str] = field(default_factory=set)
    rules: dict[str, str] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    fork: bool = False
    language: str = ""
    topics: tuple[str, ...] = ()
    properties: dict[str, str | list[str]] = field(default_factory=dict)
    access: set[str] = field(default_factory=set)
    merging: tuple[str, ...] = ("MERGE", "SQUASH", "REBASE")
    auto_merge: bool = True
    waits: bool = True
    private: bool = False
    template: bool = False
    kept: Kept = field(default_factory=Kept)

    @property
    def empty(self) -> bool:
        return self.git.head(self.default_branch) is None

    def pull(self, number: int) -> Pull:
        """Return a pull request by its number."""
        for pull in self.pulls:
            if pull.number == number:
                return pull
        raise Refused(404, "Not Found", kind="NOT_FOUND")

    def open_pull(
        self, head: str, base: str, *, title: str, body: str, draft: bool = False
    ) -> Pull:
        """Open a pull request."""
        problems = [
            {"resource": "PullRequest", "field": name, "code": "invalid"}
            for name, branch in (("head", head), ("base", base))
            if self.git.head(branch) is None
        ]
        if problems:
            raise Refused(422, "Validation Failed", kind="UNPROCESSABLE", details=problems)
        if any(one.base == base for one in self.pulls_from(head, "OPEN")):
            owner = self.slug.split("/")[0]
            raise _invalid_pull(f"A pull request already exists for {owner}:{head}.")
        if self.git.reaches(base, head):
            raise _invalid_pull(f"No commits between {base} and {head}")
        pull = Pull(len(self.pulls) + 1, title, body, head, base, draft=draft)
        self.pulls.append(pull)
        return pull

    def close(self, number: int) -> None:
        """Close a pull request as a person does; GitHub keeps where its branch was."""
        pull = self.pull(number)
        pull.last_head = self.head_of(pull)
        pull.state = "closed"

    def reopen(self, number: int) -> None:
        """Open a pull request again, unless its branch is gone or was moved elsewhere.

        Sources: https://github.com/isaacs/github/issues/361 (the rule),
        https://github.com/cilium/cilium/pull/47088 (the text).
        """
        pull = self.pull(number)
        head = self.git.head(pull.head)
        if head is None or (pull.last_head and not self.git.reaches(head, pull.last_head)):
            said = f"state cannot be changed. The {pull.head} branch was force-pushed or recreated."
            raise _invalid_pull(said)
        pull.state, pull.last_head = "open", ""

    def ask_for_review(self, number: int, wanted: Iterable[str]) -> None:
        """Ask users and teams.

        Source: https://github.com/peter-evans/create-pull-request/issues/4138.
        """
        if not self.access.issuperset(wanted):
            what = "One or more of the users or teams you specified is not a collaborator of the"
            said = (
                f"Reviews may only be requested from collaborators. {what} {self.slug} repository."
            )
            raise Refused(422, said, kind="UNPROCESSABLE")
        pull = self.pull(number)
        pull.requested = list(dict.fromkeys([*pull.requested, *wanted]))

    def merge_by_itself(self, number: int, method: str) -> None:
        """Let GitHub merge a pull request later.

        Sources: https://github.com/AliceJump/ok-end-field/pull/211 (it is not allowed);
        for one that waits for nothing, https://github.com/peter-evans/enable-pull-request-automerge/issues/1118.
        """
        if not self.auto_merge:
            said = "Auto merge is not allowed for this repository"
            raise Refused(200, said, kind="UNPROCESSABLE")
        if not self.waits:
            said = "Pull request Pull request is in clean status"
            raise Refused(200, said, kind="UNPROCESSABLE")
        self.pull(number).merges = method

    def pulls_from(self, branch: str, state: str) -> list[Pull]:
        """Return the pull requests from a branch that are OPEN, CLOSED or MERGED."""
        return [one for one in self.pulls_named(branch, state) if not one.fork]

    def pulls_named(self, branch: str, state: str) -> list[Pull]:
        """Return the pull requests from a branch of that name, here or in a fork."""
        return [one for one in self.pulls if one.head == branch and one.shown_state == state]

    def close_empty(self) -> None:
        """Close the pull requests whose base has all of their commits, as GitHub does at once.

        Source: https://github.com/DataDog/dd-trace-rb/pull/6204.
        """
        for pull in self.pulls:
            head, base = self.git.head(pull.head), self.git.head(pull.base)
            if pull.state == "open" and head and base and self.git.reaches(base, head):
                pull.state = "closed"

    def node_of(self, pull: Pull) -> str:
        """Return the name of a pull request in GraphQL."""
        return f"PR_{self.slug}#{pull.number}"

    def head_of(self, pull: Pull) -> str:
        """Return the commit that a pull request proposes."""
        return pull.last_head or self.git.head(pull.head) or NO_OID

    def check_writable(self, token: Token) -> None:
        """Refuse what GitHub refuses before it reads a request."""
        if not token.may_write():
            text = "Resource not accessible by personal access token"
            raise Refused(403, text, kind="FORBIDDEN")
        if self.archived:
            raise Refused(403, "Repository was archived so is read-only.", kind="FORBIDDEN")

    def check_rules(self, act: str) -> None:
        """Refuse what a ruleset forbids."""
        if act in self.rules:
            text = f"Repository rule violations found\n\n{self.rules[act]}\n\n"
            raise Refused(422, text, kind="UNPROCESSABLE")

    def change(
        self,
        branch: str,
        add: Mapping[str, bytes],
        *,
        delete: Iterable[str] = (),
        message: str = "Change",
        author: str = "octocat",
        age: int = 0,
        executable: Iterable[str] = (),
    ) -> str:
        """Commit on a branch, and return the commit. The branch is created when it is missing.

        `age` is in days. What is added may not be executed, unless it is named as `executable`.
        """
        head = self.git.head(branch)
        onto = head or self.git.head(self.default_branch)
        tree = self.git.tree(onto, add, delete, executable)
        parents = [onto] if onto else []
        made = self.git.commit(parents, message, tree=tree, author=author, age=age)
        self.git.point(f"refs/heads/{branch}", made, head or NO_OID)
        return made

    def release(self, *tags: str, age: int, annotated: bool = False, on: str = "") -> str:
        """Make a commit that is `age` days old, and put tags on it; return the commit."""
        branch = on or self.default_branch
        made = self.change(branch, {"VERSION": tags[0].encode()}, message=tags[0], age=age)
        for tag in tags:
            self.git.tag(tag, made, age=age if annotated else None)
        return made

    def run(
        self, branch: str, conclusion: str = "", *, path: str = ".github/workflows/ci-cd.yml"
    ) -> Run:
        """Run a workflow for the newest commit of a branch."""
        made = Run(len(self.runs) + 1, self.git.head(branch) or NO_OID, branch, path, conclusion)
        self.runs.append(made)
        return made

    def merge(self, number: int, *, squash: bool) -> str:
        """Merge a pull request, and return the commit."""
        pull = self.pull(number)
        base, head = self.git.head(pull.base), self.git.head(pull.head)
        if not base or not head:
            raise Refused(404, "Not Found", kind="NOT_FOUND")
        parents = [base] if squash else [base, head]
        tree = self.git.merged(base, head)
        made = self.git.commit(parents, f"{pull.title} (#{number})", tree=tree, author="octocat")
        self.git.point(f"refs/heads/{pull.base}", made, base)
        pull.state, pull.merged, pull.last_head = "closed", True, head
        return made


def _invalid_pull(message: str) -> Refused:
    details = [{"resource": "PullRequest", "code": "custom", "message": message}]
    return Refused(422, "Validation Failed", kind="UNPROCESSABLE", details=details)


@dataclass
class Fault:
    """A fault of an operation, or of any, and how many times it occurs."""

    operation: str
    times: int = 1
    after: int = 0  # requests that it lets pass before
    status: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False  # the operation is carried out, only its answer is lost
    cut: bool = False  # the connection ends in place of an answer
    delay: float = 0  # seconds until the answer

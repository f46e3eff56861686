"""Talks to GitHub, through PyGithub and its GraphQL requester; no other module does."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import requests

from gen_workflow.errors import UserError
from gen_workflow.github.proposal import Branch, PullRequest, Snapshot
from gen_workflow.github.refusal import Refusal, unreachable
from gen_workflow.version import __version__
from github import Auth, Github, GithubException

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PATIENCE = 60.0  # seconds that one request may wait in total for GitHub to recover
_TIMEOUT = 30  # seconds for one answer; GitHub itself gives up after 10
_Answer = TypeVar("_Answer")

_PULLS = "{ nodes { number url body baseRefName headRefOid } }"
_BRANCH = f"""\
name target {{ oid }}
open: associatedPullRequests(states: OPEN, first: 20) {_PULLS}
merged: associatedPullRequests(
  states: MERGED, first: 1, orderBy: {{field: CREATED_AT, direction: DESC}}
) {_PULLS}"""
_COMMIT = """\
mutation Commit($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid signature { isValid } } }
}"""
_MOVE = """\
mutation Move($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }"""


@dataclass(frozen=True)
class Commit:
    """A commit that was made; `verified` when GitHub signed it."""

    oid: str
    verified: bool


class Repository:
    """A repository on GitHub, read and changed with as few requests as possible.

    Every method raises a GenWorkflowError that says why GitHub refused and what to do, and
    refusal.Moved when the branch was changed meanwhile. `log` reports that a request is repeated.
    """

    def __init__(self, slug: str, token: str, api: str, log: Callable[[str], None]) -> None:
        self.slug = slug
        self._log = log
        self._api = api
        self._node = ""
        self._github = Github(
            auth=Auth.Token(token),
            base_url=api,
            timeout=_TIMEOUT,
            user_agent=f"gen-workflow/{__version__}",
            retry=None,  # its own retries know neither PATCH, 429 nor a limit of time
            seconds_between_requests=None,  # one repository needs four requests at most
            seconds_between_writes=None,
        )

    def close(self) -> None:
        """Close the connection."""
        self._github.close()

    def read(self, *, base: str, branch: str, paths: tuple[str, ...]) -> Snapshot:
        """Return what the base and the branch hold of the paths, in one request.

        `base` is "" for the default branch.
        """
        query, variables = _read_query(self.slug, base, branch, paths)
        headers, found = self._graphql(query, variables, "read the repository")
        repository = found["repository"]
        self.slug, self._node = repository["nameWithOwner"], repository["id"]
        if repository["isArchived"]:
            raise Refusal(403, "archived").explained(self.slug, "write")
        _check_scopes(headers, self.slug, paths)
        if repository["base"] is None:
            raise self._no_base(base)
        return self._snapshot(repository, paths)

    def create_branch(self, name: str, head: str) -> None:
        """Create a branch at a commit."""
        wanted = {"ref": f"refs/heads/{name}", "sha": head}
        self._rest("POST", "git/refs", wanted, f"create the branch {name}")

    def move_branch(self, name: str, *, before: str, after: str) -> None:
        """Point a branch at another commit, unless it is no longer where it was."""
        update = {
            "name": f"refs/heads/{name}",
            "beforeOid": before,
            "afterOid": after,
            "force": True,
        }
        variables = {"input": {"repositoryId": self._node, "refUpdates": [update]}}
        self._graphql(_MOVE, variables, f"move the branch {name}")

    def commit(self, branch: str, *, onto: str, message: str, files: Mapping[str, bytes]) -> Commit:
        """Make one commit, signed by GitHub, on top of the commit that the branch must be at."""
        headline, _, rest = message.strip().partition("\n")
        additions = [
            {"path": path, "contents": base64.b64encode(content).decode()}
            for path, content in files.items()
        ]
        wanted = {
            "branch": {"repositoryNameWithOwner": self.slug, "branchName": branch},
            "expectedHeadOid": onto,
            "message": {"headline": headline, "body": rest.strip()},
            "fileChanges": {"additions": additions},
        }
        _, made = self._graphql(_COMMIT, {"input": wanted}, f"commit on {branch}")
        commit = made["createCommitOnBranch"]["commit"]
        return Commit(commit["oid"], bool((commit["signature"] or {}).get("isValid")))

    def open_pull_request(self, branch: str, *, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request."""
        wanted = {"base": base, "head": branch, "title": title, "body": body}
        doing = f"open a pull request from {branch} into {base}"
        made = self._rest("POST", "pulls", wanted, doing)
        return PullRequest(made["number"], made["html_url"], body)

    def describe_pull_request(self, number: int, body: str) -> None:
        """Replace the text of a pull request; its title stays, which a user may have changed."""
        self._rest("PATCH", f"pulls/{number}", {"body": body}, f"update pull request {number}")

    def _snapshot(self, repository: Any, paths: tuple[str, ...]) -> Snapshot:
        base = _branch(repository, "base", paths)
        if repository["branch"] is None:
            return Snapshot(self.slug, base)
        pulls = repository["branch"]["open"]["nodes"]
        ours = [one for one in pulls if one["baseRefName"] == base.name]
        merged = [one["headRefOid"] for one in repository["branch"]["merged"]["nodes"]]
        return Snapshot(
            self.slug,
            base,
            _branch(repository, "branch", paths),
            PullRequest(ours[0]["number"], ours[0]["url"], ours[0]["body"]) if ours else None,
            merged[0] if merged else "",
        )

    def _no_base(self, base: str) -> Exception:
        if not base:
            return Refusal(409, "Git Repository is empty.").explained(self.slug, "make a branch")
        hint = "name a branch that exists with --base, or leave it out for the default branch"
        return UserError(f"there is no branch {base}", where=self.slug, hint=hint)

    def _rest(self, verb: str, path: str, body: dict[str, str], doing: str) -> Any:
        requester, url = self._github.requester, f"/repos/{self.slug}/{path}"
        _, answer = self._ask(lambda: requester.requestJsonAndCheck(verb, url, input=body), doing)
        return answer

    def _graphql(
        self, query: str, variables: dict[str, Any], doing: str
    ) -> tuple[Mapping[str, str], Any]:
        requester = self._github.requester
        headers, answer = self._ask(lambda: requester.graphql_query(query, variables), doing)
        return headers, answer["data"]

    def _ask(self, request: Callable[[], _Answer], doing: str) -> _Answer:
        """Send a request; retry while GitHub asks to wait and the time for that is not over."""
        end = time.monotonic() + _PATIENCE
        attempt = 0
        while True:
            try:
                return request()
            except GithubException as error:
                refusal = Refusal.of(error)
            except requests.RequestException as error:
                raise unreachable(error, self._api) from None
            wait = refusal.wait(attempt)
            if wait is None or time.monotonic() + wait > end:
                raise refusal.explained(self.slug, doing)
            said = refusal.kind or refusal.status
            self._log(f"GitHub answered {said}; retry in {wait:.0f} s")
            time.sleep(wait)
            attempt += 1


def check_token(token: str) -> str:
    """Return the token; raises UserError when there is none, or when it cannot be one."""
    token = token.strip()
    if not token:
        hint = "export GH_TOKEN; with GitHub's own tool: GH_TOKEN=$(gh auth token)"
        raise UserError("there is no token in GH_TOKEN or GITHUB_TOKEN", hint=hint)
    if not (token.isascii() and token.isprintable()) or " " in token:
        hint = "set it again, as one word without line breaks"
        raise UserError("holds characters that no token has", where="GH_TOKEN", hint=hint)
    return token


def _read_query(
    slug: str, base: str, branch: str, paths: tuple[str, ...]
) -> tuple[str, dict[str, Any]]:
    """Return the query for everything that an update has to know, and its variables.

    Names go only through variables, so that none of them can become a part of the query.
    """
    owner, name = slug.split("/")
    variables = {"owner": owner, "name": name, "branch": f"refs/heads/{branch}"}
    blobs = []
    for index, path in enumerate(paths):
        variables[f"base{index}"] = f"{f'refs/heads/{base}' if base else 'HEAD'}:{path}"
        variables[f"branch{index}"] = f"refs/heads/{branch}:{path}"
        blobs += [
            f"{side}{index}: object(expression: ${side}{index}) {{ oid ... on Blob {{ text }} }}"
            for side in ("base", "branch")
        ]
    found = "base: defaultBranchRef { name target { oid } }"
    if base:
        variables["base"] = f"refs/heads/{base}"
        found = "base: ref(qualifiedName: $base) { name target { oid } }"
    declared = ", ".join(f"${variable}: String!" for variable in variables)
    query = f"""\
query Read({declared}) {{
  repository(owner: $owner, name: $name) {{
    id nameWithOwner isArchived
    {found}
    branch: ref(qualifiedName: $branch) {{ {_BRANCH} }}
    {" ".join(blobs)}
  }}
}}"""
    return query, variables


def _branch(repository: Any, side: str, paths: tuple[str, ...]) -> Branch:
    blobs = [(path, repository[f"{side}{index}"]) for index, path in enumerate(paths)]
    there = {path: blob["oid"] for path, blob in blobs if blob}
    texts = {path: blob.get("text") or "" for path, blob in blobs if blob}
    return Branch(repository[side]["name"], repository[side]["target"]["oid"], there, texts)


def _check_scopes(headers: Mapping[str, str], slug: str, paths: tuple[str, ...]) -> None:
    """Refuse before anything is written when the scopes that a classic token lists are too few."""
    scopes = headers.get("x-oauth-scopes")
    workflows = [path for path in paths if path.startswith(".github/workflows/")]
    if scopes is None or not workflows or "workflow" in scopes.replace(",", " ").split():
        return
    said = (
        "refusing to allow a Personal Access Token to create or update workflow"
        f" `{workflows[0]}` without `workflow` scope"
    )
    raise Refusal(403, said).explained(slug, "write")

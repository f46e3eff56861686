"""The questions that a repository on GitHub is asked, and the changes that are made to it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_workflow.errors import UserError
from gen_workflow.github.answer import OID
from gen_workflow.github.connection import Connection
from gen_workflow.github.proposal import Branch, PullRequest, Snapshot
from gen_workflow.github.refusal import Refusal
from gen_workflow.github.remote import SLUG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_workflow.github.answer import Part

_SCOPES = "x-oauth-scopes"
_URL = r"https?://[!-~]+"  # printable, without blanks

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


class _Found(NamedTuple):
    """What the first question found; the snapshot is None when there is no base."""

    slug: str
    node: str
    archived: bool
    snapshot: Snapshot | None


class Repository:
    """A repository on GitHub, read and changed with as few requests as possible.

    Every method raises a GenWorkflowError that says why GitHub refused and what to do, and
    refusal.Moved when the branch was changed meanwhile. `log` reports that a request is repeated.
    """

    def __init__(self, slug: str, token: str, api: str, log: Callable[[str], None]) -> None:
        self._at = Connection(slug, token, api, log)
        self._node = ""

    def close(self) -> None:
        """Close the connection."""
        self._at.close()

    def read(self, *, base: str, branch: str, paths: tuple[str, ...]) -> Snapshot:
        """Return what the base and the branch hold of the paths, in one request.

        `base` is "" for the default branch.
        """
        query, variables = _read_query(self._at.slug, base, branch, paths)
        doing = "read the repository"
        found, scopes = self._at.graphql(
            query,
            variables,
            doing,
            lambda data, headers: (_found(data.part("repository"), paths), headers.get(_SCOPES)),
        )
        self._at.slug, self._node = found.slug, found.node
        if found.archived:
            raise self._at.refused(Refusal(403, "archived"), "write")
        self._check_scopes(scopes, paths)
        if found.snapshot is None:
            raise self._no_base(base)
        return found.snapshot

    def create_branch(self, name: str, head: str) -> None:
        """Create a branch at a commit."""
        wanted = {"ref": f"refs/heads/{name}", "sha": head}
        self._at.rest(
            "POST",
            "git/refs",
            f"create the branch {name}",
            lambda made: made.text("ref", re.escape(wanted["ref"])),
            wanted,
        )

    def move_branch(self, name: str, *, before: str, after: str) -> None:
        """Point a branch at another commit, unless it is no longer where it was."""
        update = {
            "name": f"refs/heads/{name}",
            "beforeOid": before,
            "afterOid": after,
            "force": True,
        }
        variables = {"input": {"repositoryId": self._node, "refUpdates": [update]}}
        doing = f"move the branch {name}"
        self._at.graphql(_MOVE, variables, doing, lambda data, _: data.part("updateRefs"))

    def commit(self, branch: str, *, onto: str, message: str, files: Mapping[str, bytes]) -> Commit:
        """Make one commit, signed by GitHub, on top of the commit that the branch must be at."""
        headline, _, rest = message.strip().partition("\n")
        additions = [
            {"path": path, "contents": base64.b64encode(content).decode()}
            for path, content in files.items()
        ]
        wanted = {
            "branch": {"repositoryNameWithOwner": self._at.slug, "branchName": branch},
            "expectedHeadOid": onto,
            "message": {"headline": headline, "body": rest.strip()},
            "fileChanges": {"additions": additions},
        }
        return self._at.graphql(
            _COMMIT, {"input": wanted}, f"commit on {branch}", lambda data, _: _commit(data)
        )

    def open_pull_request(self, branch: str, *, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request."""
        wanted = {"base": base, "head": branch, "title": title, "body": body}
        return self._at.rest(
            "POST",
            "pulls",
            f"open a pull request from {branch} into {base}",
            lambda made: PullRequest(made.number("number"), made.text("html_url", _URL), body),
            wanted,
        )

    def describe_pull_request(self, number: int, body: str) -> None:
        """Replace the text of a pull request; its title stays, which a user may have changed."""
        self._at.rest(
            "PATCH",
            f"pulls/{number}",
            f"update pull request {number}",
            lambda made: made.number("number"),
            {"body": body},
        )

    def _check_scopes(self, scopes: str | None, paths: tuple[str, ...]) -> None:
        """Refuse before anything is written when a classic token lists too few scopes."""
        workflows = [path for path in paths if path.startswith(".github/workflows/")]
        if scopes is None or not workflows or "workflow" in scopes.replace(",", " ").split():
            return
        said = (
            "refusing to allow a Personal Access Token to create or update workflow"
            f" `{workflows[0]}` without `workflow` scope"
        )
        raise self._at.refused(Refusal(403, said), "write")

    def _no_base(self, base: str) -> Exception:
        if not base:
            return self._at.refused(Refusal(409, "Git Repository is empty."), "make a branch")
        hint = "name a branch that exists with --base; without --base it is the default branch"
        return UserError(f"there is no branch {base}", where=self._at.slug, hint=hint)


def check_token(token: str) -> str:
    """Return the token; raises UserError when there is none, or when it cannot be one."""
    token = token.strip()
    if not token:
        hint = "export GH_TOKEN; with GitHub's own tool: GH_TOKEN=$(gh auth token)"
        raise UserError("there is no token in GH_TOKEN or GITHUB_TOKEN", hint=hint)
    if not (token.isascii() and token.isprintable()) or " " in token:
        hint = "set it again, as one word without spaces or line breaks"
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


def _found(repository: Part, paths: tuple[str, ...]) -> _Found:
    there = repository.maybe("base")
    return _Found(
        repository.text("nameWithOwner", SLUG),
        repository.text("id"),
        archived=repository.flag("isArchived"),
        snapshot=_snapshot(repository, paths) if there else None,
    )


def _snapshot(repository: Part, paths: tuple[str, ...]) -> Snapshot:
    slug, base = repository.text("nameWithOwner"), _branch(repository, "base", paths)
    branch = repository.maybe("branch")
    if branch is None:
        return Snapshot(slug, base)
    pulls = branch.part("open").parts("nodes")
    ours = [one for one in pulls if one.text("baseRefName") == base.name]
    merged = [one.text("headRefOid", OID) for one in branch.part("merged").parts("nodes")]
    return Snapshot(
        slug,
        base,
        _branch(repository, "branch", paths),
        _pull(ours[0]) if ours else None,
        merged[0] if merged else "",
    )


def _pull(shown: Part) -> PullRequest:
    body = shown.text("body") if shown.maybe("body") else ""
    return PullRequest(shown.number("number"), shown.text("url", _URL), body)


def _branch(repository: Part, side: str, paths: tuple[str, ...]) -> Branch:
    blobs = {path: repository.maybe(f"{side}{index}") for index, path in enumerate(paths)}
    there = {path: blob for path, blob in blobs.items() if blob}
    texts = {path: blob.text("text") if blob.maybe("text") else "" for path, blob in there.items()}
    oids = {path: blob.text("oid", OID) for path, blob in there.items()}
    shown = repository.part(side)
    return Branch(shown.text("name"), shown.part("target").text("oid", OID), oids, texts)


def _commit(data: Part) -> Commit:
    made = data.part("createCommitOnBranch").part("commit")
    signature = made.maybe("signature")
    return Commit(made.text("oid", OID), verified=bool(signature and signature.flag("isValid")))

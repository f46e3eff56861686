"""Branch, signed commit and pull request of one repository, in one request."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from gen_workflow.github.answer import OID
from gen_workflow.github.client import MOVE, deleted
from gen_workflow.github.proposal import marked
from gen_workflow.github.snapshot import URL
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.fleet.inventory import Held
    from gen_workflow.github.answer import Part
    from gen_workflow.github.connection import Connection

CHANGES = 3  # a branch, a commit and a pull request
_PROPOSE = """\
mutation Propose(
  $ref: CreateRefInput!, $commit: CreateCommitOnBranchInput!, $pull: CreatePullRequestInput!
) {
  createRef(input: $ref) { clientMutationId }
  createCommitOnBranch(input: $commit) { commit { oid } }
  createPullRequest(input: $pull) { pullRequest { url } }
}"""


class Proposal(NamedTuple):
    """What a pull request is made of; a file without a content is removed."""

    branch: str
    message: str
    title: str
    body: str
    files: Mapping[str, bytes | None]
    draft: bool = False


class Made(NamedTuple):
    """A commit that was made, and the address of its pull request."""

    commit: str
    pull: str


def propose(connection: Connection, held: Held, wanted: Proposal) -> Made:
    """Make branch, commit and pull request in a repository that has no such branch.

    The commit is made only on top of the head that was read, so a request that is repeated after a
    lost answer makes nothing twice: refusal.Moved is raised then, as it is when the branch was made
    meanwhile. GraphQL goes on after a part that failed, so a pull request from a branch that others
    have just made may be opened; nothing is written to that branch.
    """
    connection.slug = held.slug
    return connection.graphql(
        _PROPOSE,
        _variables(held, wanted),
        f"open a pull request from {wanted.branch} into {held.base}",
        lambda data, _: _made(data),
    )


def withdraw(connection: Connection, held: Held, branch: str) -> None:
    """Delete a branch that was made for a commit which GitHub then refused.

    A branch with a commit of its own stays: GitHub compares it with the head that was read.
    """
    update = {**deleted(branch), "beforeOid": held.head}
    variables = {"input": {"repositoryId": held.node, "refUpdates": [update]}}
    doing = f"delete the branch {branch}"
    connection.graphql(MOVE, variables, doing, lambda data, _: data.part("updateRefs"))


def _variables(held: Held, wanted: Proposal) -> dict[str, Any]:
    headline, _, rest = marked(wanted.message).partition("\n")
    additions = [
        {"path": path, "contents": base64.b64encode(text).decode()}
        for path, text in wanted.files.items()
        if text is not None
    ]
    deletions = [{"path": path} for path, text in wanted.files.items() if text is None]
    return {
        "ref": {
            "repositoryId": held.node,
            "name": f"refs/heads/{wanted.branch}",
            "oid": held.head,
        },
        "commit": {
            "branch": {"repositoryNameWithOwner": held.slug, "branchName": wanted.branch},
            "expectedHeadOid": held.head,
            "message": {"headline": headline, "body": rest.strip()},
            "fileChanges": {"additions": additions, "deletions": deletions},
        },
        "pull": {
            "repositoryId": held.node,
            "headRefName": wanted.branch,
            "baseRefName": held.base,
            "title": wanted.title,
            "body": wanted.body,
            "draft": wanted.draft,
        },
    }


def _made(data: Part) -> Made:
    commit = data.part("createCommitOnBranch").part("commit").text("oid", OID)
    return Made(commit, data.part("createPullRequest").part("pullRequest").text("url", URL))

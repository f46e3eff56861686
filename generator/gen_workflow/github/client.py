"""The questions that a repository on GitHub is asked, and the changes that are made to it."""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gen_workflow.errors import Heading, UserError
from gen_workflow.github import by_rest, tokens
from gen_workflow.github.answer import OID, Foreign, flat
from gen_workflow.github.by_rest import Commit
from gen_workflow.github.connection import PATIENCE, Connection
from gen_workflow.github.handling import PLAIN, Handling
from gen_workflow.github.proposal import PullRequest, Since, is_marked
from gen_workflow.github.refusal import Refusal, Unknown
from gen_workflow.github.snapshot import URL, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_workflow.github.answer import Part
    from gen_workflow.github.proposal import Snapshot

_READ = "read the repository"
_COMMIT = """\
mutation Commit($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid signature { isValid } } }
}"""
_MERGE = """\
mutation Merge($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { clientMutationId }
}"""
MOVE = """\
mutation Move($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }"""


class Repository:
    """A repository on GitHub, read and changed with as few requests as possible.

    Every method raises a GenWorkflowError that says why GitHub refused and what to do, and
    refusal.Moved when the branch was changed meanwhile. `log` reports that a request is repeated.
    """

    def __init__(
        self,
        slug: str,
        token: str,
        api: str,
        log: Callable[[str], None],
        patience: float = PATIENCE,
    ) -> None:
        self._at = Connection(slug, token, api, log, patience)
        self._node = ""

    def close(self) -> None:
        """Close the connection."""
        self._at.close()

    def read(
        self, *, base: str, branch: str, paths: tuple[str, ...], handling: Handling = PLAIN
    ) -> Snapshot:
        """Return what the base and the branch hold of the paths, in one request.

        `base` is "" for the default branch. A file of over 500 kB costs one more request.
        """
        question = Question(base, branch, paths, handling)
        query, variables = question.document(self._at.slug)
        found, scopes = self._at.graphql(
            query,
            variables,
            _READ,
            lambda data, headers: (
                question.answered(data),
                headers.get("x-oauth-scopes"),
            ),
        )
        self._at.slug, self._node = found.slug, found.node
        if found.archived:
            raise self._at.refused(Refusal(403, "archived"), "write")
        self._check_token(found.login, scopes, paths)
        if found.snapshot is None:
            raise self._no_base(base)
        if found.blocker and found.snapshot.branch is None:
            raise self._blocked(branch, found.blocker)
        return found.snapshot.with_texts({oid: self._content(oid) for oid in found.cut})

    def since(self, found: Snapshot, paths: tuple[str, ...]) -> Since:
        """Return what happened since the branch left the base, in two requests."""
        branch = found.branch
        if branch is None:  # pragma: no cover - only a branch can have left
            return Since()
        doing = f"compare {branch.name} with {found.base.name}"
        between = f"compare/{found.base.head}...{branch.head}"
        left, theirs = self._at.rest("GET", between, doing, _compared)
        before = self._blobs(left, paths)
        changed = [path for path in paths if before.get(path) != found.base.blobs.get(path)]
        return Since(tuple(changed), theirs)

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

    def move_branch(self, name: str, *, before: str, after: str, draft: str = "") -> None:
        """Point a branch at another commit, unless it is no longer where it was.

        `draft` is a branch that is deleted in the same moment, or not at all.
        """
        moved = {"name": f"refs/heads/{name}", "beforeOid": before, "afterOid": after}
        updates: list[Mapping[str, Any]] = [{**moved, "force": True}]
        if draft:
            updates.append(deleted(draft))
        self._update(updates, f"move the branch {name}")

    def delete_branch(self, name: str) -> None:
        """Delete a branch."""
        self._update([deleted(name)], f"delete the branch {name}")

    def _update(self, updates: list[Mapping[str, Any]], doing: str) -> None:
        variables = {"input": {"repositoryId": self._node, "refUpdates": updates}}
        try:
            self._at.graphql(MOVE, variables, doing, lambda data, _: data.part("updateRefs"))
        except Unknown as error:
            # REST can move a branch too, but not only if it is still where it was read.
            name = f"{updates[0]['name']}".removeprefix("refs/heads/")
            hint = f"delete the branch {name} on GitHub, or give another one with --branch"
            raise UserError(error.what, hint=hint, anchor=Heading.OLD_SERVER) from None

    def commit(
        self,
        branch: str,
        *,
        onto: str,
        message: str,
        files: Mapping[str, bytes | None],
        executable: frozenset[str] = frozenset(),
    ) -> Commit:
        """Make one commit, signed by GitHub, on top of the commit that the branch must be at.

        A file without a content is removed. GraphQL makes every file one that cannot be executed,
        so a commit with another one goes over REST; so does all on a server that is too old.
        Source: https://github.com/babarot/gh-infra/pull/167.
        """
        if not executable & {path for path, content in files.items() if content is not None}:
            with suppress(Unknown):
                return self._signed(branch, onto, message, files)
        return by_rest.commit(
            self._at, branch, onto=onto, message=message, files=files, executable=executable
        )

    def _signed(
        self, branch: str, onto: str, message: str, files: Mapping[str, bytes | None]
    ) -> Commit:
        headline, _, rest = message.strip().partition("\n")
        additions = [
            {"path": path, "contents": base64.b64encode(content).decode()}
            for path, content in files.items()
            if content is not None
        ]
        deletions = [{"path": path} for path, content in files.items() if content is None]
        wanted = {
            "branch": {"repositoryNameWithOwner": self._at.slug, "branchName": branch},
            "expectedHeadOid": onto,
            "message": {"headline": headline, "body": rest.strip()},
            "fileChanges": {"additions": additions, "deletions": deletions},
        }
        return self._at.graphql(
            _COMMIT, {"input": wanted}, f"commit on {branch}", lambda data, _: _commit(data)
        )

    def begin(self, path: str, content: bytes, message: str) -> None:
        """Make the first commit of an empty repository, with one file, on its default branch.

        Only this request can: the others answer that the repository is empty. Source:
        https://github.com/abapGit/abapGit/pull/7390.
        """
        wanted = {"message": message, "content": base64.b64encode(content).decode()}
        self._at.rest(
            "PUT",
            f"contents/{quote(path)}",
            "make the first commit",
            lambda made: made.part("commit").text("sha", OID),
            wanted,
        )

    def reopen_pull_request(self, number: int) -> None:
        """Open a pull request again that was closed without a merge."""
        self._at.rest(
            "PATCH",
            f"pulls/{number}",
            f"reopen pull request {number}",
            lambda made: made.number("number"),
            {"state": "open"},
        )

    def label(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels to a pull request; GitHub makes those that the repository does not have."""
        self._at.rest(
            "POST",
            f"issues/{number}/labels",
            f"add labels to pull request {number}",
            lambda _: None,
            {"labels": list(labels)},
            kind=list,
        )

    def ask_for_review(self, number: int, users: tuple[str, ...], teams: tuple[str, ...]) -> None:
        """Ask people, and teams of the owner, to review a pull request."""
        self._at.rest(
            "POST",
            f"pulls/{number}/requested_reviewers",
            f"ask for a review of pull request {number}",
            lambda made: made.number("number"),
            {"reviewers": list(users), "team_reviewers": list(teams)},
        )

    def merge_when_it_may(self, pull: PullRequest, method: str) -> None:
        """Let GitHub merge a pull request as soon as its checks and reviews allow it."""
        self._at.graphql(
            _MERGE,
            {"input": {"pullRequestId": pull.node, "mergeMethod": method}},
            f"let GitHub merge pull request {pull.number}",
            lambda data, _: data.part("enablePullRequestAutoMerge"),
        )

    def open_pull_request(
        self, branch: str, *, base: str, title: str, body: str, draft: bool = False
    ) -> PullRequest:
        """Open a pull request."""
        wanted = {"base": base, "head": branch, "title": title, "body": body, "draft": draft}
        return self._at.rest(
            "POST",
            "pulls",
            f"open a pull request from {branch} into {base}",
            lambda made: PullRequest(
                made.number("number"), made.text("html_url", URL), body, made.text("node_id")
            ),
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

    def _content(self, oid: str) -> str:
        """Return the text of a file that is too long for GraphQL, which cuts it at 512,000 bytes.

        Source: https://github.com/sveltia/sveltia-cms/issues/950, and GitHub's page "Git blobs".
        """
        return self._at.rest("GET", f"git/blobs/{oid}", _READ, _decoded)

    def _blobs(self, commit: str, paths: tuple[str, ...]) -> dict[str, str]:
        """Return the object names of the files in a commit."""
        owner, repo = self._at.slug.split("/")
        variables = {"owner": owner, "repo": repo}
        asked = []
        for index, path in enumerate(paths):
            variables[f"file{index}"] = f"{commit}:{path}"
            asked.append(f"file{index}: object(expression: $file{index}) {{ oid }}")
        declared = ", ".join(f"${variable}: String!" for variable in variables)
        files = f"repository(owner: $owner, name: $repo) {{ {' '.join(asked)} }}"
        return self._at.graphql(
            f"query Files({declared}) {{ {files} }}",
            variables,
            _READ,
            lambda data, _: _oids(data.part("repository"), paths),
        )

    def _check_token(self, login: str, scopes: str | None, paths: tuple[str, ...]) -> None:
        """Raise UserError for a token that cannot write workflows, before anything is written."""
        if login == tokens.RUN_LOGIN:
            raise tokens.of_a_run(self._at.slug)
        if refusal := Refusal.of_scopes(scopes, paths):
            raise self._at.refused(refusal, "write")

    def _blocked(self, branch: str, blocker: str) -> Exception:
        what = f"{blocker}, and beside it git cannot have a branch {branch}"
        name = branch.replace("/", "-") if "/" in branch else f"{branch}-update"
        hint = f"give another name: --branch {name}"
        return UserError(what, where=self._at.slug, hint=hint, anchor=Heading.BRANCH)

    def _no_base(self, base: str) -> Exception:
        if not base:
            return self._at.refused(Refusal(409, "Git Repository is empty."), "make a branch")
        hint = "name a branch that exists with --base; without --base it is the default branch"
        what = f"there is no branch {base}"
        return UserError(what, where=self._at.slug, hint=hint, anchor=Heading.BRANCH)


def check_token(token: str) -> str:
    """Return the token; raises UserError when there is none, or when it cannot be one."""
    token = token.strip()
    if not token:
        hint = "export GH_TOKEN; with GitHub's own tool: GH_TOKEN=$(gh auth token)"
        what = "there is no token in GH_TOKEN or GITHUB_TOKEN"
        raise UserError(what, hint=hint, anchor=Heading.NO_TOKEN)
    if not (token.isascii() and token.isprintable()) or " " in token:
        hint = "set it again, as one word without spaces or line breaks"
        what = "holds characters that no token has"
        raise UserError(what, where="GH_TOKEN", hint=hint, anchor=Heading.NO_TOKEN)
    return token


def deleted(branch: str) -> dict[str, str]:
    """Return the update that deletes a branch; GitHub's own words for it are forty zeros."""
    return {"name": f"refs/heads/{branch}", "afterOid": "0" * 40}


def _compared(shown: Part) -> tuple[str, str]:
    """Return where a branch left its base, and a commit on it that gen-workflow did not make."""
    commits = shown.parts("commits")
    theirs = [one for one in commits if not _is_ours(one)]
    other = ""
    if theirs:
        headline = flat(theirs[0].part("commit").text("message").partition("\n")[0])
        other = f"{theirs[0].text('sha', OID)[:7]} ({headline})"
    elif len(commits) < shown.number("total_commits"):
        other = "one that GitHub does not list"
    return shown.part("merge_base_commit").text("sha", OID), other


def _is_ours(commit: Part) -> bool:
    """Tell whether `commit` made a commit: our last line, GitHub as the committer, one parent.

    Somebody who amends or rebases it keeps the line, and becomes the committer.
    """
    made = commit.part("commit")
    by = made.maybe("committer")  # git wants none, and GitHub shows what there is
    return (
        is_marked(made.text("message"))
        and by is not None
        and by.maybe("email") is not None
        and by.text("email").startswith("noreply@")
        and len(commit.parts("parents")) == 1
    )


def _decoded(shown: Part) -> str:
    if shown.text("encoding") != "base64":
        raise Foreign("a file that is not in base64")
    try:
        return base64.b64decode(shown.text("content")).decode(errors="replace")
    except ValueError:
        raise Foreign("a file that is not in base64") from None


def _oids(repository: Part, paths: tuple[str, ...]) -> dict[str, str]:
    blobs = {path: repository.maybe(f"file{index}") for index, path in enumerate(paths)}
    return {path: blob.text("oid", OID) for path, blob in blobs.items() if blob}


def _commit(data: Part) -> Commit:
    made = data.part("createCommitOnBranch").part("commit")
    signature = made.maybe("signature")
    return Commit(made.text("oid", OID), verified=bool(signature and signature.flag("isValid")))

"""The GraphQL fields that the server supports, executed against GitHub's published schema."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import graphql

from bed.github import checks, limits, owners, tags
from bed.github.state import NO_OID, Pull, Refused, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bed.github.state import Repository, Token

_PAGE = 100
_LONGEST = 512_000  # bytes of a text; see https://github.com/sveltia/sveltia-cms/issues/950
_BAD_PATH = re.compile(r"^/|/$|//|(^|/)\.{1,2}(/|$)|(^|/)\.git(/|$)|^$")


@dataclass(frozen=True)
class Executor:
    """Executes documents for one token; `count` is told what each costs before it is executed."""

    schema: graphql.GraphQLSchema
    find: Callable[[str], Repository]
    token: Token
    owned: Callable[[str], list[Repository]]
    count: Callable[[Mapping[str, int]], None]

    def execute(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return GitHub's answer. Raises Violation for anything that is not in its schema."""
        document = graphql.parse(query)
        if problems := graphql.validate(self.schema, document):
            raise Violation("; ".join(problem.message for problem in problems))
        try:
            self.count(limits.of_graphql(document, variables))
        except Refused as refused:
            if refused.status != 200:
                raise
            return {"errors": [{"type": refused.kind, "message": refused.message}]}
        root = {
            "repository": self._repository,
            "repositoryOwner": self._owner,
            "viewer": {"login": self.token.login},
            "createCommitOnBranch": self._create_commit,
            "updateRefs": self._update_refs,
            "createRef": self._create_ref,
            "createPullRequest": self._create_pull,
            "enablePullRequestAutoMerge": self._merge_by_itself,
        }
        done = graphql.execute_sync(
            self.schema,
            document,
            root_value=root,
            variable_values=variables,
            field_resolver=_resolve,
        )
        errors = [_told(error) for error in done.errors or ()]
        return {"data": done.data, **({"errors": errors} if errors else {})}

    def _repository(self, owner: str, name: str, **_: Any) -> dict[str, Any]:
        return Shown(self.find(f"{owner}/{name}")).repository()

    def _owner(self, login: str) -> dict[str, Any] | None:
        return owners.owner(login, self.owned(login), lambda one: Shown(one).repository())

    def _create_commit(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - GitHub's word
        repository = self.find(input["branch"]["repositoryNameWithOwner"])
        branch = input["branch"]["branchName"]
        changes = input.get("fileChanges") or {}
        add = {one["path"]: base64.b64decode(one["contents"]) for one in changes["additions"]}
        delete = [one["path"] for one in changes["deletions"]]
        self._check_commit(repository, branch, input["expectedHeadOid"], [*add, *delete])
        message = input["message"]
        text = f"{message['headline']}\n\n{message.get('body') or ''}".strip()
        made = repository.change(branch, add, delete=delete, message=text, author=self.token.login)
        repository.signed.add(made)
        shown = Shown(repository)
        return {
            "clientMutationId": input.get("clientMutationId"),
            "commit": shown.commit(made),
            "ref": shown.ref(f"refs/heads/{branch}"),
        }

    def _check_commit(
        self, repository: Repository, branch: str, expected: str, paths: Iterable[str]
    ) -> None:
        repository.check_writable(self.token)
        head = repository.git.head(branch)
        if head is None:
            raise Refused(200, f"No ref found for branch {branch}", kind="NOT_FOUND")
        if head != expected:
            said = f'Expected branch to point to "{expected}" but it did not.  Pull and try again.'
            raise Refused(200, said, kind="STALE_DATA")
        for path in paths:
            if _BAD_PATH.search(path):
                raise Refused(
                    200, f"A path was requested that is invalid: {path}", kind="ARGUMENT_ERROR"
                )
        self.token.check_workflows(paths)
        repository.check_rules("update")

    def _create_ref(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - GitHub's word
        repository, name = self.find(input["repositoryId"]), input["name"]
        repository.check_writable(self.token)
        repository.check_rules("creation")
        if repository.git.oid(name):
            said = f'A ref named "{name}" already exists in the repository.'
            raise Refused(200, said, kind="UNPROCESSABLE")
        if not repository.git.valid_ref(name) or repository.git.blocks(name):
            raise Refused(200, f"{name} is not a valid ref name.", kind="UNPROCESSABLE")
        repository.git.point(name, input["oid"], NO_OID)
        shown = Shown(repository)
        return {"clientMutationId": input.get("clientMutationId"), "ref": shown.ref(name)}

    def _create_pull(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - GitHub's word
        repository = self.find(input["repositoryId"])
        repository.check_writable(self.token)
        names = (input["headRefName"], input["baseRefName"])
        try:
            pull = repository.open_pull(
                *names,
                title=input["title"],
                body=input.get("body") or "",
                draft=bool(input.get("draft")),
            )
        except Refused as refused:
            said = "; ".join(one.get("message", one.get("field", "")) for one in refused.details)
            raise Refused(200, said, kind=refused.kind) from None
        shown = Shown(repository)
        return {
            "clientMutationId": input.get("clientMutationId"),
            "pullRequest": shown.pull(pull),
        }

    def _merge_by_itself(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - GitHub's word
        slug, _, number = input["pullRequestId"].removeprefix("PR_").rpartition("#")
        repository = self.find(slug)
        repository.check_writable(self.token)
        repository.merge_by_itself(int(number), input["mergeMethod"])
        return {"clientMutationId": input.get("clientMutationId")}

    def _update_refs(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - GitHub's word
        repository = self.find(input["repositoryId"])
        repository.check_writable(self.token)
        for update in input["refUpdates"]:
            before, after = update.get("beforeOid"), update["afterOid"]
            head = repository.git.oid(update["name"])
            if head is None and after == NO_OID:
                raise Refused(200, f"{update['name']} does not exist", kind="NOT_FOUND")
            if head is None:
                raise Violation("creating by updateRefs is not supported")
            if before and head != before:
                raise Refused(200, f"{update['name']} is not at {before}", kind="STALE_DATA")
            if after == NO_OID:
                repository.git.delete(update["name"])
                continue
            if not update["force"] and not repository.git.reaches(after, head):
                raise Refused(200, "Update is not a fast forward", kind="UNPROCESSABLE")
            repository.git.point(update["name"], after, head)
            repository.close_empty()
        return {"clientMutationId": input.get("clientMutationId")}


@dataclass(frozen=True)
class Shown:
    """A repository and its parts as GraphQL shows them."""

    of: Repository

    def repository(self) -> dict[str, Any]:
        """Return the fields of a Repository."""
        default = f"refs/heads/{self.of.default_branch}"
        return {
            "id": self.of.slug,
            "name": self.of.slug.split("/")[1],
            "nameWithOwner": self.of.slug,
            "isArchived": self.of.archived,
            "isEmpty": self.of.empty,
            "url": f"https://github.com/{self.of.slug}",
            "autoMergeAllowed": self.of.auto_merge,
            "mergeCommitAllowed": "MERGE" in self.of.merging,
            "squashMergeAllowed": "SQUASH" in self.of.merging,
            "rebaseMergeAllowed": "REBASE" in self.of.merging,
            "defaultBranchRef": lambda: self.ref(default),
            "ref": lambda **asked: self.ref(asked["qualifiedName"]),
            "object": self.object,
            "refs": self.refs,
            "releases": self.releases,
            "pullRequests": self.pull_requests,
            **owners.repository(self.of),
        }

    def refs(self, **asked: Any) -> dict[str, Any]:
        """Return a RefConnection of the refs below a prefix."""
        if asked["refPrefix"] == tags.TAGS:
            return tags.tags(self.of, asked, _count(asked))
        found = self.of.git.below(asked["refPrefix"])
        nodes = [self.ref(name) for name in found[: _count(asked)]]
        return {"nodes": nodes, "totalCount": len(found)}

    def releases(self, **asked: Any) -> dict[str, Any]:
        """Return a ReleaseConnection."""
        return tags.releases(self.of, _count(asked))

    def pull_requests(self, **asked: Any) -> dict[str, Any]:
        """Return a PullRequestConnection of pull requests by the name of their branch."""
        return self._listed(self.of.pulls_named, asked["headRefName"], asked)

    def ref(self, name: str) -> dict[str, Any] | None:
        """Return the fields of a Ref, None when there is none."""
        name = name if name.startswith("refs/") else f"refs/heads/{name}"
        if not self.of.git.valid_ref(name) or (oid := self.of.git.oid(name)) is None:
            return None
        short = name.removeprefix("refs/heads/")
        return {
            "id": f"REF_{name}",
            "name": short,
            "prefix": "refs/heads/",
            "target": lambda: self.commit(oid),
            "associatedPullRequests": lambda **asked: self.pulls(short, **asked),
        }

    def object(self, expression: str | None = None, oid: str | None = None) -> Any:
        """Return the fields of a GitObject, None when there is none."""
        git = self.of.git
        if (found := git.oid(expression or oid or "")) is None:
            return None
        kind = git.kind(found)
        if kind == "commit":
            return self.commit(found)
        shown: dict[str, Any] = {"__typename": kind.capitalize(), "id": found, "oid": found}
        if kind == "tree":
            shown["entries"] = [
                {"name": name, "type": of, "mode": mode, "oid": oid, "path": name}
                for mode, of, oid, name in git.entries(found)
            ]
        if kind == "blob":
            content = git.content(found)
            text = content[:_LONGEST].decode(errors="replace")
            shown.update(byteSize=len(content), text=text, isTruncated=len(content) > _LONGEST)
        return shown

    def commit(self, oid: str) -> dict[str, Any]:
        """Return the fields of a Commit."""
        git = self.of.git
        return {
            "__typename": "Commit",
            "id": oid,
            "oid": oid,
            "url": f"https://github.com/{self.of.slug}/commit/{oid}",
            "message": lambda: git.message(oid),
            "messageHeadline": lambda: git.message(oid).partition("\n")[0],
            "history": lambda **asked: self._history(oid, asked),
            "signature": self._signature() if oid in self.of.signed else None,
            **checks.of_a_commit(self.of, oid),
        }

    def _history(self, oid: str, asked: dict[str, Any]) -> dict[str, Any]:
        found = self.of.git.history(oid)
        return {"nodes": [self.commit(one) for one in found[: _count(asked)]]}

    def _signature(self) -> dict[str, Any]:
        return {
            "__typename": "GpgSignature",
            "isValid": True,
            "wasSignedByGitHub": True,
            "state": "VALID",
        }

    def pulls(self, branch: str, **asked: Any) -> dict[str, Any]:
        """Return a PullRequestConnection of the pull requests from a branch, newest first."""
        return self._listed(self.of.pulls_from, branch, asked)

    def _listed(
        self, find: Callable[[str, str], list[Pull]], branch: str, asked: dict[str, Any]
    ) -> dict[str, Any]:
        states = asked.get("states") or ("OPEN", "CLOSED", "MERGED")
        found = [one for state in states for one in find(branch, state)]
        found.sort(key=lambda one: -one.number)
        wanted = asked.get("baseRefName")
        nodes = [self.pull(one) for one in found if wanted in (None, one.base)]
        return {"nodes": nodes[: _count(asked)], "totalCount": len(nodes)}

    def pull(self, pull: Pull) -> dict[str, Any]:
        """Return the fields of a PullRequest."""
        return {
            "id": self.of.node_of(pull),
            "isDraft": pull.draft,
            "labels": lambda **asked: {
                "nodes": [{"name": one} for one in pull.labels[: _count(asked)]]
            },
            "reviewRequests": lambda **asked: _counted(len(pull.requested), asked),
            "reviews": lambda **asked: _counted(pull.reviews, asked),
            "autoMergeRequest": {"enabledAt": "2026-11-01T00:00:00Z"} if pull.merges else None,
            "number": pull.number,
            "title": pull.title,
            "body": pull.body,
            "url": f"https://github.com/{self.of.slug}/pull/{pull.number}",
            "merged": pull.merged,
            "state": pull.shown_state,
            "isCrossRepository": pull.fork,
            "headRefName": pull.head,
            "baseRefName": pull.base,
            "headRefOid": self.of.head_of(pull),
            "commits": lambda **_: {"nodes": [{"commit": self.commit(self.of.head_of(pull))}]},
        }


def _counted(total: int, asked: dict[str, Any]) -> dict[str, Any]:
    """Return a connection of which only the number is known."""
    _count(asked)
    return {"totalCount": total}


def _count(asked: dict[str, Any]) -> int:
    """Return how many are asked for. GitHub wants to know it."""
    count = asked.get("first") or asked.get("last")
    if count is None or not 0 < count <= _PAGE:
        said = "You must provide a `first` or `last` value to properly paginate"
        raise Refused(200, said, kind="MISSING_PAGINATION_BOUNDARIES")
    return int(count)


def _resolve(source: Any, info: graphql.GraphQLResolveInfo[Any], **asked: Any) -> Any:
    """Return a field of a mapping. Raises Violation for a field that is not supported."""
    if info.field_name not in source:
        raise Violation(f"{info.parent_type.name}.{info.field_name} is not supported")
    value = source[info.field_name]
    return value(**asked) if callable(value) else value


def _told(error: graphql.GraphQLError) -> dict[str, Any]:
    """Return an error with the text of GitHub. Raises Violation for an error it never has."""
    cause = error.original_error
    if not isinstance(cause, Refused):
        raise Violation(error.message)
    reported: dict[str, Any] = {"message": cause.message, "path": error.path}
    reported["locations"] = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    return {"type": cause.kind, **reported} if cause.kind else reported

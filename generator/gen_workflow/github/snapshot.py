"""The question about everything that an update has to know, and what its answer says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.github.answer import OID
from gen_workflow.github.proposal import Branch, PullRequest, Snapshot
from gen_workflow.github.remote import SLUG
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.github.answer import Part

URL = r"https?://[!-~]+"  # printable, without blanks
_NEWEST = 20  # commits, and pull requests, that are looked at

_PULLS = "{ nodes { number url body baseRefName headRefOid } }"
_BY_AGE = "orderBy: {field: CREATED_AT, direction: DESC}"
_BRANCH = f"""\
name target {{ oid ... on Commit {{ history(first: {_NEWEST}) {{ nodes {{ oid }} }} }} }}
open: associatedPullRequests(states: OPEN, first: {_NEWEST}) {_PULLS}
merged: associatedPullRequests(states: MERGED, first: 1, {_BY_AGE}) {_PULLS}"""
# The branch may be deleted, so these pull requests are looked for by its name. A fork may have a
# branch of the same name.
_PAST = f"""\
past: pullRequests(headRefName: $name, states: [CLOSED, MERGED], first: {_NEWEST}, {_BY_AGE}) {{
  nodes {{ url state baseRefName isCrossRepository }}
}}"""
_BLOB = "{ oid ... on Blob { text isTruncated } }"


class Found(NamedTuple):
    """What the answer says. The snapshot is None when there is no base.

    `cut` are the objects whose text is too long for GraphQL. `blocker` is what keeps the branch
    from being made: git has no branch `a/b` beside a branch `a`.
    """

    slug: str
    node: str
    archived: bool
    blocker: str
    snapshot: Snapshot | None
    cut: frozenset[str]


class Question(NamedTuple):
    """The question for a base ("" for the default branch), a branch, and paths in both."""

    base: str
    branch: str
    paths: tuple[str, ...]

    def document(self, slug: str) -> tuple[str, dict[str, str]]:
        """Return the query for a repository, and its variables.

        Names go only through variables, so that none of them can become a part of the query.
        """
        owner, name = slug.split("/")
        variables, parts = self._parts()
        variables |= {"owner": owner, "repo": name, "name": self.branch}
        found = "defaultBranchRef"
        if self.base:
            variables["base"] = f"refs/heads/{self.base}"
            found = "ref(qualifiedName: $base)"
        declared = ", ".join(f"${variable}: String!" for variable in variables)
        query = f"""\
query Read({declared}) {{
  repository(owner: $owner, name: $repo) {{
    id nameWithOwner isArchived
    base: {found} {{ name target {{ oid }} }}
    branch: ref(qualifiedName: $branch) {{ {_BRANCH} }}
    {_PAST}
    {" ".join(parts)}
  }}
}}"""
        return query, variables

    def _parts(self) -> tuple[dict[str, str], list[str]]:
        """Return the parts that depend on the names, and the variables that these need."""
        wanted = f"refs/heads/{self.branch}"
        variables = {"branch": wanted, "below": f"{wanted}/"}
        parts = ["below: refs(refPrefix: $below, first: 1) { nodes { name } }"]
        for index, above in enumerate(self._above()):
            variables[f"above{index}"] = f"refs/heads/{above}"
            parts.append(f"above{index}: ref(qualifiedName: $above{index}) {{ name }}")
        tops = {"base": f"refs/heads/{self.base}" if self.base else "HEAD", "branch": wanted}
        for side, index, path in self._files():
            variables[f"{side}{index}"] = f"{tops[side]}:{path}"
            parts.append(f"{side}{index}: object(expression: ${side}{index}) {_BLOB}")
        return variables, parts

    def answered(self, repository: Part) -> Found:
        """Return what the answer says; raises Foreign for one of another shape."""
        slug = repository.text("nameWithOwner", SLUG)
        blobs = [repository.maybe(f"{side}{i}") for side, i, _ in self._files()]
        cut = {one.text("oid", OID) for one in blobs if one and _is_cut(one)}
        return Found(
            slug,
            repository.text("id"),
            archived=repository.flag("isArchived"),
            blocker=self._blocker(repository),
            snapshot=self._snapshot(repository, slug) if repository.maybe("base") else None,
            cut=frozenset(cut),
        )

    def _above(self) -> list[str]:
        """Return the names that no branch may have beside ours: `a` and `a/b` of `a/b/c`."""
        parts = self.branch.split("/")
        return ["/".join(parts[:end]) for end in range(1, len(parts))]

    def _files(self) -> Iterator[tuple[str, int, str]]:
        """Yield each side with the number and the path of each file."""
        for side in ("base", "branch"):
            yield from ((side, index, path) for index, path in enumerate(self.paths))

    def _blocker(self, repository: Part) -> str:
        below = repository.maybe("below")  # null is in the schema
        if below and below.parts("nodes"):
            return f"there are branches {self.branch}/…"
        for index, above in enumerate(self._above()):
            if repository.maybe(f"above{index}"):
                return f"there is a branch {above}"
        return ""

    def _snapshot(self, repository: Part, slug: str) -> Snapshot:
        base = self._branch(repository, "base")
        past = [
            one
            for one in repository.part("past").parts("nodes")
            if one.text("baseRefName") == base.name and not one.flag("isCrossRepository")
        ]
        closed = past[0].text("url", URL) if past and past[0].text("state") == "CLOSED" else ""
        branch = repository.maybe("branch")
        if branch is None:
            return Snapshot(slug, base, closed=closed)
        pulls = branch.part("open").parts("nodes")
        ours = [one for one in pulls if one.text("baseRefName") == base.name]
        merged = [one.text("headRefOid", OID) for one in branch.part("merged").parts("nodes")]
        newest = branch.part("target").part("history").parts("nodes")
        return Snapshot(
            slug,
            base,
            self._branch(repository, "branch"),
            _pull(ours[0]) if ours else None,
            merged[0] if merged else "",
            closed,
            behind=base.head not in [one.text("oid", OID) for one in newest],
        )

    def _branch(self, repository: Part, side: str) -> Branch:
        shown = repository.part(side)
        oids, texts = {}, {}
        for index, path in enumerate(self.paths):
            if blob := repository.maybe(f"{side}{index}"):
                oids[path] = blob.text("oid", OID)
                texts[path] = blob.text("text") if blob.maybe("text") else ""
        return Branch(shown.text("name"), shown.part("target").text("oid", OID), oids, texts)


def _is_cut(blob: Part) -> bool:
    return blob.maybe("isTruncated") is not None and blob.flag("isTruncated")


def _pull(shown: Part) -> PullRequest:
    body = shown.text("body") if shown.maybe("body") else ""
    return PullRequest(shown.number("number"), shown.text("url", URL), body)

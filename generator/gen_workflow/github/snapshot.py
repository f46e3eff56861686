"""The question about everything that an update has to know, and what its answer says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen_workflow.github.answer import OID
from gen_workflow.github.handling import PLAIN, Handling
from gen_workflow.github.proposal import Branch, PullRequest, Snapshot
from gen_workflow.github.remote import SLUG
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.github.answer import Part

URL = r"https?://[!-~]+"  # printable, without blanks
_NEWEST = 20  # commits, and pull requests, that are looked at

_PULL = "number url body id baseRefName headRefOid"
_BY_AGE = "orderBy: {field: CREATED_AT, direction: DESC}"
_BRANCH = f"""\
name target {{ oid ... on Commit {{ history(first: {_NEWEST}) {{ nodes {{ oid }} }} }} }}
open: associatedPullRequests(states: OPEN, first: {_NEWEST}) {{ nodes {{ {_PULL} %s }} }}
merged: associatedPullRequests(states: MERGED, first: 1, {_BY_AGE}) {{ nodes {{ {_PULL} }} }}"""
# What is asked of an open pull request, and of the repository, for each part of a handling.
_LABELS = "labels(first: 100) { nodes { name } }"
_ASKED = "reviewRequests(first: 1) { totalCount } reviews(first: 1) { totalCount }"
_MERGES = "autoMergeRequest { enabledAt }"
_MERGING = "autoMergeAllowed mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed"
# The ways to merge, by the field that allows each; the first that is allowed is taken.
_METHODS = {
    "mergeCommitAllowed": "MERGE", "squashMergeAllowed": "SQUASH", "rebaseMergeAllowed": "REBASE",
}  # fmt: skip
# The branch may be deleted, so these pull requests are looked for by its name. A fork may have a
# branch of the same name.
_PAST = f"""\
past: pullRequests(headRefName: $name, states: [CLOSED, MERGED], first: {_NEWEST}, {_BY_AGE}) {{
  nodes {{ {_PULL} state isCrossRepository }}
}}"""
_BLOB = "{ oid ... on Blob { text isTruncated } }"
_TREE = "{ ... on Tree { entries { name mode } } }"
_EXECUTABLE = 0o100755


class Found(NamedTuple):
    """What the answer says. The snapshot is None when there is no base.

    `cut` are the objects whose text is too long for GraphQL. `blocker` is what keeps the branch
    from being made: git has no branch `a/b` beside a branch `a`. `login` is as whom the token acts.
    """

    slug: str
    node: str
    login: str
    archived: bool
    blocker: str
    snapshot: Snapshot | None
    cut: frozenset[str]


class Question(NamedTuple):
    """The question for a base ("" for the default branch), a branch, and paths in both.

    Modes are asked by folder, because an old server knows of no other way.
    """

    base: str
    branch: str
    paths: tuple[str, ...]
    handling: Handling = PLAIN

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
  viewer {{ login }}
  repository(owner: $owner, name: $repo) {{
    id nameWithOwner isArchived isEmpty {_MERGING if self.handling.merges else ""}
    base: {found} {{ name target {{ oid }} }}
    branch: ref(qualifiedName: $branch) {{ {_BRANCH % self._of_a_pull()} }}
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
        for side in ("base", "branch"):
            for index, folder in enumerate(self._folders()):
                variables[f"{side}Folder{index}"] = f"{tops[side]}:{folder}"
                place = f"object(expression: ${side}Folder{index})"
                parts.append(f"{side}Folder{index}: {place} {_TREE}")
        return variables, parts

    def _of_a_pull(self) -> str:
        """Return what is asked of an open pull request for the handling alone."""
        asked = (
            (self.handling.labels, _LABELS),
            (self.handling.reviewers, _ASKED),
            (self.handling.merges, _MERGES),
        )
        return " ".join(fields for wanted, fields in asked if wanted)

    def _folders(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(path.rpartition("/")[0] for path in self.paths))

    def answered(self, data: Part) -> Found:
        """Return what the answer says; raises Foreign for one of another shape."""
        repository = data.part("repository")
        slug = repository.text("nameWithOwner", SLUG)
        blobs = [repository.maybe(f"{side}{i}") for side, i, _ in self._files()]
        cut = {one.text("oid", OID) for one in blobs if one and _is_cut(one)}
        return Found(
            slug,
            repository.text("id"),
            data.part("viewer").text("login"),
            archived=repository.flag("isArchived"),
            blocker=self._blocker(repository),
            snapshot=self._whole(repository, slug),
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

    def _whole(self, repository: Part, slug: str) -> Snapshot | None:
        if repository.maybe("base"):
            return self._snapshot(repository, slug)
        empty = not self.base and repository.flag("isEmpty")
        return Snapshot(slug, Branch("", "", {}), empty=True) if empty else None

    def _snapshot(self, repository: Part, slug: str) -> Snapshot:
        base = self._branch(repository, "base")
        past = [
            one
            for one in repository.part("past").parts("nodes")
            if one.text("baseRefName") == base.name and not one.flag("isCrossRepository")
        ]
        closed = _pull(past[0]) if past and past[0].text("state") == "CLOSED" else None
        merging = self._merging(repository)
        branch = repository.maybe("branch")
        if branch is None:
            return Snapshot(slug, base, closed=closed, merging=merging)
        pulls = branch.part("open").parts("nodes")
        ours = [one for one in pulls if one.text("baseRefName") == base.name]
        merged = [one.text("headRefOid", OID) for one in branch.part("merged").parts("nodes")]
        newest = branch.part("target").part("history").parts("nodes")
        return Snapshot(
            slug,
            base,
            self._branch(repository, "branch"),
            self._handled(ours[0]) if ours else None,
            merged[0] if merged else "",
            closed,
            merging,
            behind=base.head not in [one.text("oid", OID) for one in newest],
        )

    def _merging(self, repository: Part) -> str:
        """Return the way in which GitHub may merge by itself; empty when it may not."""
        if not self.handling.merges or not repository.flag("autoMergeAllowed"):
            return ""
        return next((way for field, way in _METHODS.items() if repository.flag(field)), "")

    def _handled(self, shown: Part) -> PullRequest:
        """Return an open pull request with what the handling needs to know."""
        wanted, found = self.handling, _pull(shown)
        names = shown.part("labels").parts("nodes") if wanted.labels else []
        asked = ("reviewRequests", "reviews") if wanted.reviewers else ()
        return replace(
            found,
            labels=tuple(one.text("name") for one in names),
            asked=any(shown.part(kind).number("totalCount") for kind in asked),
            merges=wanted.merges and shown.maybe("autoMergeRequest") is not None,
        )

    def _executable(self, repository: Part, side: str) -> frozenset[str]:
        found = set()
        for index, folder in enumerate(self._folders()):
            tree = repository.maybe(f"{side}Folder{index}")
            entries = tree.parts("entries") if tree and tree.maybe("entries") else []
            names = (one.text("name") for one in entries if one.number("mode") == _EXECUTABLE)
            found |= {f"{folder}/{name}" if folder else name for name in names}
        return frozenset(found.intersection(self.paths))

    def _branch(self, repository: Part, side: str) -> Branch:
        shown = repository.part(side)
        oids, texts = {}, {}
        for index, path in enumerate(self.paths):
            if blob := repository.maybe(f"{side}{index}"):
                oids[path] = blob.text("oid", OID)
                texts[path] = blob.text("text") if blob.maybe("text") else ""
        executable = self._executable(repository, side)
        head = shown.part("target").text("oid", OID)
        return Branch(shown.text("name"), head, oids, texts, executable)


def _is_cut(blob: Part) -> bool:
    return blob.maybe("isTruncated") is not None and blob.flag("isTruncated")


def _pull(shown: Part) -> PullRequest:
    body = shown.text("body") if shown.maybe("body") else ""
    number, url, node = shown.number("number"), shown.text("url", URL), shown.text("id")
    return PullRequest(number, url, body, node, shown.text("headRefOid", OID))

"""Reads what many repositories hold, a hundred of them in one request.

Nothing is downloaded that a name of git can answer: a listing of a folder says which object each of
its files is. Only texts that are needed are read, such as that of a workflow that differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.fleet import batches
from gen_workflow.fleet.batches import Variables
from gen_workflow.fleet.listing import TOP, Entry, Listing
from gen_workflow.github.answer import OID
from gen_workflow.github.remote import SLUG
from gen_workflow.github.snapshot import URL
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gen_workflow.github.answer import Part
    from gen_workflow.github.connection import Connection

AT_ONCE = 100  # repositories in a request; GitHub gives up after ten seconds
_DOING = "read the repositories of the fleet"
# The branch may be deleted, so a pull request that was closed is looked for by its name.
_PAST = """\
past: pullRequests(
  headRefName: $name, states: [CLOSED, MERGED], first: 5,
  orderBy: {field: CREATED_AT, direction: DESC}
) { nodes { url state baseRefName isCrossRepository } }"""
_PULL = "associatedPullRequests(states: OPEN, first: 1) { nodes { number url baseRefName } }"
_ABOUT = f"""\
fragment About on Repository {{
  id nameWithOwner isArchived
  base: defaultBranchRef {{ name target {{ oid }} }}
  branch: ref(qualifiedName: $branch) {{ target {{ oid }} {_PULL} }}
  {_PAST}
}}"""
_TREE = "... on Tree { entries { name type mode oid } }"
_BLOB = "... on Blob { text isTruncated }"


class Asked(NamedTuple):
    """What one repository is asked for: folders and texts, by their paths in the two branches."""

    slug: str
    folders: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()  # folders on our branch


class Held(NamedTuple):
    """What GitHub holds of a repository, as far as it was asked for.

    `slug` is its name today. `head` is the commit of the default branch `base`; both are empty in a
    repository without commits. `branch` is the commit of our branch, `pull` the address of its open
    pull request. `folders` and `texts` are None where there is nothing. `scopes` are those of the
    token, which only a classic one has; `login` is as whom it acts. `closed` is the address of the
    last pull request, when it was closed without a merge.
    """

    slug: str
    node: str
    archived: bool
    base: str
    head: str
    branch: str
    pull: str
    folders: Mapping[str, Mapping[str, Entry] | None]
    texts: Mapping[str, bytes | None]
    ours: Mapping[str, Mapping[str, Entry] | None]
    scopes: str | None = None
    closed: str = ""
    login: str = ""

    @property
    def listing(self) -> Listing:
        """The files of the default branch, as far as they are known."""
        return Listing(self.slug, self.folders, self.texts)

    def with_more(self, other: Held) -> Held:
        """Return it with what a later answer adds; that one is newer."""
        folders, texts = {**self.folders, **other.folders}, {**self.texts, **other.texts}
        return other._replace(folders=folders, texts=texts, ours={**self.ours, **other.ours})


def read(
    connection: Connection,
    asked: Sequence[Asked],
    branch: str,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Held | None]:
    """Return what each repository holds, in their order; None for one that cannot be seen.

    A request that is too much for GitHub is asked again in two halves. `progress` is told how many
    repositories were read with each answer.
    """
    return batches.read(asked, AT_ONCE, lambda some: _ask(connection, some, branch), progress)


def _ask(connection: Connection, batch: Sequence[Asked], branch: str) -> list[Held | None]:
    names = Variables({"branch": f"refs/heads/{branch}", "name": branch})
    parts = [_question(index, one, names, branch) for index, one in enumerate(batch)]
    asked = "\n".join(("viewer { login }", *parts))
    query = f"query Fleet({names.declared}) {{\n{asked}\n}}\n{_ABOUT}"

    def held(data: Part, headers: Mapping[str, str]) -> list[Held | None]:
        shown = [data.maybe(f"r{index}") for index in range(len(batch))]
        found = (one and _held(one, asked) for one, asked in zip(shown, batch, strict=True))
        scopes, login = headers.get("x-oauth-scopes"), data.part("viewer").text("login")
        return [one._replace(scopes=scopes, login=login) if one else None for one in found]

    return connection.graphql(query, names.values, _DOING, held, partial=True)


def _question(index: int, asked: Asked, names: Variables, branch: str) -> str:
    owner, name = asked.slug.split("/")
    parts = ["...About"]
    for kind, ref, paths, fields in (
        ("folder", "HEAD", asked.folders, _TREE),
        ("text", "HEAD", asked.texts, _BLOB),
        ("our", f"refs/heads/{branch}", asked.ours, _TREE),
    ):
        for number, path in enumerate(paths):
            place = names.of(f"{ref}:{'' if path == TOP else path}")
            parts.append(f"{kind}{number}: object(expression: {place}) {{ {fields} }}")
    whose = f"owner: {names.of(owner)}, name: {names.of(name)}"
    return f"r{index}: repository({whose}) {{ {' '.join(parts)} }}"


def _held(shown: Part, asked: Asked) -> Held:
    base, branch = shown.maybe("base"), shown.maybe("branch")
    name = base.text("name") if base else ""
    return Held(
        slug=shown.text("nameWithOwner", SLUG),
        node=shown.text("id"),
        archived=shown.flag("isArchived"),
        base=name,
        head=_commit(base),
        branch=_commit(branch),
        pull=_pull(branch, name),
        folders={path: _listed(shown, f"folder{n}") for n, path in enumerate(asked.folders)},
        texts={path: _text(shown, f"text{n}") for n, path in enumerate(asked.texts)},
        ours={path: _listed(shown, f"our{n}") for n, path in enumerate(asked.ours)},
        closed=_closed(shown, name),
    )


def _commit(ref: Part | None) -> str:
    return ref.part("target").text("oid", OID) if ref else ""


def _pull(branch: Part | None, base: str) -> str:
    nodes = branch.part("associatedPullRequests").parts("nodes") if branch else []
    return next((one.text("url", URL) for one in nodes if one.text("baseRefName") == base), "")


def _closed(shown: Part, base: str) -> str:
    past = [
        one
        for one in shown.part("past").parts("nodes")
        if one.text("baseRefName") == base and not one.flag("isCrossRepository")
    ]
    return past[0].text("url", URL) if past and past[0].text("state") == "CLOSED" else ""


def _listed(shown: Part, name: str) -> dict[str, Entry] | None:
    tree = shown.maybe(name)
    if tree is None or tree.maybe("entries") is None:
        return None
    return {
        one.text("name"): Entry(
            one.text("oid", OID), is_folder=one.text("type") == "tree", mode=one.number("mode")
        )
        for one in tree.parts("entries")
    }


def _text(shown: Part, name: str) -> bytes | None:
    blob = shown.maybe(name)
    if blob is None or blob.maybe("text") is None:
        return None
    cut = blob.maybe("isTruncated") is not None and blob.flag("isTruncated")
    return None if cut else blob.text("text").encode()

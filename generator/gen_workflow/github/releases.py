"""Asks GitHub for the releases, tags and branches of the repositories of actions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gen_workflow.github.answer import OID, Foreign
from gen_workflow.github.connection import Connection
from gen_workflow.github.refusal import TooMuch
from gen_workflow.github.remote import SLUG
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.versions import version
from gen_workflow.uses.releases import Known, Release, exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gen_workflow.github.answer import Part
    from gen_workflow.pins.reference import Reference

_AT_ONCE = 20  # repositories in a request; GitHub gives up after ten seconds
_PAGES = 10  # of 100 tags; what is pinned is nearly always on the first
_DOING = "read the releases of actions"
_COMMIT = "... on Commit { oid committedDate }"
# A tag with a message is an object of its own, which can in turn be tagged.
_TARGET = f"""\
target {{ __typename {_COMMIT} ... on Tag {{ tagger {{ date }}
  target {{ __typename {_COMMIT} ... on Tag {{ target {{ __typename {_COMMIT} }} }} }}
}} }}"""
_TAGS = f"""\
refs(refPrefix: "refs/tags/", first: 100, after: $after%d,
  orderBy: {{field: TAG_COMMIT_DATE, direction: DESC}}) {{
  nodes {{ name {_TARGET} }} pageInfo {{ hasNextPage endCursor }}
}}"""
_RELEASES = """\
releases(first: 100, orderBy: {field: CREATED_AT, direction: DESC}) {
  nodes { tagName isDraft isPrerelease publishedAt }
}"""


class _Tag(NamedTuple):
    name: str
    commit: str
    made: float  # in seconds since 1970


class _Repository:
    """What was asked and found of one repository; `after` is the page of tags that is next."""

    def __init__(self, slug: str, refs: Iterable[str]) -> None:
        self.slug = slug
        self.refs = sorted(set(refs))
        self.after: str | None = None
        self.name = ""
        self.archived = False
        self.tags: list[_Tag] = []
        self.branches: set[str] = set()
        self.published: dict[str, float] = {}
        self.early: set[str] = set()

    @property
    def names(self) -> list[str]:
        """What is pinned and is no commit: it may be a branch."""
        return [ref for ref in self.refs if len(ref) not in (40, 64)]

    @property
    def unexplained(self) -> bool:
        """Whether what is pinned is not among the tags that were read, and there are more."""
        seen = {tag.name for tag in self.tags} | {tag.commit for tag in self.tags} | self.branches
        return self.after is not None and not {ref.lower() for ref in self.refs} <= {
            one.lower() for one in seen
        }

    def known(self) -> Known:
        """Return what was found."""
        tags = {tag.name: tag.commit for tag in self.tags}
        releases = exact(self._releases())
        return Known(self.name, releases, tags, frozenset(self.branches), archived=self.archived)

    def _releases(self) -> Iterator[Release]:
        for tag in self.tags:
            if meant := version(tag.name):
                # A date of a commit is what its author says; a release cannot be dated back.
                published = max(tag.made, self.published.get(tag.name, 0.0))
                yield Release(meant, tag.commit, published, tag.name in self.early)


def ask(
    wanted: Iterable[Reference], token: str, api: str, log: Callable[[str], None]
) -> dict[str, Known]:
    """Return what GitHub knows, by the names of repositories in small letters.

    One request is for up to twenty repositories; more follow only for those with so many tags that
    what is pinned is not among the newest hundred. Repositories that do not exist are left out.
    """
    refs: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for meant in wanted:
        refs.setdefault(meant.key, []).append(meant.ref)
        names.setdefault(meant.key, meant.repository)
    asked = {key: _Repository(names[key], found) for key, found in refs.items()}
    connection = Connection("", token, api, log)
    try:
        todo = list(asked.values())
        for _ in range(_PAGES):
            for begin in range(0, len(todo), _AT_ONCE):
                _read_all(connection, todo[begin : begin + _AT_ONCE])
            todo = [one for one in todo if one.unexplained]
    finally:
        connection.close()
    return {key: one.known() for key, one in asked.items() if one.name}


def _read_all(connection: Connection, batch: list[_Repository]) -> None:
    """Read a batch in one request; in two halves when that is too much for GitHub."""
    try:
        _read(connection, batch)
    except TooMuch:
        if len(batch) == 1:
            raise
        half = len(batch) // 2
        _read_all(connection, batch[:half])
        _read_all(connection, batch[half:])


def _read(connection: Connection, batch: list[_Repository]) -> None:
    """Read a page of the tags of some repositories, and with the first page all the rest."""
    variables: dict[str, str | None] = {}
    parts = [_part(index, one, variables) for index, one in enumerate(batch)]
    declared = ", ".join(f"${name}: {_kind(name)}" for name in variables)
    query = f"query Releases({declared}) {{\n{chr(10).join(parts)}\n}}"

    def note(data: Part, _: object) -> None:
        for index, one in enumerate(batch):
            if found := data.maybe(f"r{index}"):
                _note(one, found)
            else:
                one.after = None

    connection.graphql(query, variables, _DOING, note, partial=True)


def _kind(variable: str) -> str:
    return "String" if variable.startswith("after") else "String!"


def _part(index: int, one: _Repository, variables: dict[str, str | None]) -> str:
    """Return the question for one repository; names go only through variables."""
    owner, name = one.slug.split("/")
    variables |= {f"owner{index}": owner, f"name{index}": name, f"after{index}": one.after}
    asked = ["nameWithOwner isArchived", _TAGS % index]
    if one.after is None:
        asked.append(_RELEASES)
        for number, ref in enumerate(one.names):
            variables[f"ref{index}x{number}"] = f"refs/heads/{ref}"
            asked.append(f"head{number}: ref(qualifiedName: $ref{index}x{number}) {{ name }}")
    return f"r{index}: repository(owner: $owner{index}, name: $name{index}) {{ {' '.join(asked)} }}"


def _note(one: _Repository, found: Part) -> None:
    if not one.name:
        for shown in found.part("releases").parts("nodes"):
            _note_release(one, shown)
        for number, ref in enumerate(one.names):
            if found.maybe(f"head{number}"):
                one.branches.add(ref)
    one.name = found.text("nameWithOwner", SLUG)
    one.archived = found.flag("isArchived")
    tags = found.part("refs")
    one.tags += filter(None, map(_tag, tags.parts("nodes")))
    page = tags.part("pageInfo")
    one.after = page.text("endCursor") if page.flag("hasNextPage") else None


def _note_release(one: _Repository, shown: Part) -> None:
    tag = shown.text("tagName")
    if shown.flag("isPrerelease") or shown.flag("isDraft"):
        one.early.add(tag)
    if shown.maybe("publishedAt"):
        one.published[tag] = _time(shown, "publishedAt")


def _tag(shown: Part) -> _Tag | None:
    """Return a tag with the commit that it leads to; None for one of a tree or of a file."""
    at, made = shown.part("target"), 0.0
    while at.text("__typename") == "Tag":
        tagger = at.maybe("tagger")
        if tagger and tagger.maybe("date"):
            made = max(made, _time(tagger, "date"))
        inner = at.maybe("target")
        if inner is None:
            return None
        at = inner
    if at.text("__typename") != "Commit":
        return None
    made = max(made, _time(at, "committedDate"))
    return _Tag(shown.text("name"), at.text("oid", OID), made)


def _time(shown: Part, name: str) -> float:
    """Return a time in seconds since 1970."""
    said = shown.text(name)
    try:
        return datetime.fromisoformat(said.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise Foreign(f"JSON with the time {said[:40]!r} at {shown.path} > {name}") from None

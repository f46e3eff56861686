"""Tags and releases as GraphQL shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bed.github.state import Refused, Violation

if TYPE_CHECKING:
    from bed.github.state import Release, Repository

TAGS = "refs/tags/"


def tags(of: Repository, asked: dict[str, Any], count: int) -> dict[str, Any]:
    """Return a page of a RefConnection of tags, those of the newest commits first."""
    order = asked.get("orderBy") or {}
    if order != {"field": "TAG_COMMIT_DATE", "direction": "DESC"}:
        raise Violation("another order of tags is not supported")
    commits = {name: _commit(of, name) for name in of.git.below(TAGS)}
    dates = {commit: of.git.date(commit) for commit in set(commits.values())}
    names = sorted(commits, key=lambda name: (dates[commits[name]], name), reverse=True)
    begin = _begin(asked.get("after"))
    end = begin + count
    page = {"hasNextPage": end < len(names), "endCursor": f"{end}" if names else None}
    nodes = [tag(of, name) for name in names[begin:end]]
    return {"nodes": nodes, "totalCount": len(names), "pageInfo": page}


def tag(of: Repository, name: str) -> dict[str, Any]:
    """Return the fields of the Ref of a tag."""
    target = of.git.oid(name) or ""
    return {"name": name.removeprefix(TAGS), "prefix": TAGS, "target": _target(of, target)}


def releases(of: Repository, count: int) -> dict[str, Any]:
    """Return a ReleaseConnection."""
    return {"nodes": [_release(one) for one in of.releases[:count]]}


def _release(shown: Release) -> dict[str, Any]:
    return {
        "tagName": shown.tag,
        "isDraft": shown.published is None,
        "isPrerelease": shown.prerelease,
        "publishedAt": shown.published,
    }


def _target(of: Repository, oid: str) -> dict[str, Any]:
    kind = of.git.kind(oid)
    shown: dict[str, Any] = {"__typename": kind.capitalize(), "oid": oid}
    if kind == "tag":
        tagger = {"date": lambda: of.git.date(oid)}
        shown.update(tagger=tagger, target=lambda: _target(of, of.git.tagged(oid)))
    if kind == "commit":
        shown.update(committedDate=lambda: of.git.date(oid))
    return shown


def _commit(of: Repository, name: str) -> str:
    found = of.git.oid(f"{name}^{{commit}}")
    return found or of.git.head(of.default_branch) or ""


def _begin(after: str | None) -> int:
    if after is not None and not after.isdigit():
        said = f"`{after}` does not appear to be a valid cursor."
        raise Refused(200, said, kind="INVALID_CURSOR_ARGUMENTS")
    return int(after or 0)

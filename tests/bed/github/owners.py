"""The repositories of an owner as GraphQL and REST list them.

Sources: GitHub's GraphQL schema for the arguments; its page "Classifying your repository with
topics" for the 20 topics; its OpenAPI description for the custom properties, which GraphQL lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bed.github.state import Refused, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bed.github.state import Repository

_PAGE = 100
_TOPICS = 20
_BY_NAME = {"field": "NAME", "direction": "ASC"}


def owner(
    login: str, ones: Iterable[Repository], shown: Callable[[Repository], Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Return the fields of a RepositoryOwner; None for one that has no repository here."""
    owned = sorted(ones, key=lambda one: one.slug.lower())
    if not owned:
        return None

    def listed(**asked: Any) -> dict[str, Any]:
        if asked.get("ownerAffiliations") != ["OWNER"] or asked.get("orderBy") != _BY_NAME:
            raise Violation("another order, or other affiliations, are not supported")
        fit = [one for one in owned if _fits(one, asked)]
        return _page([shown(one) for one in fit], asked)

    return {"__typename": "Organization", "login": login, "repositories": listed}


def repository(of: Repository) -> dict[str, Any]:
    """Return the fields of a Repository by which it is selected."""
    return {
        "isFork": of.fork,
        "primaryLanguage": {"name": of.language} if of.language else None,
        "repositoryTopics": lambda **asked: _topics(of, asked),
    }


def properties(ones: Iterable[Repository], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a page of the custom properties of an organisation's repositories."""
    size, number = int(query.get("per_page", "30")), int(query.get("page", "1"))
    owned = sorted(ones, key=lambda one: one.slug.lower())
    return [
        {
            "repository_id": 1 + index,
            "repository_name": one.slug.partition("/")[2],
            "repository_full_name": one.slug,
            "properties": [
                {"property_name": name, "value": value} for name, value in one.properties.items()
            ],
        }
        for index, one in enumerate(owned[(number - 1) * size : number * size])
    ]


def _fits(of: Repository, asked: Mapping[str, Any]) -> bool:
    wanted = ((asked.get("isArchived"), of.archived), (asked.get("isFork"), of.fork))
    return all(one in (None, other) for one, other in wanted)


def _topics(of: Repository, asked: Mapping[str, Any]) -> dict[str, Any]:
    assert len(of.topics) <= _TOPICS, "GitHub refuses more topics"
    nodes = [{"topic": {"name": one}} for one in of.topics[: asked["first"]]]
    return {"nodes": nodes, "totalCount": len(of.topics)}


def _page(nodes: list[Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    count, after = asked.get("first"), asked.get("after")
    if count is None or not 0 < count <= _PAGE:
        said = "You must provide a `first` or `last` value to properly paginate"
        raise Refused(200, said, kind="MISSING_PAGINATION_BOUNDARIES")
    begin = int(after.removeprefix("cursor-")) if after else 0
    end = begin + count
    page = {
        "hasNextPage": end < len(nodes),
        "endCursor": f"cursor-{min(end, len(nodes))}" if nodes else None,
    }
    return {"nodes": nodes[begin:end], "totalCount": len(nodes), "pageInfo": page}

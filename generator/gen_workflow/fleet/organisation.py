"""Lists the repositories of an owner on GitHub, a hundred in a request.

All of them are listed, and the selections of the file are applied here. GitHub's search would list
only those that fit, but never more than 1,000, and what its index has not seen yet is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from gen_workflow.errors import Heading, Problem, SpecError
from gen_workflow.fleet.selection import Found
from gen_workflow.github.remote import SLUG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gen_workflow.fleet.roster import Roster
    from gen_workflow.fleet.selection import Selection
    from gen_workflow.github.answer import Part
    from gen_workflow.github.connection import Connection

_PAGE = 100  # repositories; GitHub gives no more
# A repository has 20 topics at most: GitHub's page "Classifying your repository with topics".
_FIELDS = """\
nameWithOwner isArchived isFork primaryLanguage { name }
repositoryTopics(first: 20) { nodes { topic { name } } }"""
_BY_NAME = "ownerAffiliations: [OWNER], orderBy: {field: NAME, direction: ASC}"


def complete(
    roster: Roster, connection: Connection, source: str, log: Callable[[str], None]
) -> Roster:
    """Return the fleet with what its selections find; `log` is told how many each finds.

    Raises SpecError for an owner that GitHub does not show.
    """
    listed: dict[str, list[Found]] = {}
    for selection in roster.selections:
        owner = selection.owner.lower()
        if owner not in listed:
            ones = [one for one in roster.selections if one.owner.lower() == owner]
            listed[owner] = _listed(connection, ones, source)
        fit = sum(map(selection.fits, listed[owner]))
        line = selection.where.mark.line if selection.where else 1
        shown = len(listed[owner])
        log(f"{source}:{line} selects {fit} of the {shown} repositories of {selection.owner}")
        roster = roster.selected(selection, listed[owner])
    return roster


def _listed(connection: Connection, selections: Sequence[Selection], source: str) -> list[Found]:
    """Return the repositories of one owner, with what these selections ask of them."""
    files = tuple(dict.fromkeys(path for one in selections for path in one.has))
    query, variables = _question(selections, files)
    doing = f"list the repositories of {selections[0].owner}"
    connection.slug = selections[0].owner
    found: list[Found] = []
    after: str | None = ""
    while after is not None:
        variables["after"] = after or None
        page, after = connection.graphql(
            query, variables, doing, lambda data, _: _page(data, files), partial=True
        )
        if page is None:
            raise _no_owner(selections[0], source)
        found += page
    if any(one.properties for one in selections):
        known = _properties(connection, selections[0].owner)
        found = [one._replace(properties=known.get(one.slug.lower(), {})) for one in found]
    return found


def _question(
    selections: Sequence[Selection], files: Sequence[str]
) -> tuple[str, dict[str, str | None]]:
    """Return the query for a page of an owner's repositories, and its variables."""
    variables: dict[str, str | None] = {"owner": selections[0].owner}
    variables |= {f"file{index}": f"HEAD:{path}" for index, path in enumerate(files)}
    declared = "".join(f"${name}: String!, " for name in variables)
    paths = [f"file{n}: object(expression: $file{n}) {{ oid }}" for n, _ in enumerate(files)]
    archived = "" if any(one.archived for one in selections) else "isArchived: false, "
    forks = "" if any(one.forks for one in selections) else "isFork: false, "
    query = f"""\
query Repositories({declared}$after: String) {{
  repositoryOwner(login: $owner) {{
    repositories(first: {_PAGE}, after: $after, {archived}{forks}{_BY_NAME}) {{
      nodes {{ {_FIELDS} {" ".join(paths)} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}"""
    return query, variables


def _page(data: Part, files: Sequence[str]) -> tuple[list[Found] | None, str | None]:
    """Return the repositories on a page, None without such an owner, and where the next begins."""
    owner = data.maybe("repositoryOwner")
    if owner is None:
        return None, None
    shown = owner.part("repositories")
    page = shown.part("pageInfo")
    after = page.text("endCursor") if page.flag("hasNextPage") else None
    return [_found(one, files) for one in shown.parts("nodes")], after


def _found(shown: Part, files: Sequence[str]) -> Found:
    language = shown.maybe("primaryLanguage")
    topics = shown.part("repositoryTopics").parts("nodes")
    return Found(
        slug=shown.text("nameWithOwner", SLUG),
        archived=shown.flag("isArchived"),
        fork=shown.flag("isFork"),
        language=language.text("name") if language else "",
        topics=frozenset(one.part("topic").text("name") for one in topics),
        files=frozenset(path for n, path in enumerate(files) if shown.maybe(f"file{n}")),
        properties={},
    )


def _properties(connection: Connection, owner: str) -> Mapping[str, dict[str, frozenset[str]]]:
    """Return the custom properties of each repository of an organisation; GraphQL has none."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    path = f"/orgs/{quote(owner)}/properties/values?per_page={_PAGE}&page="
    number, more = 1, True
    while more:
        page = connection.listed(f"{path}{number}", "read the custom properties", _named)
        found |= page
        number, more = number + 1, len(page) == _PAGE
    return found


def _named(shown: Sequence[Part]) -> dict[str, dict[str, frozenset[str]]]:
    return {
        one.text("repository_full_name", SLUG).lower(): {
            each.text("property_name"): _values(each) for each in one.parts("properties")
        }
        for one in shown
    }


def _values(shown: Part) -> frozenset[str]:
    """Return the values of a property: it has one, several, or none."""
    value = shown.maybe("value")
    if value is None:
        return frozenset()
    if isinstance(value.value, list):
        return frozenset(f"{one.value}" for one in shown.parts("value"))
    return frozenset((shown.text("value"),))


def _no_owner(selection: Selection, source: str) -> SpecError:
    mark = selection.where.mark if selection.where else None
    line, column = (mark.line, mark.column) if mark else (1, 1)
    what = f"GitHub shows no owner {selection.owner!r}"
    hint = "check the name; the token has to see the owner, also by single sign-on"
    return SpecError(
        {Problem(source, line, column, what, hint=hint, path="select"): Heading.NOT_FOUND}
    )

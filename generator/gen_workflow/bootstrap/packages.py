"""The packages of ghcr.io that the workflow pushes to: whether another repository has them.

GitHub has no API for who may write to a package, so what is wrong is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from gen_workflow.bootstrap.steps import Part
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_workflow.bootstrap.api import Api
    from gen_workflow.spec.declaration import Spec


class Package(NamedTuple):
    """A package that is there; `repository` is the one that it is linked to, empty without one."""

    name: str
    page: str
    repository: str


def names(spec: Spec, slug: str) -> tuple[str, ...]:
    """Return the packages that the token of a run pushes to, as OWNER/NAME in small letters."""
    if not spec.registry.of_the_job:
        return ()
    usual = (f"{slug}/{one.key}" if one.key else slug for one in spec.built if not one.name)
    given = (one.name.partition("/")[2] for one in spec.built if one.name)
    return tuple(one.lower() for one in (*usual, *given) if "${{" not in one)


def read(api: Api, wanted: Iterable[str], *, organization: bool) -> tuple[Package, ...]:
    """Return those of the packages that are there and that the token may see.

    The first push makes the others, and links them. A classic token needs `read:packages` to see.
    """
    kind = "orgs" if organization else "users"
    found = []
    for name in wanted:
        owner, _, package = name.partition("/")
        path = f"/{kind}/{owner}/packages/container/{quote(package, safe='')}"
        shown = api.look(path, f"the package {name}", "")
        if shown.there:
            linked = shown.top.maybe("repository")
            repository = linked.text("full_name") if linked else ""
            found.append(Package(name, shown.top.text("html_url"), repository))
    return tuple(found)


def plan(found: Iterable[Package], slug: str) -> Part:
    """Return what a person has to do so that the runs of the repository may push."""
    already, left = [], []
    for one in found:
        if one.repository.lower() == slug.lower():
            already.append(f"the package {one.name} belongs to the repository")
            continue
        of = f"belongs to {one.repository}" if one.repository else "belongs to no repository"
        left.append(
            f"the package {one.name} is there and {of}: add {slug} with the role Write under "
            f"Package settings > Manage Actions access of {one.page}"
        )
    return Part(already=tuple(already), left=tuple(left))

"""Everything that GitHub holds of a repository and that bootstrap sets, read before it plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.bootstrap import (
    actions,
    central,
    environments,
    files,
    packages,
    repository,
    rules,
    stored,
)
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from gen_workflow.bootstrap.api import Api
    from gen_workflow.bootstrap.wanted import Wanted


class Found(NamedTuple):
    """What GitHub holds, by kind; for a repository that is not there, what it would get."""

    repository: repository.Found
    actions: actions.Found
    environments: environments.Found
    stored: stored.Found
    rules: rules.Found
    central: central.Found
    packages: tuple[packages.Package, ...]
    held: files.Held


def read(api: Api, wanted: Wanted) -> Found:
    """Return what GitHub holds.

    Raises UserError with everything that the token may not look at, so before anything is written.
    """
    about = repository.read(api, wanted.settings)
    reviewed = wanted.environments(about.default_branch)
    there = environments.read(api, reviewed, exists=about.exists)
    found = _new(about, wanted)._replace(
        environments=there,
        central=central.read(api, wanted.caller),
        packages=packages.read(
            api, packages.names(wanted.spec, api.slug), organization=about.of_an_organization
        ),
    )
    if about.exists:
        found = _there(api, found, wanted)
    api.refuse_denied()
    if about.exists and about.commits:
        found = found._replace(held=files.look(api.connection, api.slug))
    return found


def _new(about: repository.Found, wanted: Wanted) -> Found:
    """Return what a new repository has, as far as it can be known before it is there."""
    new = actions.Found(
        approval=None if about.private else "",
        access="none" if about.private and wanted.central else None,
    )
    return Found(
        about,
        new,
        environments.Found({}, {}),
        stored.Found({}),
        rules.Found(),
        central.Found(),
        (),
        files.Held(),
    )


def _there(api: Api, found: Found, wanted: Wanted) -> Found:
    about = found.repository
    return found._replace(
        actions=actions.read(api, private=about.private, central=wanted.central),
        stored=stored.read(
            api, wanted.needs, {*found.environments.there}, org=about.of_an_organization
        ),
        rules=rules.read(api, about.default_branch),
    )

"""The plan: pure, from what is wanted and what GitHub holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.bootstrap import (
    actions,
    central,
    environments,
    packages,
    repository,
    rules,
    stored,
)
from gen_workflow.bootstrap.steps import Part, together
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from gen_workflow.bootstrap.facts import Found
    from gen_workflow.bootstrap.steps import Step
    from gen_workflow.bootstrap.wanted import Wanted


class Plan(NamedTuple):
    """The steps before the files and those behind them, and what is said of the rest.

    The rules of the default branch come last: by then it has its files. `lacking` is what is left
    of secrets and variables, without which no run can succeed.
    """

    creates: tuple[Step, ...]
    settings: tuple[Step, ...]
    rules: tuple[Step, ...]
    already: tuple[str, ...]
    left: tuple[str, ...]
    refused: tuple[str, ...]
    lacking: tuple[str, ...]


def plan(slug: str, wanted: Wanted, found: Found) -> Plan:
    """Return what is to be done for a repository."""
    about, path = found.repository, f"/repos/{slug}"
    reviewed = wanted.environments(about.default_branch)
    unpinned = found.held.unpinned(wanted.files.workflows)
    created = repository.plan(slug, about, wanted.settings, has_history=wanted.has_history)
    general = actions.plan(path, found.actions, unpinned, organization=about.of_an_organization)
    places = environments.plan(path, reviewed, found.environments, about.limited)
    kept = stored.plan(path, wanted.needs, wanted.values, found.stored, wanted.replaced)
    ruled = rules.plan(path, found.rules, wanted.settings, about.limited)
    if not (about.commits or (not about.exists and not wanted.has_history)):
        # A rule could refuse the first push; so it waits for that.
        ruled = Part(left=("run this again after the first push, for the rules of its branch",))
    settings = together(general, places, kept)
    others = together(central.plan(found.central), packages.plan(found.packages, slug))
    whole = together(created, settings, others, ruled)
    return Plan(
        created.steps,
        settings.steps,
        ruled.steps,
        whole.already,
        whole.left,
        whole.refused,
        kept.left,
    )

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
    settings,
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
    leave = wanted.settings.leave
    others = found.held.others(wanted.files.workflows)
    created = repository.plan(slug, about, wanted.settings, has_history=wanted.has_history)
    general = actions.plan(
        path, found.actions, others, leave, organization=about.of_an_organization
    )
    places = environments.plan(path, reviewed, found.environments, about.limited)
    kept = stored.plan(path, wanted.needs, wanted.values, found.stored, wanted.replaced)
    ruled = Part() if settings.RULES in leave else _rules(path, wanted, found)
    of_settings = together(general, places, kept)
    shared = together(central.plan(found.central), packages.plan(found.packages, slug))
    whole = together(created, of_settings, shared, ruled)
    return Plan(
        created.steps,
        of_settings.steps,
        ruled.steps,
        whole.already,
        whole.left,
        whole.refused,
        kept.left,
    )


def _rules(path: str, wanted: Wanted, found: Found) -> Part:
    """Return what is to be done for the rules; one could refuse the first push, so they wait."""
    about = found.repository
    part = rules.plan(path, found.rules, wanted.settings, about.limited)
    waits = not about.commits if about.exists else wanted.has_history
    if not (waits and part.steps):
        return part
    return Part(left=("run this again after the first push, for the rules of its branch",))

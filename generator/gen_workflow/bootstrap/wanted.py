"""What a repository should have: from the spec, from `bootstrap.yml`, and from what is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.bootstrap import environments
from gen_workflow.bootstrap.environments import Ref
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.plan import rollback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.bootstrap.settings import Settings
    from gen_workflow.bootstrap.values import Values
    from gen_workflow.github.proposal import Wanted as Files
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment
    from gen_workflow.workflow.records import Job, Needs, Workflow


class Wanted(NamedTuple):
    """All that a repository should have.

    `names` are those of its environments. `replaced` are names of secrets and variables, in
    capitals, that are written again. `has_history` says that its folder has commits.
    """

    spec: Spec
    settings: Settings
    names: tuple[str, ...]
    needs: tuple[Needs, ...]
    values: Values
    files: Files
    replaced: frozenset[str] = frozenset()
    has_history: bool = False

    @property
    def central(self) -> bool:
        """Whether other repositories call the workflow of this one."""
        return bool(self.spec.mode.central)

    @property
    def caller(self) -> str:
        """The central workflow that this repository calls; empty without one."""
        return self.spec.mode.caller.name if self.spec.mode.caller else ""

    def environments(self, default_branch: str) -> tuple[environments.Wanted, ...]:
        """Return the environments, with the branches and tags that the spec deploys from."""
        of_spec = {one.key: one for one in self.spec.targets}
        by_hand = {one.key for one in rollback.targets(self.spec)}
        return tuple(
            environments.Wanted(
                name,
                tuple(_refs(of_spec[name], default_branch, by_hand)) if name in of_spec else (),
                self.settings.gate(name),
            )
            for name in self.names
        )


def names(workflows: tuple[Workflow, ...]) -> tuple[str, ...]:
    """Return the environments of all jobs; one that only the run knows is left out."""
    found = dict.fromkeys(name for one in workflows for job in one.jobs if (name := _name(job)))
    return tuple(name for name in found if "${{" not in name)


def _name(job: Job) -> str:
    if job.environment:
        return job.environment.name
    given = dict(job.more).get("environment")
    name = given.get("name") if isinstance(given, dict) else given
    return name if isinstance(name, str) else ""


def _refs(target: Environment, default_branch: str, by_hand: set[str]) -> Iterator[Ref]:
    """Yield the branches and tags that deploy to an environment, each once.

    A person starts a rollback, or a deploy of what is chosen by hand, from the default branch.
    """
    branches = [*target.on.branches]
    if target.on.manual or target.key in by_hand:
        branches.append(default_branch)
    yield from (Ref(name) for name in dict.fromkeys(branches))
    tags = ["*"] if target.on.release or target.on.pre_release else [*target.on.tags]
    yield from (Ref(name, "tag") for name in dict.fromkeys(tags))

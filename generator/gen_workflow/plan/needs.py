"""The variables and secrets that must exist on GitHub, found in the expressions of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan import (
    connect,
    deploy,
    extended,
    image,
    notify,
    of_user,
    registry,
    test,
    user_jobs,
)
from gen_workflow.spec.expressions import EXPRESSION, SOURCE
from gen_workflow.workflow.records import Need, Needs, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gen_workflow.plan.inputs import Given
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment
    from gen_workflow.workflow.records import Job


_REPOSITORY = "Settings > Secrets and variables > Actions"


def of(spec: Spec) -> tuple[Needs, ...]:
    """Return what must exist, by its place in GitHub's settings."""
    of_builds = [given for one in spec.built for given in image.values_from_github(one)]
    of_builds += test.values_from_github(spec)
    of_builds += user_jobs.values_from_github(spec)
    builds = _needs(_REPOSITORY, [*registry.values_from_github(spec), *of_builds])
    return (*_that_are_any(builds), *of_deploys(spec, spec.targets))


def of_the_registry(spec: Spec) -> tuple[Needs, ...]:
    """Return what must exist for the login to the registry, which builds and deploys read."""
    return tuple(_that_are_any(_needs(_REPOSITORY, registry.values_from_github(spec))))


def of_deploys(spec: Spec, targets: Iterable[Environment]) -> tuple[Needs, ...]:
    """Return what must exist for deploys, by environment, but for the login to the registry."""
    places = [
        _needs(f"Settings > Environments > {target.key}", _of_deploy(spec, target))
        for target in targets
    ]
    if spec.notify:
        place = f"Settings > Environments > {spec.notify.environment}"
        places.append(_needs(place, notify.values_from_github(spec.notify)))
    return tuple(_that_are_any(*places))


def _of_deploy(spec: Spec, target: Environment) -> Iterator[Given]:
    """Yield the values that the jobs of an environment take from GitHub."""
    yield from deploy.values_from_github(spec, target)
    yield from connect.values_from_github(target)
    name = deploy.job_for(spec, target.key)
    for job in (name, name.replace("deploy", "rollback", 1)):
        yield from extended.values_from_github(spec.extend, job)


def used(places: Iterable[Needs], jobs: Sequence[Job]) -> tuple[Needs, ...]:
    """Return of what must exist only that which some jobs name, in a step or in an address."""
    texts = [
        str(value)
        for job in jobs
        for step in job.steps
        if isinstance(step, Step)
        for _, value in (*step.inputs, *step.env)
    ]
    texts += [one.value for job in jobs for one in of_user.values_of(job.steps, job.id)]
    texts += [job.environment.url for job in jobs if job.environment]
    named = {
        f"{source['source']}.{source['name'].upper()}"
        for text in texts
        for inside in EXPRESSION.findall(text)
        if (source := SOURCE.fullmatch(inside.strip()))
    }
    kept = (
        place._replace(
            variables=tuple(one for one in place.variables if f"vars.{one.name.upper()}" in named),
            secrets=tuple(one for one in place.secrets if f"secrets.{one.name.upper()}" in named),
        )
        for place in places
    )
    return tuple(_that_are_any(*kept))


def _that_are_any(*places: Needs) -> Iterator[Needs]:
    return (one for one in places if one.variables or one.secrets)


def _needs(place: str, values: Iterable[Given]) -> Needs:
    found: dict[str, dict[str, Need]] = {"vars": {}, "secrets": {}}
    for given in values:
        for inside in EXPRESSION.findall(given.value):
            if source := SOURCE.fullmatch(inside.strip()):
                ones, name = found[source["source"]], source["name"]
                need = ones.setdefault(name.upper(), Need(name, given.purpose, optional=True))
                may_be_missing = given.optional or source["default"] is not None
                ones[name.upper()] = need._replace(optional=need.optional and may_be_missing)
    return Needs(place, tuple(found["vars"].values()), tuple(found["secrets"].values()))

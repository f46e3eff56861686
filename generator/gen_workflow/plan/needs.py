"""The variables and secrets that must exist on GitHub, found in the expressions of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan import deploy
from gen_workflow.plan.inputs import Given
from gen_workflow.spec.expressions import EXPRESSION, SOURCE
from gen_workflow.workflow.records import Need, Needs, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment
    from gen_workflow.spec.image import Image
    from gen_workflow.workflow.records import Job


def of(spec: Spec) -> tuple[Needs, ...]:
    """Return what must exist, by its place in GitHub's settings."""
    of_builds = [given for image in spec.built for given in _of_build(image)]
    builds = _needs("Settings > Secrets and variables > Actions", of_builds)
    return (*_that_are_any(builds), *of_deploys(spec.targets))


def of_deploys(targets: Iterable[Environment]) -> tuple[Needs, ...]:
    """Return what must exist for deploys, by environment."""
    places = [
        _needs(f"Settings > Environments > {target.key}", deploy.values_from_github(target))
        for target in targets
    ]
    return tuple(_that_are_any(*places))


def used(places: Iterable[Needs], jobs: Iterable[Job]) -> tuple[Needs, ...]:
    """Return of what must exist only that which some jobs name, in a step or in an address."""
    texts = [
        str(value)
        for job in jobs
        for step in job.steps
        if isinstance(step, Step)
        for _, value in (*step.inputs, *step.env)
    ]
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


def _of_build(image: Image) -> Iterator[Given]:
    """Yield the values that the build job takes from GitHub, each with what it is for."""
    for arg in image.args:
        yield Given(arg.value, f"build argument {arg.name}")


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

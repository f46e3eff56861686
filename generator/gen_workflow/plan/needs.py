"""The variables and secrets that must exist on GitHub, found in the expressions of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan.deploy import host_inputs
from gen_workflow.spec.expressions import EXPRESSION, SOURCE
from gen_workflow.workflow.records import Need, Needs

if TYPE_CHECKING:
    from gen_workflow.spec.declaration import Deploy, Image, Spec

_OF_THE_HOST = {
    "host": "name or address of the host",
    "user": "user on the host who may use Docker",
    "port": "port of its SSH server, when not 22",
    "ssh-key": "private key of the user",
    "known-hosts": "keys of the host, as `ssh-keyscan HOST` prints them; compare them",
}


def of(spec: Spec) -> tuple[Needs, ...]:
    """Return what must exist, by its place in GitHub's settings."""
    found = [_needs("Settings > Secrets and variables > Actions", _of_build(spec.image))]
    if spec.deploy:
        place = f"Settings > Environments > {spec.environment}"
        found.append(_needs(place, _of_deploy(spec.deploy)))
    return tuple(one for one in found if one.variables or one.secrets)


def _of_build(image: Image) -> list[tuple[str, str]]:
    """Return the values that the build job takes from GitHub, each with what it is for."""
    return [(arg.value, f"build argument {arg.name}") for arg in image.args]


def _of_deploy(deploy: Deploy) -> list[tuple[str, str]]:
    """Return the values that the deploy job takes from GitHub, each with what it is for."""
    host = [(value, _OF_THE_HOST[name]) for name, value in host_inputs(deploy.ssh)]
    return host + [(one.value, f"goes into {one.name} of the app") for one in deploy.run.env]


def _needs(place: str, values: list[tuple[str, str]]) -> Needs:
    found: dict[str, dict[str, Need]] = {"vars": {}, "secrets": {}}
    for value, purpose in values:
        for inside in EXPRESSION.findall(value):
            if source := SOURCE.fullmatch(inside.strip()):
                ones, name = found[source["source"]], source["name"]
                need = ones.setdefault(name.upper(), Need(name, purpose, optional=True))
                optional = need.optional and source["default"] is not None
                ones[name.upper()] = need._replace(optional=optional)
    return Needs(place, tuple(found["vars"].values()), tuple(found["secrets"].values()))

"""From a spec to the workflow that does what it says; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.checks import EXPRESSION, SOURCE
from gen_workflow.pins import OURS, Pin
from gen_workflow.workflow import Job, Need, Needs, Permission, Scalar, Step, Values, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_workflow.images import Image
    from gen_workflow.spec import Deploy, Spec
    from gen_workflow.variables import Variable

_BUILD_MINUTES = 60
_DEPLOY_MINUTES = 20
_OF_THE_HOST = {
    "host": "name or address of the host",
    "user": "user on the host who may use Docker",
    "port": "port of its SSH server, when not 22",
    "ssh-key": "private key of the user",
    "known-hosts": "keys of the host, as `ssh-keyscan HOST` prints them; compare them",
}


def workflow(spec: Spec, pins: Mapping[str, Pin]) -> Workflow:
    """Return the workflow for a spec, with actions at the commits of the pins."""
    ours = spec.actions or pins[OURS]
    jobs = [_build(spec.image, pins["actions/checkout"], ours)]
    needs = [_needs("Settings > Secrets and variables > Actions", _arguments(spec.image))]
    if spec.deploy:
        jobs.append(_deploy(spec, spec.deploy, ours))
        place = f"Settings > Environments > {spec.environment}"
        needs.append(_needs(place, _of_deploy(spec.deploy)))
    return Workflow(
        name="Build and deploy" if spec.deploy else "Build",
        branches=tuple(name.replace("+", r"\+") for name in spec.branches),
        jobs=tuple(jobs),
        needs=tuple(one for one in needs if one.variables or one.secrets),
    )


def _build(image: Image, checkout: Pin, ours: Pin) -> Job:
    inputs = _said(
        ("image", image.name),
        ("context", image.context if image.context != "." else ""),
        ("file", image.dockerfile),
        ("target", image.target),
        ("build-args", _lines(f"{arg.name}={arg.value}" for arg in image.args)),
    )
    build = Step("Build and push", ours.uses("actions/build-push"), id="push", inputs=inputs)
    return Job(
        id="build",
        name="Build the image",
        timeout_minutes=_BUILD_MINUTES,
        permissions=(
            Permission("contents", "read", "check the repository out"),
            Permission("packages", "write", "push the image to ghcr.io"),
        ),
        outputs=(("image", "${{ steps.push.outputs.image }}"),),
        steps=(
            Step(
                "Check out the repository",
                checkout.uses(),
                inputs=(("persist-credentials", False),),
            ),
            build,
        ),
    )


def _deploy(spec: Spec, deploy: Deploy, ours: Pin) -> Job:
    run = deploy.run
    inputs = _said(
        *_of_ssh(deploy),
        ("image", "${{ needs.build.outputs.image }}"),
        ("name", spec.name),
        ("ports", _lines(run.ports)),
        ("env", _lines(_named(variable) for variable in run.env)),
        ("volumes", _lines(run.volumes)),
        ("networks", run.network),
        ("restart", run.restart if run.restart != "unless-stopped" else ""),
        ("health", deploy.health),
        ("health-timeout", run.health_timeout),
    )
    env = tuple((one.name, one.value) for one in run.env if not one.fits_a_line)
    step = Step("Deploy over SSH", ours.uses("actions/ssh-deploy"), inputs=inputs, env=env)
    return Job(
        id="deploy",
        name=f"Deploy to {spec.environment}",
        needs="build",
        condition=" || ".join(f"github.ref == 'refs/heads/{name}'" for name in spec.branches),
        timeout_minutes=_DEPLOY_MINUTES,
        permissions=(Permission("packages", "read", "let the host pull the image"),),
        environment=spec.environment,
        concurrency=f"deploy-{spec.environment}",
        steps=(step,),
    )


def _of_ssh(deploy: Deploy) -> tuple[tuple[str, str], ...]:
    ssh = deploy.ssh
    return (
        ("host", ssh.host),
        ("user", ssh.user),
        ("port", ssh.port if ssh.port != "22" else ""),
        ("ssh-key", ssh.key),
        ("known-hosts", ssh.known_hosts),
    )


def _said(*inputs: tuple[str, Scalar]) -> Values:
    """Return the inputs that say something; the defaults of an action stay in its action.yml."""
    return tuple((name, value) for name, value in inputs if value != "")


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _named(variable: Variable) -> str:
    return f"{variable.name}={variable.value}" if variable.fits_a_line else variable.name


def _of_deploy(deploy: Deploy) -> list[tuple[str, str]]:
    """Return the values that the deploy job takes from GitHub, each with what it is for."""
    host = [(value, _OF_THE_HOST[name]) for name, value in _of_ssh(deploy)]
    return host + [(one.value, f"goes into {one.name} of the app") for one in deploy.run.env]


def _arguments(image: Image) -> list[tuple[str, str]]:
    return [(arg.value, f"build argument {arg.name}") for arg in image.args]


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

"""What the deploy job does when the app runs on a host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.plan import times
from gen_workflow.plan.build import job_of
from gen_workflow.plan.inputs import Given, Work, image_of, lines, said
from gen_workflow.workflow.records import Permission, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment
    from gen_workflow.spec.host import Ssh, SshDeploy
    from gen_workflow.spec.variables import Variable

_OF_THE_HOST = {
    "host": "name or address of the host",
    "user": "user on the host who may use Docker",
    "port": "port of its SSH server, when not 22",
    "ssh-key": "private key of the user",
    "known-hosts": "keys of the host, as `ssh-keyscan HOST` prints them; compare them",
}


def work(spec: Spec, target: Environment, deploy: SshDeploy, frame: Frame) -> Work:
    """Return the one step: our action, which connects to the host."""
    return Work(
        steps=(_step(spec, target, deploy, frame),),
        permissions=(Permission("packages", "read", "let the host pull the image"),),
        minutes=times.of(deploy.run).job_minutes,
        order="its deploys wait for each other on the host",
    )


def _step(spec: Spec, target: Environment, deploy: SshDeploy, frame: Frame) -> Step:
    run, limits = deploy.run, times.of(deploy.run)
    inputs = said(
        *_host_inputs(deploy.ssh),
        ("image", image_of(job_of(spec.built[0]))),
        ("name", _name(spec, target)),
        ("environment", target.key),
        ("adopt", deploy.adopt),
        ("replaces", " ".join(deploy.replaces)),
        ("ports", lines(run.ports)),
        ("env", lines(_listed(variable) for variable in run.env)),
        ("volumes", lines(run.volumes)),
        ("networks", run.network),
        ("restart", run.restart if run.restart != "unless-stopped" else ""),
        ("health", deploy.health),
        ("health-timeout", run.health_timeout),
        ("stop-timeout", run.stop_timeout),
        ("lock-timeout", limits.lock_timeout),
        ("lock-expiry", limits.lock_expiry),
    )
    env = tuple((one.name, one.value) for one in run.env if not one.fits_a_line)
    return Step("Deploy over SSH", uses=frame.own("ssh-deploy"), inputs=inputs, env=env)


def _name(spec: Spec, target: Environment) -> str:
    """Return the name of the service, which another image or environment of it must not have."""
    image = spec.built[0].name.rpartition("/")[2] or "${{ github.event.repository.name }}"
    name = spec.name or image
    if target.key == "production" or (spec.name and not spec.environments):
        return name
    environment = re.sub(r"[^a-z0-9_.-]+", "-", target.key.lower()).strip("-._")
    return f"{name}-{environment}"


def _host_inputs(ssh: Ssh) -> tuple[tuple[str, str], ...]:
    """Return the inputs that lead to the host."""
    return (
        ("host", ssh.host),
        ("user", ssh.user),
        ("port", ssh.port if ssh.port != "22" else ""),
        ("ssh-key", ssh.key),
        ("known-hosts", ssh.known_hosts),
    )


def _listed(variable: Variable) -> str:
    return f"{variable.name}={variable.value}" if variable.fits_a_line else variable.name


def values_from_github(deploy: SshDeploy) -> Iterator[Given]:
    """Yield each value that the job takes from GitHub, and what it is for."""
    for name, value in _host_inputs(deploy.ssh):
        yield Given(value, _OF_THE_HOST[name])
    for one in deploy.run.env:
        yield Given(one.value, f"goes into {one.name} of the app")

"""The job that deploys the image over SSH."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.plan import times
from gen_workflow.plan.inputs import lines, said
from gen_workflow.workflow.records import Job, Permission, Step

if TYPE_CHECKING:
    from gen_workflow.spec.declaration import Deploy, Spec, Ssh
    from gen_workflow.spec.variables import Variable
    from gen_workflow.workflow.records import Pin


def job(spec: Spec, deploy: Deploy, ours: Pin) -> Job:
    """Return the job, which runs for the branches of the spec only."""
    return Job(
        id="deploy",
        name=f"Deploy to {spec.environment}",
        needs="build",
        condition=" || ".join(f"github.ref == 'refs/heads/{name}'" for name in spec.on),
        timeout_minutes=times.of(deploy.run).job_minutes,
        permissions=(Permission("packages", "read", "let the host pull the image"),),
        environment=spec.environment,
        steps=(_step(spec, deploy, ours),),
    )


def _step(spec: Spec, deploy: Deploy, ours: Pin) -> Step:
    run, limits = deploy.run, times.of(deploy.run)
    inputs = said(
        *host_inputs(deploy.ssh),
        ("image", "${{ needs.build.outputs.image }}"),
        ("name", _name(spec)),
        ("environment", spec.environment),
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
    return Step("Deploy over SSH", ours.uses("actions/ssh-deploy"), inputs=inputs, env=env)


def _name(spec: Spec) -> str:
    """Return the name of the service, which another image or environment of it must not have."""
    if spec.name:
        return spec.name
    name = spec.image.name.rpartition("/")[2] or "${{ github.event.repository.name }}"
    if spec.environment == "production":
        return name
    environment = re.sub(r"[^a-z0-9_.-]+", "-", spec.environment.lower()).strip("-._")
    return f"{name}-{environment}"


def host_inputs(ssh: Ssh) -> tuple[tuple[str, str], ...]:
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

"""The job that deploys the image: on a host over SSH, or into a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan import kubernetes, ssh
from gen_workflow.spec.declaration import SshDeploy
from gen_workflow.workflow.records import Job

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_workflow.plan.inputs import Given, Work
    from gen_workflow.spec.declaration import KubernetesDeploy, Spec
    from gen_workflow.workflow.records import Pin


def job(
    spec: Spec, deploy: SshDeploy | KubernetesDeploy, pins: Mapping[str, Pin], ours: Pin
) -> Job:
    """Return the job, which runs for the branches of the spec only."""
    work = _work(spec, deploy, pins, ours)
    return Job(
        id="deploy",
        name=f"Deploy to {spec.environment}",
        needs="build",
        condition=" || ".join(f"github.ref == 'refs/heads/{name}'" for name in spec.on),
        timeout_minutes=work.minutes,
        permissions=work.permissions,
        environment=spec.environment,
        order=work.order,
        steps=work.steps,
    )


def _work(
    spec: Spec, deploy: SshDeploy | KubernetesDeploy, pins: Mapping[str, Pin], ours: Pin
) -> Work:
    if isinstance(deploy, SshDeploy):
        return ssh.work(spec, deploy, ours)
    return kubernetes.work(deploy.kubernetes, pins, ours)


def values_from_github(deploy: SshDeploy | KubernetesDeploy) -> Iterator[Given]:
    """Return the values that the job takes from GitHub."""
    if isinstance(deploy, SshDeploy):
        return ssh.values_from_github(deploy)
    return kubernetes.values_from_github(deploy.kubernetes)

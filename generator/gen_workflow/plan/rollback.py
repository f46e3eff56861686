"""The workflow that a person starts to put a release back, without building anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.pins.table import CHECKOUT
from gen_workflow.plan import connect, deploy, needs, notify, runners, ssh
from gen_workflow.plan.extended import extended
from gen_workflow.spec.deploy import GitopsDeploy
from gen_workflow.spec.host import SshDeploy
from gen_workflow.workflow.records import (
    Concurrency,
    Dispatch,
    Input,
    Job,
    RawStep,
    Step,
    Triggers,
    Workflow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.plan.frame import Frame
    from gen_workflow.plan.inputs import Work
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment

PATH = ".github/workflows/rollback.yml"
# A group of its own for each run: a push must not take the place of a rollback that waits.
_GROUP = Concurrency(
    "gen-workflow ${{ github.run_id }}", cancel_in_progress=False, cancelled="a run is alone here"
)
# A cluster has the whole template of an earlier version; manifests and Secrets stay as they are.
_IN_A_CLUSTER = ("namespace", "kubeconfig", "context", "timeout", "progress-timeout", "stability",
                 "restarts", "on-failure", "rollback-timeout", "no-pods")  # fmt: skip
# GitHub chooses the first one for a person who does not. No job runs for it.
_NONE = "choose one"
_RELEASE = ("rollback", "${{ inputs.release }}")


def targets(spec: Spec) -> tuple[Environment, ...]:
    """Return the environments in which a release can be put back: commands alone leave none.

    In a cluster that needs names of workloads; those that only manifests name are not known here.
    A commit in a repository of manifests is reverted there.
    """
    return tuple(one for one in spec.targets if _can(one)) if spec.rollback else ()


def _can(target: Environment) -> bool:
    deploy = target.deploy
    if isinstance(deploy, SshDeploy):
        return not deploy.script
    if isinstance(deploy, GitopsDeploy):
        return False
    return bool(deploy and deploy.kubernetes.workload)


def workflow(spec: Spec, frame: Frame) -> Workflow:
    """Return the workflow: for each environment a job, of which a run has the one chosen."""
    found = targets(spec)
    chosen = len(found) > 1
    planned = [_job(spec, one, frame, chosen=chosen) for one in found]
    planned = deploy.with_actions(planned, frame)
    jobs = runners.placed(planned, "deploy", spec, frame)
    every = extended([*jobs, *notify.job(spec, jobs, frame)], spec.extend)
    return Workflow(
        name="Roll back",
        on=Triggers(workflow_dispatch=Dispatch(_asked(found))),
        concurrency=_GROUP,
        jobs=every,
        needs=needs.used((*needs.of_the_registry(spec), *needs.of_deploys(spec, found)), every),
        path=PATH,
    )


def _asked(found: tuple[Environment, ...]) -> tuple[Input, ...]:
    """Return what the person is asked for."""
    release = Input(
        id="release",
        description=f"Release to put back: previous, {_named(found)}",
        type="string",
        default="previous",
    )
    environment = Input(
        id="environment",
        description="Where to put the release back",
        type="choice",
        required=True,
        default=_NONE,
        options=(_NONE, *(one.key for one in found)),
    )
    return (environment, release) if len(found) > 1 else (release,)


def _named(found: tuple[Environment, ...]) -> str:
    """Return how a release is named: a cluster knows no tags."""
    on_hosts = all(isinstance(one.deploy, SshDeploy) for one in found)
    return "a digest (sha256:...) or a tag" if on_hosts else "or a digest (sha256:...)"


def _job(spec: Spec, target: Environment, frame: Frame, *, chosen: bool) -> Job:
    work = _work(spec, target, frame)
    name = deploy.job_for(spec, target.key).replace("deploy", "rollback", 1)
    return Job(
        id=name,
        name=f"Roll back {target.key}",
        origin=deploy.origin_of(spec, target),
        condition=f"inputs.environment == '{target.key}'" if chosen else "",
        runs_on=frame.runner,
        timeout_minutes=work.minutes,
        permissions=work.permissions,
        environment=deploy.environment_of(target),
        order=work.order,
        steps=work.steps,
    )


def _work(spec: Spec, target: Environment, frame: Frame) -> Work:
    if isinstance(target.deploy, SshDeploy):
        work = ssh.put_back(spec, target, target.deploy, frame, _RELEASE[1])
        return connect.before(target.connect, work, frame)
    work = deploy.work_of(spec, target, frame)
    identity = tuple(one for one in work.permissions if one.scope == "id-token")
    return work._replace(steps=tuple(_in_a_cluster(work.steps)), permissions=identity)


def _in_a_cluster(steps: tuple[Step | RawStep, ...]) -> Iterator[Step | RawStep]:
    """Yield the steps of a deploy without what it brings, and with the release to put back."""
    for step in steps:
        uses = step.uses if isinstance(step, Step) else None
        if isinstance(step, Step) and uses and uses.folder == "kubectl-set-image":
            kept = tuple(pair for pair in step.inputs if pair[0] in _IN_A_CLUSTER)
            lines = str(dict(step.inputs)["workload"]).splitlines()
            # Behind a workload there may be images for its containers, which come from the release.
            workloads = "".join(f"{line.partition(' ')[0]}\n" for line in lines)
            inputs = (("workload", workloads), *kept, _RELEASE)
            yield step._replace(name="Put the release back", inputs=inputs, env=())
        elif not uses or not uses.reference.startswith(f"{CHECKOUT}@"):
            yield step

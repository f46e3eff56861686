"""The jobs that deploy the images, one for each environment: on a host, in a cluster, by commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan import connect, ssh
from gen_workflow.plan.build import job_of
from gen_workflow.plan.inputs import Given
from gen_workflow.spec.deploy import GitopsDeploy
from gen_workflow.spec.environments import AS_PUSHED, word_of
from gen_workflow.spec.host import SshDeploy
from gen_workflow.workflow import records
from gen_workflow.workflow.records import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.plan.frame import Frame
    from gen_workflow.plan.inputs import Work
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment

_NOT_BY_HAND = "github.event_name != 'workflow_dispatch'"


def jobs(spec: Spec, frame: Frame) -> list[Job]:
    """Return the jobs, which run for what the spec says of their environments only."""
    by_hand = chosen_by_hand(spec)
    return with_actions([_job(spec, one, by_hand, frame) for one in spec.targets], frame)


def with_actions(jobs: list[Job], frame: Frame) -> list[Job]:
    """Return jobs that have our actions when a step uses one, also as a copy in the repository."""
    if not frame.folder:
        return jobs
    from gen_workflow.plan import vendored  # noqa: PLC0415 - for these alone

    return [vendored.with_actions(job, frame) for job in jobs]


def chosen_by_hand(spec: Spec) -> tuple[str, ...]:
    """Return the environments that a person chooses when starting a run.

    One with `after` is no choice: nothing is deployed to it before the first one of its chain.
    """
    return tuple(one.key for one in spec.targets if one.on.manual and not one.after)


def job_for(spec: Spec, environment: str) -> str:
    """Return the id of the job that deploys to an environment."""
    return f"deploy-{word_of(environment)}" if spec.environments else "deploy"


def _job(spec: Spec, target: Environment, by_hand: tuple[str, ...], frame: Frame) -> Job:
    work = work_of(spec, target, frame)
    after = (job_for(spec, target.after),) if target.after else ()
    return Job(
        id=job_for(spec, target.key),
        name=f"Deploy to {target.key}",
        origin=origin_of(spec, target),
        needs=(*map(job_of, spec.built), *after),
        condition=_condition(target, by_hand),
        runs_on=frame.runner,
        timeout_minutes=work.minutes,
        permissions=work.permissions,
        environment=environment_of(target),
        order=work.order,
        steps=work.steps,
    )


def environment_of(target: Environment) -> records.Environment:
    """Return the environment of the job on GitHub."""
    return records.Environment(target.key, target.url)


def origin_of(spec: Spec, target: Environment) -> str:
    """Return the path of the section of the spec that a deploy comes from."""
    return f"environments/{target.key}" if spec.environments else "deploy"


def _condition(target: Environment, by_hand: tuple[str, ...]) -> str:
    """Return the condition under which a run deploys to an environment."""
    found = [f"github.ref == 'refs/heads/{branch}'" for branch in target.on.branches]
    if by_hand and found:
        pushed = f"{_NOT_BY_HAND} || inputs.environment == '{AS_PUSHED}'"
        any_of_them = " || ".join(found)
        any_of_them = f"({any_of_them})" if len(found) > 1 else any_of_them
        found = [f"{any_of_them} && ({pushed})"]
    found += [_of_tags(tag) for tag in target.on.tags]
    found += _of_releases(target)
    if target.on.manual:
        found.append(f"inputs.environment == '{target.first}'")
    return " || ".join(found)


def _of_releases(target: Environment) -> list[str]:
    """Return the condition for releases: a pre-release is deployed only where the spec says so."""
    is_release, is_pre = "github.event_name == 'release'", "github.event.release.prerelease"
    match bool(target.on.release), bool(target.on.pre_release):
        case True, True:
            return [is_release]
        case True, False:
            return [f"{is_release} && !{is_pre}"]
        case False, True:
            return [f"{is_release} && {is_pre}"]
    return []


def _of_tags(tag: str) -> str:
    """Return the condition for the push of a tag; a release has the ref of its tag as well."""
    ref = f"'refs/tags/{tag.removesuffix('*')}'"
    is_tag = f"startsWith(github.ref, {ref})" if tag.endswith("*") else f"github.ref == {ref}"
    return f"github.event_name == 'push' && {is_tag}"


def work_of(spec: Spec, target: Environment, frame: Frame) -> Work:
    """Return what the job for an environment does."""
    assert target.deploy  # noqa: S101 - the spec was refused otherwise
    if isinstance(target.deploy, SshDeploy):
        work = ssh.work(spec, target, target.deploy, frame)
    elif isinstance(target.deploy, GitopsDeploy):
        from gen_workflow.plan import gitops  # noqa: PLC0415 - for these alone

        work = gitops.work(spec, target, target.deploy.gitops)
    else:
        from gen_workflow.plan import kubernetes  # noqa: PLC0415 - for these alone

        work = kubernetes.work(spec, target.deploy.kubernetes, frame)
    return connect.before(target.connect, work, frame)


def values_from_github(spec: Spec, target: Environment) -> Iterator[Given]:
    """Yield the values that the job takes from GitHub, but for the login to the registry."""
    assert target.deploy  # noqa: S101 - the spec was refused otherwise
    if isinstance(target.deploy, SshDeploy):
        yield from ssh.values_from_github(target.deploy)
    elif isinstance(target.deploy, GitopsDeploy):
        from gen_workflow.plan import gitops  # noqa: PLC0415 - for these alone

        yield from gitops.values_from_github(target.deploy.gitops)
    else:
        from gen_workflow.plan import kubernetes  # noqa: PLC0415 - for these alone

        yield from kubernetes.values_from_github(spec, target.deploy.kubernetes)
    yield Given(target.url, "part of the address of the deployment")

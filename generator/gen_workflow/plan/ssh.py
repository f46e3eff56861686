"""What the deploy job does when the app runs on hosts: its steps, and what they need of GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan import host_inputs, registry, times
from gen_workflow.plan.frame import CONTENTS
from gen_workflow.plan.inputs import Given, Work
from gen_workflow.workflow.records import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment
    from gen_workflow.spec.host import SshDeploy

_DEPLOY, _ASK = "deploy", "ask"
# curl waits for an answer for 10 seconds at most, and asks again until the time is over.
_CURL = (
    "curl --fail --location --silent --show-error --globoff --output /dev/null --max-time 10 "
    '--retry 1200 --retry-delay 3 --retry-all-errors --retry-max-time "$SECONDS_TO_ANSWER" "$URL"'
)
# When the step before it has failed; a deploy that has failed was rolled back by its own step. A
# deploy of the image that served already has nothing to go back to.
_NOT_ANSWERED = (
    f"failure() && steps.{_ASK}.outcome == 'failure' && "
    f"steps.{_DEPLOY}.outputs.previous-image != steps.{_DEPLOY}.outputs.image"
)


def work(spec: Spec, target: Environment, deploy: SshDeploy, frame: Frame) -> Work:
    """Return the steps: our action, which connects to the hosts, and what the runner asks."""
    steps = [_step(spec, target, deploy, frame)]
    if deploy.health.url:
        steps.append(_asks(deploy))
    if deploy.health.url and not deploy.script:
        steps.append(_rollback(spec, target, deploy, frame)._replace(condition=_NOT_ANSWERED))
    return _work(spec, deploy, steps, frame, needs_files=bool(deploy.compose or deploy.env_file))


def put_back(
    spec: Spec, target: Environment, deploy: SshDeploy, frame: Frame, release: str
) -> Work:
    """Return the steps that put a release back, and what the runner asks then."""
    steps = [_rollback(spec, target, deploy, frame, release)]
    if deploy.health.url:
        steps.append(_asks(deploy)._replace(id=""))
    # The host has the files of a compose project.
    needs_files = bool(deploy.env_file and not deploy.compose)
    return _work(spec, deploy, steps, frame, needs_files=needs_files)


def _work(
    spec: Spec, deploy: SshDeploy, steps: list[Step], frame: Frame, *, needs_files: bool
) -> Work:
    # Commands alone pull nothing by themselves.
    access = registry.Access() if deploy.script else registry.pull(spec.registry, frame.pins)
    return Work(
        steps=(*((frame.checkout(),) if needs_files else ()), *access.steps, *steps),
        permissions=(*((CONTENTS,) if needs_files else ()), *access.permissions),
        minutes=times.of(deploy).job_minutes,
        order="its deploys wait for each other on the host",
    )


def _step(spec: Spec, target: Environment, deploy: SshDeploy, frame: Frame) -> Step:
    return Step(
        "Run commands over SSH" if deploy.script else "Deploy over SSH",
        id=_DEPLOY if deploy.health.url and not deploy.script else "",
        uses=frame.own("ssh-deploy"),
        inputs=host_inputs.of(spec, target, deploy),
        env=host_inputs.variables(spec, deploy),
    )


def _asks(deploy: SshDeploy) -> Step:
    """Return the step that asks the address from the runner."""
    seconds = deploy.health.timeout or str(times.HEALTH_TIMEOUT)
    return Step(
        "Ask the address of the app",
        id="" if deploy.script else _ASK,
        run=_CURL,
        env=(("URL", deploy.health.url), ("SECONDS_TO_ANSWER", seconds)),
    )


def _rollback(
    spec: Spec, target: Environment, deploy: SshDeploy, frame: Frame, release: str = "previous"
) -> Step:
    """Return the step that goes back to a release.

    What a compose project is made of comes from that release. Commands of `before` and `after` are
    those of the new version, so they do not run.
    """
    without = deploy._replace(before=(), after=(), services=(), files=())
    if deploy.compose:
        without = without._replace(env=(), env_file=())
    return Step(
        "Put the release back",
        uses=frame.own("ssh-deploy"),
        inputs=host_inputs.of(spec, target, without, release),
        env=host_inputs.variables(spec, without),
    )


def values_from_github(deploy: SshDeploy) -> Iterator[Given]:
    """Yield each value that the job takes from GitHub, and what it is for."""
    yield from host_inputs.access_from_github(deploy.ssh)
    for one in deploy.variables:
        yield Given(one.value, f"goes into {one.name} of the app")
    for one in deploy.run.secret_files:
        yield Given(one.value, f"content of /run/secrets/{one.name}")
    for one in deploy.run.labels:
        yield Given(one.value, f"label {one.name} of the container")
    yield Given(deploy.dir, "folder of the compose project on the host")
    yield Given(deploy.health.url, "address that the runner asks after the deploy")

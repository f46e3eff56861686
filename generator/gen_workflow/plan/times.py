"""How long a deploy may take, and how long it waits for another one: this follows from the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.rules import ROLLBACK, ROLLOUT, STABILITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_workflow.spec.host import SshDeploy
    from gen_workflow.spec.kubernetes import Kubernetes
    from gen_workflow.workflow.records import RawStep

# The defaults of ssh-deploy, in seconds; a test compares them with its action.yml.
HEALTH_TIMEOUT = 60
STOP_TIMEOUT = 10
LOCK_TIMEOUT = 600
LOCK_EXPIRY = 3600
DRAIN_TIMEOUT = 30
# To start a compose project, beside the time until it is healthy.
START = 60
# For the commands of each of `before` and `after`, and for a script: the action has no limit.
COMMANDS = 600
SCRIPT = 1800
# To connect, pull the image, start containers and clean up; in a cluster, to log in and to apply.
WORK = 600
# What the steps that are added to a job may take together, in minutes, when they do not say it.
ADDED_MINUTES = 10
# GitHub ends a job on its own runners after six hours.
LONGEST_MINUTES = 360


class Times(NamedTuple):
    """Limits of a deploy. A text is an input in seconds, empty when the default is enough."""

    job_minutes: int
    lock_timeout: str
    lock_expiry: str


def of(deploy: SshDeploy) -> Times:
    """Return the limits within which a deploy can do all that the spec asks of it, and undo it."""
    asked = _asked(deploy)
    # The deploy that is waited for may take as much longer as ours.
    beyond = max(0, asked - _asked(_usual(deploy)))
    lock_timeout, longest = LOCK_TIMEOUT + beyond, WORK + asked
    lock_timeout = int(deploy.lock_timeout or lock_timeout)
    health = int(deploy.health.timeout or HEALTH_TIMEOUT) if deploy.health.url else 0
    again = lock_timeout + longest if health and not deploy.script else 0
    # Past it the next deploy ends the one that holds the lock.
    expiry = str(longest) if longest > LOCK_EXPIRY else ""
    return Times(
        _minutes(lock_timeout + longest + health + again),
        deploy.lock_timeout or (str(lock_timeout) if beyond else ""),
        deploy.lock_expiry or expiry,
    )


def of_cluster(cluster: Kubernetes) -> int:
    """Return the minutes in which a cluster can do all that the spec asks of it, and undo it."""
    asked = (
        int(cluster.timeout or ROLLOUT),
        int(cluster.stability or STABILITY),
        int(cluster.rollback_timeout or ROLLBACK),
    )
    return _minutes(WORK + sum(asked))


def with_steps(minutes: int, added: Sequence[RawStep]) -> int:
    """Return the time limit of a job that leaves its own steps the time that they need."""
    if not added:
        return minutes
    asked = [int(dict(step.content).get("timeout-minutes", 0)) for step in added]
    return min(LONGEST_MINUTES, minutes + max(ADDED_MINUTES, sum(asked)))


def _minutes(seconds: int) -> int:
    return min(LONGEST_MINUTES, -(-seconds // 60))


def _usual(deploy: SshDeploy) -> SshDeploy:
    """Return a deploy of the same form with the waits of the action."""
    return deploy._replace(
        health=deploy.health._replace(timeout=""),
        run=deploy.run._replace(stop_timeout=""),
        strategy=deploy.strategy and deploy.strategy._replace(drain=""),
    )


def _asked(deploy: SshDeploy) -> int:
    """Return the seconds of all waits, with those of a rollback, and of commands."""
    if deploy.script:
        return SCRIPT
    health = int(deploy.health.timeout or HEALTH_TIMEOUT)
    stop = int(deploy.run.stop_timeout or STOP_TIMEOUT)
    commands = COMMANDS * (bool(deploy.before) + bool(deploy.after))
    groups = _groups(deploy)
    if deploy.compose:
        # Tasks and the project are started and waited for, and the project again in a rollback.
        up = 2 * health + START
        return 2 * (health + START) + groups * (up + health) + up + health + commands
    if deploy.strategy:
        # Candidate, new container, the proxy's own check, and both once more in a rollback.
        drain = int(deploy.strategy.drain or DRAIN_TIMEOUT)
        return (2 + 2 * groups) * health + drain + 2 * stop + commands
    # Candidate, new container, and the old one after a rollback. The old container is stopped once,
    # and a second time when the engine has restarted meanwhile.
    return (2 + groups) * health + (1 + groups) * stop + commands


def _groups(deploy: SshDeploy) -> int:
    """Return how many groups of hosts switch one after another, as far as the spec says it."""
    number, at_a_time = len(deploy.ssh.hosts), deploy.max_parallel
    if number < 2 or not at_a_time:  # noqa: PLR2004 - one host is one group
        return 1
    size = number * int(at_a_time[:-1]) // 100 if at_a_time.endswith("%") else int(at_a_time)
    return -(-number // max(1, size))

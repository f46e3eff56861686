"""How long a deploy may take, and how long it waits for another one: this follows from the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gen_workflow.spec.rules import ROLLBACK, ROLLOUT, STABILITY

if TYPE_CHECKING:
    from gen_workflow.spec.host import Run
    from gen_workflow.spec.kubernetes import Kubernetes

# The defaults of ssh-deploy, in seconds; a test compares them with its action.yml.
HEALTH_TIMEOUT = 60
STOP_TIMEOUT = 10
LOCK_TIMEOUT = 600
LOCK_EXPIRY = 3600
# To connect, pull the image, start containers and clean up; in a cluster, to log in and to apply.
WORK = 600
# GitHub ends a job on its own runners after six hours.
LONGEST_MINUTES = 360


class Times(NamedTuple):
    """Limits of a deploy. A text is an input in seconds, empty when the default is enough."""

    job_minutes: int
    lock_timeout: str
    lock_expiry: str


def of(run: Run) -> Times:
    """Return the limits within which a deploy can do all that the spec asks of it, and undo it."""
    asked = _asked(int(run.health_timeout or HEALTH_TIMEOUT), int(run.stop_timeout or STOP_TIMEOUT))
    # The deploy that is waited for may take as much longer as ours.
    beyond = max(0, asked - _asked(HEALTH_TIMEOUT, STOP_TIMEOUT))
    lock_timeout, longest = LOCK_TIMEOUT + beyond, WORK + asked
    return Times(
        _minutes(lock_timeout + longest),
        str(lock_timeout) if beyond else "",
        # Past it the next deploy ends the one that holds the lock.
        str(longest) if longest > LOCK_EXPIRY else "",
    )


def of_cluster(cluster: Kubernetes) -> int:
    """Return the minutes in which a cluster can do all that the spec asks of it, and undo it."""
    asked = (
        int(cluster.timeout or ROLLOUT),
        int(cluster.stability or STABILITY),
        int(cluster.rollback_timeout or ROLLBACK),
    )
    return _minutes(WORK + sum(asked))


def _minutes(seconds: int) -> int:
    return min(LONGEST_MINUTES, -(-seconds // 60))


def _asked(health: int, stop: int) -> int:
    """Return the seconds of all waits: candidate, new container, and the old one after an undo.

    The old container is stopped once, and a second time when the engine has restarted meanwhile.
    """
    return 3 * health + 2 * stop

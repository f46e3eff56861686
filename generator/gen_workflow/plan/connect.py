"""The steps that let the runner reach the target of a deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.plan import of_user
from gen_workflow.plan.inputs import Given, Work, said
from gen_workflow.plan.times import LONGEST_MINUTES
from gen_workflow.workflow.records import Permission, RawStep, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.plan.frame import Frame
    from gen_workflow.spec.connect import Connect, Tailscale
    from gen_workflow.spec.environments import Environment

_TAILSCALE = "tailscale/github-action"
# Minutes that this may take, beside the deploy.
_MINUTES = 10
_IDENTITY = Permission("id-token", "write", "show Tailscale which job this is")


def before(connect: Connect | None, work: Work, frame: Frame) -> Work:
    """Return what a deploy does, after what lets it reach its target."""
    if not connect or connect == type(connect)():
        return work
    joins = connect.tailscale
    steps: tuple[Step | RawStep, ...] = (_join(joins, frame),) if joins else ()
    needed = {one.scope for one in work.permissions}
    identity = joins and joins.audience and _IDENTITY.scope not in needed
    return work._replace(
        steps=(*steps, *connect.steps, *work.steps),
        permissions=(*work.permissions, *([_IDENTITY] if identity else [])),
        minutes=min(LONGEST_MINUTES, work.minutes + _MINUTES),
    )


def _join(network: Tailscale, frame: Frame) -> Step:
    inputs = said(
        ("oauth-client-id", network.client),
        ("oauth-secret", "" if network.audience else network.secret),
        ("audience", network.audience),
        ("tags", ",".join(network.tags)),
        ("ping", ",".join(network.ping)),
        # What an earlier run has left in a cache is not run beside the keys of a host.
        ("use-cache", False),
    )
    return Step("Join the network of Tailscale", uses=frame.uses(_TAILSCALE), inputs=inputs)


def values_from_github(target: Environment) -> Iterator[Given]:
    """Yield each value that the steps before a deploy take from GitHub."""
    connect = target.connect
    if not connect:
        return
    if network := connect.tailscale:
        yield Given(network.client, "id of the OAuth client of Tailscale")
        if network.audience:
            yield Given(network.audience, "audience of the identity for Tailscale")
        else:
            yield Given(network.secret, "secret of the OAuth client of Tailscale")
    yield from of_user.values_of(connect.steps, "connect")

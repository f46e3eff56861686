"""What the registry is asked before anything is built: the push, and which versions it has."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ship.images.tags import describe, needs_published
from ship.runner.errors import UserError
from ship.runner.json_file import read_object

if TYPE_CHECKING:
    from ship.build_push.inputs import Image, Inputs
    from ship.images.registry import Client, Credential
    from ship.runner.step import Step


def client(want: Inputs, config: str, step: Step) -> Client | None:
    """Return a client of registries with the logins of this step, or None if nothing is asked."""
    if not want.push and not any(want.skips(image) for image in want.images):
        return None
    # Imported here: HTTP costs time that a dry run and a wrong input need not pay.
    from ship.images.registry import Client, Credential, stored  # noqa: PLC0415

    docker = read_object(os.path.join(config, "config.json"))

    def credential(registry: str) -> Credential | None:
        if registry == want.registry and want.password:
            return Credential(want.username, want.password)
        return stored(docker, registry, step.runner)

    return Client(credential, step.env)


def may_push(want: Inputs, registry: Client, step: Step) -> bool:
    """Ask whether the push will be taken; raises UserError when it will not.

    Returns False when this Python may not ask: then buildx does all by itself.
    """
    from ship.images.push_advice import advice  # noqa: PLC0415
    from ship.images.registry import CannotAsk  # noqa: PLC0415

    names = dict.fromkeys(name for image in want.images for name in image.metadata.names)
    try:
        refusals = [(name, registry.check_push(name)) for name in names]
    except CannotAsk as reason:
        # Docker may know of a plain connection that this Python does not.
        notice = f"The registry was not asked whether it takes the push: {reason}"
        step.workflow.notice(notice)
        return False
    problems = [
        advice(refusal, name, want.login, step.context) for name, refusal in refusals if refusal
    ]
    if problems:
        raise UserError(*problems)
    return True


def with_versions(want: Inputs, registry: Client) -> Inputs:
    """Let tags that move follow from the versions that are there, where they do."""
    images = [
        image._replace(metadata=describe(image.wanted, want.facts, _published(image, registry)))
        if needs_published(image.wanted, want.facts)
        else image
        for image in want.images
    ]
    return want._replace(images=tuple(images))


def _published(image: Image, registry: Client) -> tuple[str, ...] | None:
    from ship.images.registry import CannotAsk, Refused  # noqa: PLC0415

    try:
        return registry.tags(image.metadata.names[0])
    except (CannotAsk, Refused):
        return None  # A login may be good for pushing alone; what moves then stays.

"""What the registry is asked before anything is built: the push, and which versions it has."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ship.errors import ShipError, UserError
from ship.json_file import read_object
from ship.tags import describe, needs_published

if TYPE_CHECKING:
    from ship.build.inputs import Image, Inputs
    from ship.build.tools import Tools
    from ship.registry import Client, Credential


def open_registry(want: Inputs, config: str, tools: Tools) -> tuple[Inputs, Client | None]:
    """Return a client, and the inputs with the tags that follow from what the registry has.

    The client is None when there is nothing to ask, or when this Python may not ask: then buildx
    does all by itself. Raises UserError when the push would be refused.
    """
    if not want.push and not any(want.skips(image) for image in want.images):
        return want, None
    # Imported here: HTTP costs time that a dry run and a wrong input need not pay.
    from ship.registry import CannotAsk  # noqa: PLC0415

    registry = _client(want, config, tools)
    if not want.push:
        return want, registry
    try:
        _check_push(want, registry, tools)
    except CannotAsk as reason:
        # Docker may know of a plain connection that this Python does not.
        notice = f"The registry was not asked whether it takes the push: {reason}"
        tools.workflow.notice(notice)
        return want, None
    return _with_versions(want, registry), registry


def _client(want: Inputs, config: str, tools: Tools) -> Client:
    from ship.registry import Client, Credential, stored  # noqa: PLC0415

    docker = read_object(os.path.join(config, "config.json"))

    def credential(registry: str) -> Credential | None:
        if registry == want.registry and want.password:
            return Credential(want.username, want.password)
        return stored(docker, registry, tools.runner)

    return Client(credential, tools.env)


def _check_push(want: Inputs, registry: Client, tools: Tools) -> None:
    from ship.push_advice import advice  # noqa: PLC0415

    names = dict.fromkeys(name for image in want.images for name in image.metadata.names)
    refusals = [(name, registry.check_push(name)) for name in names]
    problems = [
        advice(refusal, name, want.username, tools.context) for name, refusal in refusals if refusal
    ]
    if problems:
        raise UserError(*problems)


def _with_versions(want: Inputs, registry: Client) -> Inputs:
    """Let tags that move follow from the versions that are there, where they do."""
    images = [
        image._replace(metadata=describe(image.wanted, want.facts, _published(image, registry)))
        if needs_published(image.wanted, want.facts)
        else image
        for image in want.images
    ]
    return want._replace(images=tuple(images))


def _published(image: Image, registry: Client) -> tuple[str, ...] | None:
    try:
        return registry.tags(image.metadata.names[0])
    except ShipError:
        return None  # A login may be good for pushing alone; what moves then stays.

"""Rules of a compose project: which of its services get which image, and its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.compose import MAY_BE_OURS, PROJECT, is_service, services_of
from gen_workflow.spec.hints import listed, near

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value
    from gen_workflow.spec.host import SshDeploy
    from gen_workflow.spec.sections import Fields

_LIST = "there is one image: write the services as a list, such as [web]"


def services_fit(deploy: SshDeploy, where: Value, keys: tuple[str, ...], reading: Reading) -> None:
    """Note a service that the project does not have, or an image that the spec does not have."""
    for one in deploy.services:
        spot = where.named(one.service)
        if one.image and one.image not in keys:
            what = f"{one.image!r} is not one of `images`"
            hint = near(one.image, keys) or f"use one of {listed(keys)}" if keys else _LIST
            reading.problem(spot, what, hint, Heading.WRONG_VALUE)
        elif keys and not one.image:
            what = f"does not say which of {listed(keys)} {one.service!r} gets"
            reading.problem(spot, what, f"write {{{one.service}: {keys[0]}}}", Heading.TOGETHER)
        else:
            is_service(one.service, where, deploy.compose, reading)


def all_go_somewhere(
    deploy: SshDeploy, where: Value, keys: tuple[str, ...], reading: Reading
) -> None:
    """Note an image of ours that no service of the compose files would get."""
    known = services_of(deploy.compose, reading)
    names = tuple(known or ())
    taken = {one.service: one.image for one in deploy.services if one.image}
    for key in keys:
        if key in taken.values() or (key not in taken and (known is None or key in known)):
            continue
        what = f"has no service {key!r}, and no other gets the image of this name"
        if key in taken:
            what = f"gives {taken[key]!r} to the service {key!r}, and {key!r} to none"
        hint = near(key, names) or f"its services: {listed(names)}" if key not in taken else ""
        said = f"say which gets it: services: {{SERVICE: {key}}}"
        reading.problem(where, what, f"{hint}; {said}" if hint else said, Heading.WRONG_VALUE)
    if known is None or keys or deploy.services:
        return
    if not any(re.search(MAY_BE_OURS, image) for image in known.values()):
        what = "has no service with an image of the repository"
        hint = f"say which services get the image: services: [{names[0] if names else 'web'}]"
        reading.problem(where, what, hint, Heading.MISSING_KEY)


def name_fits(fields: Fields, reading: Reading) -> None:
    """Note a name that no compose project can have."""
    name = fields.read.get("name")
    if name and not re.fullmatch(PROJECT, name):
        what = f"{name!r} is not a name that a compose project can have"
        hint = "use small letters, digits, - and _, with a letter or digit first"
        reading.problem(fields.values["name"], what, hint, Heading.WRONG_VALUE)

"""Asking registry and engine before anything is done. A dry run does not load this module."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ship.build_push.buildx.builder import CONTAINER, DOCKER, Choice, choose, has_engine
from ship.build_push.facts import Facts, Found
from ship.images.push_advice import REFUSED
from ship.images.registry.credentials import stored
from ship.images.registry.refusal import CannotAsk, Incomplete, Refused
from ship.images.tags import describe, needs_published
from ship.runner.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ship.build_push.buildx.leftovers import Leftover
    from ship.build_push.inputs import Image, Inputs
    from ship.images.login import Login
    from ship.images.push_advice import Adviser
    from ship.images.registry.client import Client
    from ship.images.registry.credentials import Credential
    from ship.runner.step import Step


def facts(want: Inputs, registry: Client | None, folder: str, step: Step) -> Facts:
    """Ask registry and engine for what the plan needs. Raises ShipError."""
    found = _search(want, registry, step) if registry else {}
    is_all_there = all(found.get(image.key, Found()).digest for image in want.images)
    choice = Choice() if is_all_there else choose(want, folder, step)
    return Facts(
        sets_tags=want.push and registry is not None,
        found=found,
        choice=choice,
        has_engine=want.push or choice.driver == DOCKER or has_engine(folder, step.runner),
        folder=folder,
        new_builder=f"ship-{os.urandom(6).hex()}",
        leftovers=_leftovers(choice, folder, step),
    )


def _leftovers(choice: Choice, folder: str, step: Step) -> tuple[Leftover, ...]:
    """Return what killed runs have left, where a builder is made on a machine that stays."""
    makes = choice.reasons and choice.driver == CONTAINER
    if not makes or step.env.get("RUNNER_ENVIRONMENT") != "self-hosted":
        return ()
    from ship.build_push.buildx import leftovers  # noqa: PLC0415 - 4 ms, seldom asked for

    return leftovers.find(folder, step.runner)


def logins(want: Inputs, config: Mapping[str, Any], step: Step) -> dict[str, Login]:
    """Return who logs in to each registry that the images have a name in."""
    registries = dict.fromkeys(name.registry for name in want.names)
    return {each: want.offers.login(each, config, step.runner) for each in registries}


def client(
    want: Inputs, known: Mapping[str, Login], config: Mapping[str, Any], step: Step
) -> Client | None:
    """Return a client of registries with the logins of this step, or None if nothing is asked."""
    if not want.push and not any(map(want.looks, want.images)):
        return None
    from ship.images.registry.client import Client  # noqa: PLC0415 - 20 ms, for HTTP and TLS

    def credential(registry: str) -> Credential | None:
        if registry in known:
            return known[registry].credential
        return stored(config, registry, step.runner)

    return Client(credential, step.env)


def may_push(want: Inputs, registry: Client, adviser: Adviser, step: Step) -> bool:
    """Ask whether the registry will take the push; raises UserError when it will not.

    Returns False when this Python cannot ask: then buildx pushes all tags itself.
    """
    try:
        refusals = [(name, registry.check_push(name)) for name in want.names]
    except CannotAsk as reason:
        if want.promotes or want.parts:
            raise  # It cannot be asked for the image of the commit, or the parts of one, either.
        # Docker may trust a registry or reach a host that this Python does not.
        notice = f"The action could not ask the registry whether it accepts the push: {reason}"
        step.workflow.notice(notice)
        return False
    problems = [adviser.advise(refusal, name) for name, refusal in refusals if refusal]
    if problems:
        raise UserError(*problems, title=REFUSED)
    return True


def with_versions(want: Inputs, registry: Client) -> Inputs:
    """Return the inputs with the tags that follow from the versions in the registry.

    Where not all of them are known, a notice says why; then tags such as `latest` stay.
    """
    if want.by_digest:
        return want  # it gets no tags
    images: list[Image] = []
    notices = list(want.notices)
    for image in want.images:
        if not needs_published(image.wanted, want.event):
            images.append(image)
            continue
        published, why = _published(image, registry)
        images.append(image._replace(metadata=describe(image.wanted, want.event, published)))
        notices += [why] if why else []
    return want._replace(images=tuple(images), notices=tuple(dict.fromkeys(notices)))


def _published(image: Image, registry: Client) -> tuple[tuple[str, ...] | None, str]:
    """Return the tags in the registry, or why they are not known.

    A login may be good for pushing alone.
    """
    try:
        return registry.tags(image.metadata.names[0]), ""
    except (CannotAsk, Incomplete, Refused) as error:
        reason = "; ".join(problem.what for problem in error.problems)
        return None, f"The action does not know all the versions in the registry: {reason}"


def _search(want: Inputs, registry: Client, step: Step) -> dict[str, Found]:
    """Return what the registry has of the images that need not be built again."""
    found: dict[str, Found] = {}
    if want.promotes:
        from ship.build_push.promotion import of_commit  # noqa: PLC0415 - seldom asked for

        found = of_commit(want, registry, step)
    left = [image for image in want.images if image.key not in found]
    if any(map(want.skips, left)) and want.parts:
        from ship.build_push.merging import merged  # noqa: PLC0415 - seldom asked for

        found |= {image.key: merged(want, image, registry) for image in left}
    elif any(map(want.skips, left)):
        from ship.build_push.content.unchanged import Search  # noqa: PLC0415 - 8 ms, seldom used

        found |= Search(want._replace(images=tuple(left)), registry, step).found()
    return found

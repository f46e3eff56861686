"""Which image of the spec goes where on a host: what no key of a deploy can check by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.hints import listed, near
from gen_workflow.spec.host import SshDeploy

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value
    from gen_workflow.spec.environments import Environment
    from gen_workflow.spec.sections import Fields


def images_fit(fields: Fields, reading: Reading) -> None:
    """Note a problem when it is not known which image goes where; a rule of the whole spec."""
    read = fields.read
    images = read.get("images") or ((read["image"],) if read.get("image") else ())
    keys = tuple(image.key for image in images if image.key)
    environments: tuple[Environment, ...] = read.get("environments") or ()
    for deploy, place in [
        (read.get("deploy"), fields.values.get("deploy")),
        *((one.deploy, fields.values["environments"].below([one.key])) for one in environments),
    ]:
        if place is not None and isinstance(deploy, SshDeploy) and images:
            _goes_somewhere(deploy, place, keys, fields, reading)


def _goes_somewhere(
    deploy: SshDeploy, place: Value, keys: tuple[str, ...], fields: Fields, reading: Reading
) -> None:
    if deploy.form == "run":
        _one_runs(deploy.run.image, _of(place, "run", reading), keys, reading)
    elif deploy.form == "compose":
        from gen_workflow.spec import compose_rules  # noqa: PLC0415 - only for compose

        services, project = (_of(place, name, reading) for name in ("services", "compose"))
        compose_rules.services_fit(deploy, services, keys, reading)
        compose_rules.all_go_somewhere(deploy, project, keys, reading)
        compose_rules.name_fits(fields, reading)


def _of(place: Value, name: str, reading: Reading) -> Value:
    """Return the value of a key of a deploy, which an environment may share with others."""
    found = place.below([name])
    return reading.shared.get(name, found) if found.path == place.path else found


def _one_runs(image: str, where: Value, keys: tuple[str, ...], reading: Reading) -> None:
    """Note a problem when it is not said which of several images runs."""
    if image and image not in keys:
        what = f"{image!r} is not one of `images`"
        hint = near(image, keys) or (f"use one of {listed(keys)}" if keys else "remove it")
        reading.problem(where.below(["image"]), what, hint, Heading.WRONG_VALUE)
    elif not image and len(keys) > 1:
        what = f"does not say which of {listed(keys)} runs"
        hint = f"write run: {{image: {keys[0]}}}; several containers are a project of `compose`"
        reading.problem(where, what, hint, Heading.MISSING_KEY)

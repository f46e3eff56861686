"""The plan of a rollback that a person asks for; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.images.reference import Name
from ship.kube.templates import all_containers, containers
from ship.kubectl_set_image.inputs import PREVIOUS
from ship.kubectl_set_image.patches import annotations_of, patch_of
from ship.kubectl_set_image.plan import CONTAINERS, Change, Plan, notes_of, plan
from ship.kubectl_set_image.workload_input import Images
from ship.runner.errors import UserError

if TYPE_CHECKING:
    from ship.kubectl_set_image.facts import Facts, Found
    from ship.kubectl_set_image.inputs import Inputs
    from ship.kubectl_set_image.revisions import Revision
    from ship.runner.context import Context


def rollback_plan(inputs: Inputs, facts: Facts, context: Context, now: str) -> Plan:
    """Return all that a rollback changes. Raises UserError."""
    if inputs.rollback != PREVIOUS:
        images = inputs.images if inputs.images.all else _current(inputs.rollback, facts)
        return plan(inputs._replace(images=images), facts, context, now)
    changes = (
        _change(each, each.previous, inputs, context) for each in facts.found if each.previous
    )
    return Plan(facts.namespace, tuple(changes), (), ())


def _current(digest: str, facts: Facts) -> Images:
    """Return the image that the workloads use now, at a digest. There must be one alone."""
    used = [image for each in facts.found for image in containers(each.live).values()]
    names = {name[:2]: name for name in map(Name.of, used) if name}
    if len(names) != 1:
        listed = ", ".join(str(name) for name in names.values()) or "none that has a name"
        raise UserError.of(
            f"the containers use several images, and the digest is for one: {listed}",
            where="input `image`",
            hint="name the image that the digest is of, or CONTAINER=IMAGE, without a digest",
            anchor=CONTAINERS,
        )
    return Images((f"{next(iter(names.values()))}@{digest}",), {})


def _change(found: Found, to: Revision, inputs: Inputs, context: Context) -> Change:
    template = to.template
    images = all_containers(template)
    annotations = annotations_of(images, inputs, context)
    return Change(
        found,
        images,
        {name: all_containers(found.live).get(name, "") for name in images},
        template,
        back=found.serving or found.live,
        # As the cluster itself notes a revision: the template replaces the other one as a whole.
        patch=patch_of(found, {"$patch": "replace", **template}, annotations, is_rollback=True),
        annotations=annotations,
        notes=(f"it goes back to {to}", *notes_of(found, template, images)),
        to=to,
        is_rollback=True,
    )

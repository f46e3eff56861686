"""All that will be changed, as data; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.images.reference import Name
from ship.kube.templates import (
    all_containers,
    containers,
    volume_images,
    with_images,
    with_pull_secret,
)
from ship.kubectl_set_image.manifests import replaced, with_template
from ship.kubectl_set_image.patches import COMMIT, annotations_of, part_of, patch_of
from ship.runner.commit import Commit
from ship.runner.errors import Problem, UserError, near_match
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ship.kubectl_set_image.facts import Facts, Found
    from ship.kubectl_set_image.inputs import Inputs
    from ship.kubectl_set_image.revisions import Revision
    from ship.kubectl_set_image.workload_input import Target
    from ship.runner.context import Context

    Object = Mapping[str, Any]

OWN_MANAGERS = ("gen-workflow", "kubectl-set")
EVERY = "*"
CONTAINERS = "a-container-that-is-not-accepted"


class Change(NamedTuple):
    """What is changed in a workload.

    `images` and `previous` are by container; both have the same names. `template` is what the
    workload has afterwards, `back` what it had, and what it gets again when the rollout fails.
    `patch` is empty where the workload is not changed, or is applied as a manifest. `to` is the
    revision whose whole template comes back. It `is_rollback` where a person asked for one.
    """

    found: Found
    images: Mapping[str, str]
    previous: Mapping[str, str]
    template: Object
    back: Object | None
    patch: Object
    annotations: Mapping[str, str]
    notes: tuple[str, ...] = ()
    to: Revision | None = None
    is_rollback: bool = False

    @property
    def target(self) -> Target:
        return self.found.target

    @property
    def is_applied(self) -> bool:
        """Whether it is changed by the manifests."""
        return self.found.manifest is not None

    @property
    def as_written(self) -> Object:
        """The workload as its manifest has it; empty without one."""
        return self.found.manifest.object if self.found.manifest else {}

    def shown(self) -> str:
        """Return the change as lines for a person."""
        lines = [f"{self.target}: {self._what()}"]
        for container, image in self.images.items():
            old = self.previous.get(container) or "nothing"
            same = "stays" if old == image else f"{old} -> {image}"
            lines.append(f"  container {container}: {same}")
        return "\n".join((*lines, *(f"  note: {note}" for note in self.notes)))

    def _what(self) -> str:
        if self.to:
            return f"go back to {self.to}"
        if self.is_applied:
            return "apply its manifest" if self.found.before else "create it from its manifest"
        return "set images" if self.patch else "nothing to do, it has these images"


class Plan(NamedTuple):
    """What is done: Secrets, then manifests, then a patch for each workload."""

    namespace: str
    changes: tuple[Change, ...]
    objects: tuple[Object, ...]
    secrets: tuple[str, ...]

    def shown(self) -> str:
        """Return the plan as lines for a person."""
        lines = [f"namespace {self.namespace}"]
        lines += [f"secret/{name}: write it" for name in self.secrets]
        lines += [f"apply {len(self.objects)} objects from the manifests"] if self.objects else []
        return "\n".join((*lines, *(change.shown() for change in self.changes)))


def plan(inputs: Inputs, facts: Facts, context: Context, now: str) -> Plan:
    """Return all that will be changed; `now` is the time for a restart. Raises UserError."""
    problems: list[Problem] = []
    known = [image for each in facts.found for image in all_containers(each.template).values()]
    choices = {str(each.target): _choice(each, inputs, known, problems) for each in facts.found}
    _check_use(inputs, facts, choices, problems)
    _check_commits(inputs, facts, problems)
    if problems:
        raise UserError(*dict.fromkeys(problems))
    changes = tuple(
        _change(each, choices[str(each.target)], inputs, context, now)
        for each in facts.found
        if choices[str(each.target)] or each.manifest
    )
    applied = [
        with_template(each.found.manifest, each.template, each.annotations)
        for each in changes
        if each.found.manifest
    ]
    names = tuple(each.name for each in inputs.all_secrets)
    return Plan(facts.namespace, changes, replaced(facts.objects, applied), names)


def _choice(
    found: Found, inputs: Inputs, known: Sequence[str], problems: list[Problem]
) -> dict[str, str]:
    """Return the image for each container of a workload that gets one. Notes problems."""
    template, target = found.template, found.target
    is_named = any(each is target or each == target for each in inputs.targets)
    chosen = _by_repository(template, target, inputs, problems)
    if not chosen and is_named and not target.images:
        chosen = _for_placeholder(template, inputs, known)
    # What is said for one workload goes before what is said for all, and so for containers.
    for source, pairs in (("image", inputs.images.by_container), ("workload", target.images)):
        if EVERY in pairs:
            chosen.update(dict.fromkeys(containers(template), pairs[EVERY]))
        for container, image in pairs.items():
            if container in all_containers(template):
                chosen[container] = image
            elif source == "workload" and container != EVERY:
                problems.append(_unknown(source, container, target, template))
    if not chosen and is_named and not problems:
        problems += _nothing(target, template, inputs)
    return chosen


def _by_repository(
    template: Object, target: Target, inputs: Inputs, problems: list[Problem]
) -> dict[str, str]:
    """Return the images for the containers that use their repositories now."""
    images = inputs.images.by_repository
    chosen: dict[str, str] = {}
    for container, old in all_containers(template).items():
        fitting = [each for each in images if _is_same(each, old)]
        if len(fitting) > 1:
            what = f"container {container!r} of {target} fits {' and '.join(fitting)}"
            hint = f"name the container: {container}=IMAGE"
            problems.append(Problem("input `image`", what, hint, CONTAINERS))
        elif fitting:
            chosen[container] = fitting[0]
    return chosen


def _for_placeholder(template: Object, inputs: Inputs, known: Sequence[str]) -> dict[str, str]:
    """Return the only image for the only container of a workload: there is no doubt what is meant.

    There is some where another workload uses the repository, as when this one is its database.
    """
    images, plain = inputs.images.by_repository, list(containers(template))
    if len(images) == len(plain) == 1 and not any(_is_same(images[0], old) for old in known):
        return {plain[0]: images[0]}
    return {}


def _is_same(image: str, old: str) -> bool:
    ours = Name.of(image)
    return ours is not None and ours.is_same(Name.of(old))


def _unknown(source: str, container: str, target: Target, template: Object) -> Problem:
    hint = near_match(container, all_containers(template))
    what = f"{target} has no container {container!r}"
    return Problem(f"input `{source}`", what, hint, CONTAINERS)


def _nothing(target: Target, template: Object, inputs: Inputs) -> list[Problem]:
    """Return why no container of a workload gets an image."""
    images = inputs.images
    if images.by_container and not images.by_repository:
        return [_unknown("image", each, target, template) for each in images.by_container]
    has = ", ".join(f"{name} ({image})" for name, image in all_containers(template).items())
    given = ", ".join(images.by_repository)
    what = f"no container of {target} uses the repository of {given}; it has {has}"
    hint = "name the container, as in app=IMAGE"
    return [Problem("input `image`", what, hint, CONTAINERS)]


def _check_use(
    inputs: Inputs,
    facts: Facts,
    choices: Mapping[str, Mapping[str, str]],
    problems: list[Problem],
) -> None:
    """Note an image and a container of the input `image` that no workload has use for."""
    if problems:
        return
    used = {image for choice in choices.values() for image in choice.values()}
    for image in inputs.images.by_repository:
        if image not in used:
            what = f"no container of {_listed(facts)} uses the repository of {image}"
            hint = "name the container, as in app=IMAGE"
            problems.append(Problem("input `image`", what, hint, CONTAINERS))
    known = {name for each in facts.found for name in all_containers(each.template)}
    for container in inputs.images.by_container:
        if container not in known and container != EVERY:
            what = f"{_listed(facts)} has no container {container!r}"
            hint = near_match(container, known)
            problems.append(Problem("input `image`", what, hint, CONTAINERS))


def _listed(facts: Facts) -> str:
    return ", ".join(str(each.target) for each in facts.found) or "the manifests"


def _check_commits(inputs: Inputs, facts: Facts, problems: list[Problem]) -> None:
    """Note a workload that a newer commit of the same branch was deployed to."""
    if inputs.may_be_older or not inputs.commit:
        return
    for each in facts.found:
        there = Commit.parse(each.annotations.get(COMMIT) or "")
        if there and inputs.commit.is_before(there):
            what = f"{each.target} has a newer commit ({there.shown}), and this run is for an "
            hint = (
                "start the workflow for the newest commit; to deploy this one anyway, set "
                "`older-commit: deploy`"
            )
            anchor = "an-older-commit-in-the-cluster"
            problems.append(Problem("", f"{what}older one", hint, anchor))


def _change(
    found: Found, images: Mapping[str, str], inputs: Inputs, context: Context, now: str
) -> Change:
    template = found.template
    previous = {name: all_containers(found.live).get(name, "") for name in images}
    secret = inputs.pull_secret.name if inputs.pull_secret else ""
    new = with_images(template, images)
    new = with_pull_secret(new, secret) if secret else new
    annotations = annotations_of(images, inputs, context)
    patch: Object = {}
    if not found.manifest and (new != template or inputs.restarts):
        part = part_of(template, images, secret, now if new == template else "")
        patch = patch_of(found, part, annotations, is_rollback=bool(inputs.rollback))
    return Change(
        found, images, previous, new, found.serving or found.live or None, patch, annotations,
        tuple(notes_of(found, new, images)), is_rollback=bool(inputs.rollback),
    )  # fmt: skip


def notes_of(found: Found, template: Object, images: Mapping[str, str]) -> Iterator[str]:
    """Yield what a person should know and may have to change."""
    for volume, image in volume_images(template):
        if any(_is_same(each, image) for each in images.values()):
            yield f"the volume {volume} is the image {image}, which is not changed"
    if found.before and not found.manifest:
        yield from _owners(found.workload, images)
    if found.before and not found.is_healthy and found.target.kind.has_rollout:
        goes = "a rollback goes to the version whose pods are ready"
        none = "no pod is ready, so a rollback can only put back what is there now"
        yield f"it is not healthy now: {goes if found.serving else none}"


def _owners(workload: Object, images: Mapping[str, str]) -> Iterator[str]:
    """Yield who applies the image from elsewhere, and would set it back or stumble over ours."""
    for entry in (workload.get("metadata") or {}).get("managedFields") or ():
        manager = str(entry.get("manager"))
        if entry.get("operation") != "Apply" or manager in OWN_MANAGERS:
            continue
        fields = entry.get("fieldsV1") or {}
        owned = [name for name in images if _has_image(fields, f'k:{{"name":"{name}"}}')]
        if owned:
            yield (
                f"{manager} applies the image of {', '.join(owned)} from elsewhere: it may set it "
                "back, or stop with a conflict; let it ignore this field, or change it there"
            )


def _has_image(fields: Any, container: str) -> bool:
    """Say whether the image of a container is among the fields that a manager owns."""
    if not isinstance(fields, dict):
        return False
    return "f:image" in (fields.get(container) or {}) or any(
        _has_image(each, container) for each in fields.values()
    )

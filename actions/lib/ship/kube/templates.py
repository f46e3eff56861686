"""Pod templates: their containers and images."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Object = Mapping[str, Any]

# The controller adds it to the template of a ReplicaSet.
HASH = "pod-template-hash"
# `kubectl rollout restart` sets it, and so do we.
RESTARTED = "kubectl.kubernetes.io/restartedAt"
# Of a fingerprint; a workload has few templates.
DIGITS = 12


def spec_of(template: Object) -> dict[str, Any]:
    """Return the specification of the pods."""
    return dict(template.get("spec") or {})


def containers(template: Object) -> dict[str, str]:
    """Return the images of the containers that are no init containers, by name."""
    return _images(template, "containers")


def init_containers(template: Object) -> dict[str, str]:
    """Return the images of the init containers, by name; sidecars may be among them."""
    return _images(template, "initContainers")


def all_containers(template: Object) -> dict[str, str]:
    """Return the images of all containers, by name."""
    return {**init_containers(template), **containers(template)}


def _images(template: Object, key: str) -> dict[str, str]:
    found = spec_of(template).get(key) or ()
    return {str(each.get("name")): str(each.get("image") or "") for each in found}


def volume_images(template: Object) -> Iterator[tuple[str, str]]:
    """Yield the volumes that are images: their names and their images."""
    for volume in spec_of(template).get("volumes") or ():
        image = (volume.get("image") or {}).get("reference")
        if image:
            yield str(volume.get("name")), str(image)


def pull_secrets(template: Object) -> list[str]:
    """Return the names of the Secrets that the images are pulled with."""
    found = spec_of(template).get("imagePullSecrets") or ()
    return [str(each.get("name")) for each in found]


def with_images(template: Object, images: Mapping[str, str]) -> dict[str, Any]:
    """Return a template with other images of these containers."""
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    for key in ("containers", "initContainers"):
        for each in (changed.get("spec") or {}).get(key) or ():
            if each.get("name") in images:
                each["image"] = images[each["name"]]
    return changed


def with_pull_secret(template: Object, name: str) -> dict[str, Any]:
    """Return a template whose images are pulled with a Secret as well."""
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    found = changed.setdefault("spec", {}).setdefault("imagePullSecrets", [])
    if name not in [each.get("name") for each in found]:
        found.append({"name": name})
    return changed


def without_hash(template: Object) -> dict[str, Any]:
    """Return the template of a ReplicaSet as its Deployment had it."""
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    labels = (changed.get("metadata") or {}).get("labels") or {}
    labels.pop(HASH, None)
    return changed


def fingerprint(template: Object) -> str:
    """Return the same short text for templates that start the same pods.

    It does not depend on what controllers add, nor on when the pods were restarted.
    """
    plain = without_hash(template)
    notes = (plain.get("metadata") or {}).get("annotations") or {}
    notes.pop(RESTARTED, None)
    text = json.dumps(_said(plain), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def _said(value: Any) -> Any:
    """Return a value without what is empty, which a controller may write or leave out."""
    if isinstance(value, dict):
        found = {key: _said(each) for key, each in value.items()}
        return {key: each for key, each in found.items() if each not in (None, {}, [])}
    return [_said(each) for each in value] if isinstance(value, list) else value

"""Which fields the next manifests may take away again: those that a rollback of ours has set; pure.

The server notes who has set a field. What was applied disappears when it is taken out of the
manifests. What a patch has set stays, and so would a variable that only a rollback has put back.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply
does the same with what `kubectl` has applied on its side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ship.kube.client import FIELD_MANAGER
from ship.kubectl_set_image.revisions import LEFT

if TYPE_CHECKING:
    from collections.abc import Mapping

    Object = Mapping[str, Any]

SPEC = "f:spec"


def handed_over(workload: Object) -> list[dict[str, Any]] | None:
    """Return a JSON patch that gives our manifests the fields that our patches have set.

    None where there are none, and where nothing was ever put back. The annotations of our patches
    stay what they are: no manifest has them. The patch fails when the workload has changed since it
    was read.
    """
    metadata = workload["metadata"]
    if LEFT not in (metadata.get("annotations") or {}):
        return None
    entries: list[dict[str, Any]] = [dict(each) for each in metadata.get("managedFields") or ()]
    applied = next((each for each in entries if _is_ours(each, "Apply")), None)
    patched = next((each for each in entries if _is_ours(each, "Update")), None)
    if not applied or not patched or SPEC not in _fields(patched):
        return None
    spec = {SPEC: _fields(patched)[SPEC]}
    applied["fieldsV1"] = _union(_fields(applied), spec)
    patched["fieldsV1"] = {key: each for key, each in _fields(patched).items() if key != SPEC}
    left = [each for each in entries if each is not patched or _fields(patched)]
    version = metadata["resourceVersion"]
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/metadata/managedFields", "value": left},
    ]


def _is_ours(entry: Object, operation: str) -> bool:
    is_ours = entry.get("manager") == FIELD_MANAGER and entry.get("operation") == operation
    return is_ours and not entry.get("subresource")


def _fields(entry: Object) -> dict[str, Any]:
    return dict(entry.get("fieldsV1") or {})


def _union(one: Object, other: Object) -> dict[str, Any]:
    shared = {key: _union(one[key], each) for key, each in other.items() if key in one}
    return {**one, **other, **shared}

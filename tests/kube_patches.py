"""The patches of the API server of Kubernetes, as far as its double for unit tests needs them."""

from __future__ import annotations

import copy
from typing import Any

# Lists that a strategic merge patch merges by the names of their elements.
BY_NAME = ("containers", "initContainers", "imagePullSecrets", "volumes", "env")


class Impossible(Exception):  # noqa: N818 - named after the patch
    """A JSON patch that does not fit the object."""


def merged(old: Any, patch: Any) -> Any:
    """Return an object after a strategic merge patch."""
    if not isinstance(old, dict) or not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if patch.get("$patch") == "replace":
        return copy.deepcopy({key: each for key, each in patch.items() if key != "$patch"})
    found = copy.deepcopy(old)
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        elif key in BY_NAME and isinstance(value, list):
            found[key] = _by_name(found.get(key) or [], value)
        else:
            found[key] = merged(found.get(key, {}), value)
    return found


def _by_name(old: list[Any], patch: list[Any]) -> list[Any]:
    found = {each["name"]: each for each in old}
    for each in patch:
        found[each["name"]] = merged(found.get(each["name"], {}), each)
    return list(found.values())


def json_patched(old: Any, operations: list[dict[str, Any]]) -> Any:
    """Return an object after a JSON patch of `replace`, `add`, `remove` and `test`."""
    found = copy.deepcopy(old)
    for each in operations:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in each["path"].split("/")[1:]
        ]
        place = found
        for part in parents:
            place = place[part]
        if each["op"] != "add" and last not in place:
            raise Impossible(f"{each['op']}: the path {each['path']} is not there")
        if each["op"] == "test" and place[last] != each["value"]:
            raise Impossible(f"testing value {each['path']} failed")
        if each["op"] == "remove":
            del place[last]
        elif each["op"] in ("replace", "add"):
            place[last] = copy.deepcopy(each["value"])
    return found

"""Reading JSON that other programs wrote: what is not as expected counts as empty."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_object(path: str) -> dict[str, Any]:
    """Return the object in a file; an empty one if there is no file or none that is an object."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def object_at(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the object that is the value of a key; an empty one if it is anything else."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}

"""Reading a file of JSON that somebody else wrote."""

from __future__ import annotations

import json
from typing import Any


def read_object(path: str) -> dict[str, Any]:
    """Return the object in a file; an empty one if there is no file or none that is an object."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

"""Which release of which action a rendered workflow uses: full commit and the version behind it."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

OURS = "gen-workflow/gen-workflow"


class Pin(NamedTuple):
    """A repository of actions at one commit."""

    repository: str
    sha: str
    version: str

    def uses(self, folder: str = "") -> Uses:
        """Return what a step says to use the action in a folder of the repository."""
        name = f"{self.repository}/{folder}" if folder else self.repository
        return Uses(f"{name}@{self.sha}", self.version)


class Uses(NamedTuple):
    """The value of `uses:` and the version that stands behind it as a comment."""

    reference: str
    version: str


def table() -> dict[str, Pin]:
    """Return every pin by repository; pins.json is the one place that holds them."""
    path = os.path.join(os.path.dirname(__file__), "pins.json")  # noqa: PTH118, PTH120 - see stamp
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs start-up time
        return {name: Pin(name, **entry) for name, entry in json.load(file).items()}

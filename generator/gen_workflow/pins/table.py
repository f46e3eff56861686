"""Reads the table of pins: for each repository of actions the full commit and its version."""

from __future__ import annotations

import json
import os

from gen_workflow.workflow.records import Pin

CHECKOUT = "actions/checkout"
APP_TOKEN = "actions/create-github-app-token"  # noqa: S105 - the name of an action
OURS = "gen-workflow/gen-workflow"


def table() -> dict[str, Pin]:
    """Return every pin by repository; pins.json is the one place that holds them."""
    path = os.path.join(os.path.dirname(__file__), "pins.json")  # noqa: PTH118, PTH120 - see files
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs start-up time
        return {name: Pin(name, **entry) for name, entry in json.load(file).items()}

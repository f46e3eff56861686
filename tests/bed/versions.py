"""Reads the pinned versions of the bed, without a package: Python 3.10 has no tomllib."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("versions.toml")
SECTION = re.compile(r"\[([a-z-]+)\]")
# The file uses only the part of TOML whose values are also JSON, one line each.
PAIR = re.compile(r'(?P<quote>"?)(?P<key>[^"=\s]+)(?P=quote)\s*=\s*(?P<value>.+)')


def load(section: str) -> dict[str, Any]:
    """Return the keys of a section of versions.toml: strings and lists of strings."""
    return sections()[section]


def sections() -> dict[str, dict[str, Any]]:
    """Return all sections of versions.toml."""
    found: dict[str, dict[str, Any]] = {}
    current: dict[str, Any] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if heading := SECTION.match(line):
            current = found.setdefault(heading[1], {})
        elif pair := PAIR.match(line):
            current[pair["key"]], _ = json.JSONDecoder().raw_decode(pair["value"])
    return found

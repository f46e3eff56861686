"""The pinned versions of the bed, read without any package: Python 3.10 has no tomllib."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("versions.toml")
SECTION = re.compile(r"\[([a-z-]+)\]")
# The file keeps to the part of TOML whose values are JSON too, one line each.
PAIR = re.compile(r'(?P<quote>"?)(?P<key>[^"=\s]+)(?P=quote)\s*=\s*(?P<value>.+)')


def load(section: str) -> dict[str, Any]:
    """Return the keys of a section of versions.toml: strings and lists of strings."""
    return sections()[section]


def sections() -> dict[str, dict[str, Any]]:
    """Return the whole of versions.toml."""
    found: dict[str, dict[str, Any]] = {}
    current: dict[str, Any] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if heading := SECTION.match(line):
            current = found.setdefault(heading[1], {})
        elif pair := PAIR.match(line):
            current[pair["key"]], _ = json.JSONDecoder().raw_decode(pair["value"])
    return found

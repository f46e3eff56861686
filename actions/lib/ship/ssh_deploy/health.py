"""How the health path is asked, and which answers are good: the same in every form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ship.runner.reader import Reader

SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}(?::[0-9]{1,5})?")
STATUS = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?")
GOOD = "200-299"
WITHOUT_A_PATH = "has no effect without `health`", "give a path, or leave it out"


def read_health_host(read: Reader) -> str:
    """Read the name of the site in the request; empty for the address that the host asks."""
    site = read.text("health-host")
    if site and not read.text("health"):
        read.problem("health-host", *WITHOUT_A_PATH)
    hint = "write the name that users open, such as shop.example.com, without https:// and path"
    return read.matching("health-host", SITE, "the name of a site", site, hint=hint)


def read_health_status(read: Reader) -> str:
    """Read the statuses that are good, as ranges with a blank between: `200-299 401-401`."""
    text = read.text("health-status", default=GOOD)
    if text != GOOD and not read.text("health"):
        read.problem("health-status", *WITHOUT_A_PATH)
    return " ".join(_range(read, word) for word in text.replace(",", " ").split())


def _range(read: Reader, word: str) -> str:
    match = STATUS.fullmatch(word)
    low, high = (match[1], match[2] or match[1]) if match else ("1", "0")
    if low > high:
        hint = "write statuses and ranges with commas between, such as 200-399 or 200,401"
        read.problem("health-status", f"{word!r} is not a status or a range of them", hint)
    return f"{low}-{high}"

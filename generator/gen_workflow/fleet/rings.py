"""The key `rings` of the file of a fleet: a few repositories first, then more."""

from __future__ import annotations

import hashlib
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.fleet.selection import PATTERN
from gen_workflow.github.remote import SLUG
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Form, Schema, entries

if TYPE_CHECKING:
    from collections.abc import Sequence

REST = "rest"
_RING = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_LISTED = f"{SLUG}|{PATTERN}|[A-Za-z0-9_-]+/{PATTERN}"
_SHARE = r"(?:100|[1-9][0-9]?)%"
_NUMBER = r"[1-9][0-9]{0,5}"
_FORMS = f"write a list of names, a number, a percentage such as 10%, or `{REST}`"


class Ring(NamedTuple):
    """A ring: the names that it lists, or how many of those that no earlier ring has.

    `many` is a number, a percentage of the whole fleet, or the word for all that are left.
    """

    key: Value
    names: tuple[Value, ...] = ()
    many: str = ""

    @property
    def name(self) -> str:
        """Its name in the file."""
        return self.key.text

    def size(self, fleet: int, left: int) -> int:
        """Return how many it takes of those that are left; a part of one is a whole one."""
        if self.many == REST:
            return left
        if self.many.endswith("%"):
            return min(left, -(-fleet * int(self.many[:-1]) // 100))
        return min(left, int(self.many or 0))


class Rings(Form[tuple[Ring, ...]]):
    """The rings by their names, in their order."""

    def read(self, value: Value, reading: Reading) -> tuple[Ring, ...] | None:
        if value.kind != "a mapping":
            what = f"should be a mapping of rings, but is {value.kind}"
            hint = "write for example rings: {first: [orders], early: 10%, all: rest}"
            reading.problem(value, what, hint, Heading.WRONG_KIND)
            return None
        found = (_ring(key, item, reading) for key, item in entries(value, reading))
        return tuple(ring for ring in found if ring)

    def schema(self) -> Schema:
        names = {"type": "array", "items": {"type": "string", "pattern": f"^(?:{_LISTED})$"}}
        share = {"type": "string", "pattern": f"^(?:{_SHARE}|{REST})$"}
        number = {"type": "integer", "minimum": 1}
        ring = {"anyOf": [names, share, number]}
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^{_RING}$"},
            "additionalProperties": ring,
        }


def _ring(key: Value, item: Value, reading: Reading) -> Ring | None:
    if not re.fullmatch(_RING, key.text):
        what, hint = f"{key.text!r} is not the name of a ring", "write a word such as early"
        reading.problem(key, what, hint, Heading.WRONG_VALUE)
        return None
    if item.kind == "a list":
        names = [one for one in item.items() if _is_name(one, reading)]
        return Ring(key, tuple(names))
    if re.fullmatch(f"{_SHARE}|{_NUMBER}|{REST}", item.text if item.kind != "a mapping" else ""):
        return Ring(key, many=item.text)
    found = repr(item.text) if item.kind in ("text", "a number") else item.kind
    what = f"{found} does not say which repositories are in the ring"
    reading.problem(item, what, _FORMS, Heading.WRONG_VALUE)
    return None


def _is_name(value: Value, reading: Reading) -> bool:
    if value.kind == "text" and re.fullmatch(_LISTED, value.text):
        return True
    found = repr(value.text) if value.kind == "text" else value.kind
    what = f"{found} is not the name of a repository"
    hint = "write NAME or OWNER/NAME; `*` stands for anything"
    reading.problem(value, what, hint, Heading.WRONG_VALUE)
    return False


def divided(rings: Sequence[Ring], slugs: Sequence[str]) -> dict[str, set[str]]:
    """Return the repositories in each ring, by its name.

    A ring takes those that no earlier ring has. Where it has a number of them, the hash of the
    name decides: one more repository in the fleet then moves few others into another ring.
    """
    found: dict[str, set[str]] = {}
    taken: set[str] = set()
    for ring in rings:
        listed = {slug for name in ring.names for slug in _named(name, slugs)}
        left = sorted((slug for slug in slugs if slug not in taken), key=hashed)
        found[ring.name] = (listed - taken) | {*left[: ring.size(len(slugs), len(left))]}
        taken |= found[ring.name]
    return found


def check(rings: Sequence[Ring], slugs: Sequence[str], source: str) -> None:
    """Raise SpecError with every name in the rings that no repository of the fleet has."""
    reading = Reading(source)
    for name in (one for ring in rings for one in ring.names if not _named(one, slugs)):
        what = f"{name.text!r} is not a repository of the fleet"
        hint = "add it to `repos`, or take it out of the ring"
        reading.problem(name, what, hint, Heading.WRONG_VALUE)
    reading.raise_problems()


def _named(name: Value, slugs: Sequence[str]) -> list[str]:
    pattern = name.text.lower()
    return [slug for slug in slugs if _fits(slug.lower(), pattern)]


def _fits(slug: str, pattern: str) -> bool:
    return fnmatchcase(slug if "/" in pattern else slug.partition("/")[2], pattern)


def hashed(slug: str) -> str:
    """Return the hash of a name, which decides where no list does: it moves few others later."""
    return hashlib.sha256(slug.lower().encode()).hexdigest()

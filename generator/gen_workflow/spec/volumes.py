"""Volumes: their form, their options, and what two of them cannot share.

ssh-deploy has the same rules; tests/conformance/test_both_halves.py holds both together.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.forms import Checked, anchored, text
from gen_workflow.spec.hints import listed

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

# A name has two characters at least: Docker reads a single one as the drive of a Windows path.
MOUNTED = r"(?:/[^:\s]*|[a-zA-Z0-9][a-zA-Z0-9_.-]+):/[^:\s]*(?::[a-zA-Z,]+)?"
# Docker takes one of each (moby, daemon/volume/mounts/linux_parser.go). Those of the third belong
# to a named volume, those of the last to a path of the host.
MODES: tuple[tuple[str, ...], ...] = (
    ("rw", "ro"),
    ("z", "Z"),
    ("nocopy",),
    ("consistent", "cached", "delegated"),
    ("shared", "rshared", "slave", "rslave", "private", "rprivate"),
)
_OF_A_NAME, _OF_A_PATH = MODES[2], MODES[4]
_HINT = 'write SOURCE:TARGET, such as "data:/var/lib/app" or "/srv/app:/data:ro"'


def target_of(found: str) -> str:
    """Return the path in the container that a volume takes, in its shortest form."""
    return "/" + posixpath.normpath(found.split(":")[1]).lstrip("/")


def wrong_mode(found: str) -> str:
    """Return the first option of a volume that Docker would refuse there; empty when none is."""
    source, _, *rest = found.split(":")
    seen = [_OF_A_NAME if source.startswith("/") else _OF_A_PATH]
    for mode in rest[0].split(",") if rest else ():
        kind = next((kind for kind in MODES if mode in kind), None)
        if kind is None or kind in seen:
            return mode or ","
        seen.append(kind)
    return ""


def _volume(value: Value, reading: Reading) -> str | None:
    """Return a volume, SOURCE:TARGET[:OPTIONS] as docker run takes it."""
    found = text(value, reading, '"data:/var/lib/app"')
    if found is None:
        return None
    source, _, rest = found.partition(":")
    if not re.fullmatch(MOUNTED, found) or not found.isprintable():
        is_source = re.fullmatch(r"/.*|[A-Za-z0-9][A-Za-z0-9_.-]+", source)
        if is_source or not re.fullmatch(r"/[^:\s]*(?::[a-zA-Z,]+)?", rest) or " " in source:
            what = f"{found!r} is not a volume"
        else:
            what = f"{source!r} is neither a name nor an absolute path of the host"
        reading.problem(value, what, _HINT, Heading.WRONG_VALUE)
    elif target_of(found) == "/":
        what = f"{found!r} would take the place of the whole file system of the container"
        reading.problem(value, what, _HINT, Heading.WRONG_VALUE)
    elif mode := wrong_mode(found):
        of_source = _OF_A_PATH if source.startswith("/") else _OF_A_NAME
        words = tuple(word for kind in (*MODES[:2], MODES[3], of_source) for word in kind)
        hint = f"use `ro`, or others of {listed(words)}, and one of each kind at most"
        reading.problem(
            value,
            f"{found!r}: Docker does not take the option {mode!r} here",
            hint,
            Heading.WRONG_VALUE,
        )
    else:
        return found
    return None


VOLUME = Checked(_volume, {"type": "string", "pattern": anchored(MOUNTED)})

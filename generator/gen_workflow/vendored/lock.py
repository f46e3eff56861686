"""The lock of a copy: the hash of every file, and which version of gen-workflow copied them.

Below its comment it has the form of sha256sum(1), which can check a copy without gen-workflow.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.pins.table import OURS
from gen_workflow.sync import stamp
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "gen-workflow.lock"
_ABOUT = f"""\
# Made by `gen-workflow generate`, which copied these files; `gen-workflow check` compares them.
# To look at them without it, run here: sha256sum --check {NAME}
# from {OURS}@{{commit}} # v{{version}}
"""
# The line that says where the files come from, as a `uses:` says it.
ORIGIN = re.compile(
    rf"^# from {OURS}@(?P<commit>[0-9a-f]{{40}}) (?P<comment># v(?P<version>\S+))$", re.MULTILINE
)
_PART = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+"
_ENTRY = re.compile(rf"([0-9a-f]{{64}})  ({_PART}(?:/{_PART})*)")


class Lock(NamedTuple):
    """Which version copied, from which commit of our repository, and the SHA-256 by path."""

    version: str
    commit: str
    hashes: Mapping[str, str]


def text(files: Mapping[str, bytes], commit: str) -> bytes:
    """Return the lock of files that this version copies; it depends on nothing else."""
    entries = "".join(f"{digest(files[path])}  {path}\n" for path in sorted(files))
    return f"{_ABOUT.format(commit=commit, version=__version__)}{entries}".encode()


def read(content: bytes) -> Lock | None:
    """Return what a lock says; None for a text that is none, such as one with marks of a merge."""
    whole = stamp.plain(content).decode("utf-8", "replace")
    origin = ORIGIN.search(whole)
    entries = [_ENTRY.fullmatch(line) for line in whole.splitlines() if not line.startswith("#")]
    hashes = {entry[2]: entry[1] for entry in entries if entry and entry[2] != NAME}
    if origin is None or len(hashes) != len(entries):
        return None
    return Lock(origin["version"], origin["commit"], hashes)


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content."""
    return hashlib.sha256(content).hexdigest()

"""The comment behind a pin: which version it says, and how it says another one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.pins.versions import version

if TYPE_CHECKING:
    from gen_workflow.pins.versions import Version

# Before the version stands nothing, or what other tools write there. ratchet's comment says which
# versions it may move to. A bare number, as in `# 2 of 3`, is no version.
_SAYS = re.compile(
    r"#\s*(?P<ratchet>ratchet:\S+@)?(?:tag=|pin@|version:?\s+|[\w.-]+/[\w./-]+(?:@|\s+))?"
    r"(?P<tag>(?:[A-Za-z][A-Za-z_-]*[-_/@])?(?=v\d|\d+\.\d)[\w.+-]+)(?=[\s,;)]|$)"
)


def said(comment: str) -> Version | None:
    """Return the version that a comment says; None when it says none."""
    found = _SAYS.match(comment)
    return version(found["tag"]) if found else None


def saying(comment: str, meant: Version) -> str:
    """Return a comment that says a version, with all else as it was; a missing one is made."""
    if not comment:
        return f" # {meant.tag}"
    found = _SAYS.match(comment)
    if found is None:
        return f"# {meant.tag} {comment}"
    before = version(found["tag"])
    tag = meant.like(before) if found["ratchet"] and before else meant.tag
    return f"{comment[: found.start('tag')]}{tag}{comment[found.end('tag') :]}"

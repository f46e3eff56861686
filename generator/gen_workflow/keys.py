"""The keys of each section of the spec, and those of the full design that are not built yet."""

from __future__ import annotations

from typing import NamedTuple


class Keys(NamedTuple):
    """What a section knows; whoever read about a `later` key deserves better than "unknown"."""

    known: tuple[str, ...]
    later: tuple[str, ...]


def _keys(known: str, later: str) -> Keys:
    return Keys(tuple(known.split()), tuple(later.split()))


SPEC = _keys(
    "name on image deploy environment actions",
    "images registry test environments rollback cleanup notify runner connect extend jobs"
    " defaults repos",
)
IMAGE = _keys(
    "context dockerfile target args name",
    "cache labels paths platforms prepare secrets ssh tags",
)
DEPLOY = _keys(
    "ssh run health",
    "compose dir kubernetes gitops files env before after strategy rollback",
)
SSH = _keys("host user port key known-hosts", "hosts jump fingerprint host-ca")
RUN = _keys(
    "ports env volumes network restart health-timeout",
    "command labels memory options stop-timeout user",
)
ACTIONS = _keys("remote", "vendored")
SECTIONS = {"image": IMAGE, "deploy": DEPLOY, "deploy/ssh": SSH, "deploy/run": RUN}

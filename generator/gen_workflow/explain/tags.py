"""The tags that build-push gives an image for an event, as docs/tags.md says it.

A conformance test holds them against the action itself.
"""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

import re

from gen_workflow.explain.events import Event
from gen_workflow.named_tuple import NamedTuple

SHA = "sha-<commit>"
_NUMBER = r"(?:0|[1-9]\d*)"
_PRE = rf"(?:{_NUMBER}|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_BUILD = r"[0-9A-Za-z-]+"
# https://semver.org, with or without a `v`.
_VERSION = re.compile(
    rf"v?(({_NUMBER})\.({_NUMBER})\.{_NUMBER}(?P<pre>-{_PRE}(?:\.{_PRE})*)?)"
    rf"(?:\+{_BUILD}(?:\.{_BUILD})*)?",
    re.ASCII,
)
# Names that build-push keeps for tags of another kind.
_KEPT = re.compile(r"latest|[0-9]+(\.[0-9]+)?|pr-[0-9]+|(sha|content)-[0-9a-f]+|buildcache(-.*)?")
# GitHub tries out there what is not merged.
NOT_PUSHED = ("pull_request", "merge_group")
_LONGEST = 128


class Tags(NamedTuple):
    """The tags of an image. `forward` move only when the registry has no higher version."""

    always: tuple[str, ...]
    forward: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        """The tags as a person lists them."""
        first = ", ".join(self.always)
        if not self.forward:
            return first
        return f"{first}; also {', '.join(self.forward)}, unless the registry has a higher version"


def of(event: Event) -> Tags:
    """Return the tags that an image gets without rules."""
    if event.name == "schedule":
        return _tags("nightly", _legal("branch", event.branch))
    version = _VERSION.fullmatch(event.tag)
    if not version:
        return _tags(_legal("tag" if event.tag else "branch", event.tag or event.branch))
    whole, major, minor = version[1], version[2], version[3]
    if version["pre"] or (event.name == "release" and "released" not in event.types):
        return _tags(whole)
    majors = (major,) if major != "0" else ()
    return _tags(whole, forward=(f"{major}.{minor}", *majors, "latest"))


def _tags(*names: str, forward: tuple[str, ...] = ()) -> Tags:
    """Return the tags of some names, of which one without a legal character gives none."""
    return Tags((*filter(None, names), SHA), forward)


def _legal(kind: str, name: str) -> str:
    """Return the name of a branch or a tag as a tag of an image."""
    tag = _with_dashes(name)
    if _KEPT.fullmatch(tag) or _VERSION.fullmatch(tag):
        tag = _with_dashes(f"{kind}-{name}")
    return tag if len(tag) <= _LONGEST else f"{tag[: _LONGEST - 9]}-<digest>"


def _with_dashes(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).lstrip(".-")

"""Images that are named by digest, as the inputs of all deploys want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.images.reference import DIGEST, Name, Reference

if TYPE_CHECKING:
    from ship.runner.reader import Reader

TAGS_MOVE = "a tag can move; give name@sha256:…, such as the output `image` of build-push"


def read_pinned(read: Reader, name: str, text: str, hint: str = TAGS_MOVE) -> str:
    """Return name@digest of an image; notes a problem with a text that has no digest."""
    parsed = Reference.parse_pinned(text)
    if not parsed and not has_capitals(read, name, text):
        digest = text.partition("@")[2]
        what = "has no digest of the form sha256: and 64 digits" if digest else "has no digest"
        # The digest may be right, and the name not.
        what = "is not the name of an image" if DIGEST.fullmatch(digest) else what
        read.problem(name, f"{text!r} {what}", hint)
    return str(parsed or text)


def has_capitals(read: Reader, name: str, text: str) -> bool:
    """Note a name that would be right in small letters, as `ghcr.io/Owner/app` of a repository."""
    written = text.partition("@")[0]
    if Name.of(written) or not Name.of(written.lower()):
        return False
    read.problem(
        name,
        f"{text!r} has capital letters, which the name of an image must not have",
        f"write {written.lower()}, as build-push does",
    )
    return True

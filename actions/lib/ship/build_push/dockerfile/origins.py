"""Where things come from: the names of images, and the addresses that are fetched."""

from __future__ import annotations

import re

from ship.images.reference import Reference

SCRATCH = "scratch"
# Of https://hub.docker.com/r/docker/dockerfile: these read the grammar that is read here.
_FRONTEND = re.compile(r"(?:.+/)?docker/dockerfile(?:-upstream)?(?:[:@].*)?")
_SCHEMES = ("http://", "https://", "git://", "ssh://")
_AT_HOST = re.compile(r"[\w-]+@[\w.-]+:")
_GIT = re.compile(r"git://|ssh://|[\w-]+@[\w.-]+:|https?://[^?#]*\.git(?:[?#]|$)", re.IGNORECASE)
# A commit by its full name is always the same; a branch or a tag is not.
_COMMIT = re.compile(r"#[0-9a-f]{40}(?::|$)")
# An empty checksum is none, so one that is a variable alone may be none.
_CHECKSUM = re.compile(r"sha[0-9]+:.+|[0-9a-f]{40}")


def is_image(text: str) -> bool:
    """Say whether a text is the name of an image, with or without tag and digest."""
    return Reference.parse(text) is not None


def is_frontend(image: str) -> bool:
    """Say whether an image reads Dockerfiles as they are read here."""
    return _FRONTEND.fullmatch(image) is not None


def familiar(name: str) -> str:
    """Return an image's name in its shortest form, by which a build context replaces it."""
    for prefix in ("docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name.removesuffix(":latest")


def is_fetched(source: str, checksum: str) -> bool:
    """Say whether a source of an ADD may be fetched, and not be the same each time."""
    if _CHECKSUM.fullmatch(checksum):
        return False
    text = re.sub("[\"'\\\\`]", "", source)
    before, variable, _ = text.lower().partition("$")
    if variable:
        starts = (before.startswith(each) or each.startswith(before) for each in _SCHEMES)
        return any(starts) or "@" in text
    if not before.startswith(_SCHEMES) and not _AT_HOST.match(text):
        return False
    return not (_GIT.match(text) and _COMMIT.search(text))

"""Recognises where things come from: names of images, and addresses that are downloaded."""

from __future__ import annotations

import re

from ship.images.reference import Reference

SCRATCH = "scratch"
# The frontends of https://hub.docker.com/r/docker/dockerfile. They have the grammar that we read.
_FRONTEND = re.compile(r"(?:.+/)?docker/dockerfile(?:-upstream)?(?:[:@].*)?")
# Those that know no build contexts by name: https://docs.docker.com/build/buildkit/frontend/.
_OLD_FRONTEND = re.compile(r".+:(?:1\.[0-3](?:[.-].*)?|(?:master-)?experimental)")
_SCHEMES = ("http://", "https://", "git://", "ssh://")
_AT_HOST = re.compile(r"[\w-]+@[\w.-]+:")
_GIT = re.compile(r"git://|ssh://|[\w-]+@[\w.-]+:|https?://[^?#]*\.git(?:[?#]|$)", re.IGNORECASE)
# A full commit always means the same content. A branch or a tag does not.
_COMMIT = re.compile(r"#[0-9a-f]{40}(?::|$)")
# An empty checksum counts as none. A checksum that is only a variable may be empty.
_CHECKSUM = re.compile(r"sha[0-9]+:.+|[0-9a-f]{40}")


def is_image(text: str) -> bool:
    """Say whether a text is the name of an image, with or without tag and digest."""
    return Reference.parse(text) is not None


def is_frontend(image: str) -> bool:
    """Return whether an image is a frontend that reads Dockerfiles as this package does."""
    return _FRONTEND.fullmatch(image) is not None


def is_old_frontend(image: str) -> bool:
    """Return whether a frontend is too old to build on images that the command line gives."""
    return _OLD_FRONTEND.fullmatch(image.partition("@")[0]) is not None


def familiar(name: str) -> str:
    """Return the shortest form of an image's name. Build contexts are matched by this form."""
    name = name.removeprefix("docker.io/").removeprefix("index.docker.io/")
    return re.sub("^library/(?=[^/]+$)", "", name).removesuffix(":latest")


def is_fetched(source: str, checksum: str) -> bool:
    """Return whether a source of an ADD may be downloaded and may differ each time."""
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

"""Names of images: the grammar of github.com/distribution/reference, as far as it is needed."""

from __future__ import annotations

import re
from typing import NamedTuple

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
NAME = re.compile(rf"(?:(?P<registry>{_HOST})/)?(?P<path>{_PART}(?:/{_PART})*)")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
DIGEST = re.compile(r"sha256:[a-f0-9]{64}")
DOCKER_HUB = "docker.io"
LONGEST_TAG = 128


class Name(NamedTuple):
    """An image without tag and digest: the registry that has it and the path there.

    `short` is how it was written, where that leaves out the registry: `app` is library/app on
    Docker Hub.
    """

    registry: str
    path: str
    short: str = ""

    def __str__(self) -> str:
        return self.short or f"{self.registry}/{self.path}"


def parse_name(text: str) -> Name | None:
    """Return the parts of an image name, or None when it is not one.

    As for Docker, the first part is a registry only if it looks like a host; else it is Docker Hub.
    """
    match = NAME.fullmatch(text)
    if not match:
        return None
    host, path = match["registry"] or "", match["path"]
    if host == f"index.{DOCKER_HUB}":
        return Name(DOCKER_HUB, path if "/" in path else f"library/{path}")
    if host and ("." in host or ":" in host or host == "localhost"):
        return Name(host, path)
    path = f"{host}/{path}" if host else path
    if path != path.lower():
        return None
    return Name(DOCKER_HUB, path if "/" in path else f"library/{path}", path)


def split_digest(text: str) -> tuple[Name, str] | None:
    """Return name and digest of `name@sha256:…` (a tag in between is dropped), or None."""
    name, at, digest = text.partition("@")
    if not at or not DIGEST.fullmatch(digest):
        return None
    head, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        name = head
    parsed = parse_name(name)
    return (parsed, digest) if parsed else None


def with_dashes(text: str) -> str:
    """Return a text with a dash for whatever no tag may hold; it may still start with one."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)


def legal_tag(text: str) -> str:
    """Return a legal tag made of a text such as a branch name; empty when nothing is left.

    Of one that is too long the end becomes a digest of it all, so that two of them stay two.
    """
    tag = with_dashes(text).lstrip(".-")
    if len(tag) <= LONGEST_TAG:
        return tag
    import hashlib  # noqa: PLC0415 - 2 ms, and seldom needed

    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{tag[: LONGEST_TAG - 9]}-{digest}"

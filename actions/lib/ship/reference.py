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


class Name(NamedTuple):
    """An image without tag and digest: the registry that has it and the path there."""

    registry: str
    path: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"


def parse_name(text: str) -> Name | None:
    """Return the parts of an image name, or None when it is not one.

    As for Docker, the first part is a registry only if it looks like a host; else it is Docker Hub.
    """
    match = NAME.fullmatch(text)
    if not match:
        return None
    host, path = match["registry"] or "", match["path"]
    if host and ("." in host or ":" in host or host == "localhost"):
        return Name(host, path)
    path = f"{host}/{path}" if host else path
    return (
        Name(DOCKER_HUB, path if "/" in path else f"library/{path}")
        if path == path.lower()
        else None
    )


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


def legal_tag(text: str) -> str:
    """Return a legal tag made of a text such as a branch name; empty when nothing is left."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip(".-")[:128]

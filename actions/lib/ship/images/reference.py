"""Names of images, their tags and digests: the grammar of github.com/distribution/reference."""

from __future__ import annotations

import re

from ship.runner.named_tuple import NamedTuple

_HOST = r"(?:[a-zA-Z0-9]+(?:(?:\.|-+)[a-zA-Z0-9]+)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_PATH = r"[a-z0-9]+(?:(?:[./_]|__|-+)[a-z0-9]+)*"
NAME = re.compile(rf"(?:(?P<registry>{_HOST})/)?(?P<path>{_PATH})")
# Only after the last slash does a colon begin a tag.
_REFERENCE = re.compile(r"(?P<name>[^@]*?)(?::(?P<tag>[^:/@]*))?(?:@(?P<digest>.*))?")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
DIGEST = re.compile(r"sha256:[a-f0-9]{64}")
# The other algorithms are legal, though no registry uses them.
_ANY_DIGEST = rf"{DIGEST.pattern}|sha384:[a-f0-9]{{96}}|sha512:[a-f0-9]{{128}}"
DOCKER_HUB = "docker.io"
GHCR = "ghcr.io"
LONGEST_TAG = 128
LONGEST_PATH = 255


class Name(NamedTuple):
    """An image without tag and digest: the registry that has it and the path there.

    `short` is how it was written, where that leaves something out: `app` and `docker.io/app` are
    library/app on Docker Hub.
    """

    registry: str
    path: str
    short: str = ""

    def __str__(self) -> str:
        return self.short or f"{self.registry}/{self.path}"

    @classmethod
    def parse(cls, text: str) -> Name | None:
        """Return the parts of a name, or None when the text is not a name.

        As for Docker, the first part is a registry only if it looks like a host; else it is Docker
        Hub.
        """
        match = NAME.fullmatch(text)
        if not match:
            return None
        host, path = match["registry"] or "", match["path"]
        if not ("." in host or ":" in host or host == "localhost"):
            host, path = "", text
        if path != path.lower() or len(path) > LONGEST_PATH:
            return None
        if host in ("", DOCKER_HUB, f"index.{DOCKER_HUB}"):
            return cls._on_hub(host, path)
        return cls(host, path)

    @classmethod
    def _on_hub(cls, host: str, path: str) -> Name:
        """Return a name on Docker Hub, where an image without an owner is in `library`."""
        whole = path if "/" in path else f"library/{path}"
        if not host:
            return cls(DOCKER_HUB, whole, path)
        return cls(DOCKER_HUB, whole, "" if path == whole else f"{host}/{path}")

    @classmethod
    def of(cls, text: str) -> Name | None:
        """Return the name in a reference, whatever its tag is: a variable in it may be unset."""
        match = _REFERENCE.fullmatch(text)
        is_whole = match and (match["digest"] is None or re.fullmatch(_ANY_DIGEST, match["digest"]))
        return cls.parse(match["name"]) if match and is_whole else None

    def is_same(self, other: Name | None) -> bool:
        """Say whether two names mean one repository, however they are written."""
        return other is not None and self[:2] == other[:2]


class Reference(NamedTuple):
    """An image: its name and, where they are given, the tag and the digest that select it."""

    name: Name
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}" + (f"@{self.digest}" if self.digest else "")

    @classmethod
    def parse(cls, text: str) -> Reference | None:
        """Return the parts of `name`, `name:tag`, `name@digest` or all three; else None."""
        match = _REFERENCE.fullmatch(text)
        name = Name.parse(match["name"]) if match else None
        if not match or not name:
            return None
        tag, digest = match["tag"], match["digest"]
        if tag is not None and not TAG.fullmatch(tag):
            return None
        if digest is not None and not re.fullmatch(_ANY_DIGEST, digest):
            return None
        return cls(name, tag or "", digest or "")

    @classmethod
    def parse_pinned(cls, text: str) -> Reference | None:
        """Return `name@sha256:…`, or None where no such digest is named.

        The digest selects the image, so a tag in between is dropped, whatever it is.
        """
        name, digest = Name.of(text), text.partition("@")[2]
        return cls(name, digest=digest) if name and DIGEST.fullmatch(digest) else None


def with_dashes(text: str) -> str:
    """Return a text with dashes for all that a tag may not contain; it may start with one."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)


def legal_tag(text: str) -> str:
    """Return a text, such as the name of a branch, as a legal tag; empty when nothing is left.

    Of one that is too long the end becomes a digest of it all, so that two of them stay two.
    """
    tag = with_dashes(text).lstrip(".-")
    if len(tag) <= LONGEST_TAG:
        return tag
    import hashlib  # noqa: PLC0415 - 10 ms with its OpenSSL, and seldom needed

    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{tag[: LONGEST_TAG - 9]}-{digest}"

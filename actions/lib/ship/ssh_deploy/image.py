"""The image that a host runs: by digest or as a release to go back to, and the login to pull it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, NamedTuple

from ship.images.docker_config import auth_key
from ship.images.login import read_password
from ship.images.reference import Name
from ship.runner.command import Secret
from ship.ssh_deploy.common import MISSING

if TYPE_CHECKING:
    from ship.runner.reader import Reader
    from ship.ssh_deploy.program import Value

# A release to go back to: its digest, or a tag (docs.docker.com/reference/cli/docker/image/tag).
ROLLBACK = re.compile(r"previous|sha256:[0-9a-f]{64}|[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class Login(NamedTuple):
    """The login with which a host pulls; an empty password leaves the host's own in effect."""

    registry: str
    username: str
    password: Secret

    @property
    def auth(self) -> Secret:
        """The login as Docker's configuration has it; empty without a password."""
        pair = f"{self.username}:{self.password.reveal()}".encode()
        return Secret(base64.b64encode(pair).decode() if self.password else "")

    def parameters(self) -> dict[str, Value]:
        return {"REGISTRY": auth_key(self.registry), "AUTH": self.auth}


def read_login(read: Reader, registry: str, actor: str) -> Login:
    """Read the login for the registry of an image; without a user name `actor` has the password."""
    username = read.text("registry-username")
    password = read_password(read, "registry-password", registry)
    if not password and username not in ("", actor):
        read.problem("registry-password", f"is empty, but the user {username!r} needs one", MISSING)
    return Login(registry, username or actor, password)


def read_rollback(read: Reader) -> str:
    """Read which release to go back to; nothing where a new one is deployed."""
    text = read.text("rollback")
    if text.lower() == "previous":
        return "previous"
    hint = (
        "write `previous`, a digest (sha256:… alone) or a tag; the name of an image goes to `image`"
    )
    return read.matching("rollback", ROLLBACK, "`previous`, a digest or a tag", text, hint=hint)


def read_repository(read: Reader, text: str) -> Name:
    """Return the name of an image with or without digest and tag; nothing where none was given."""
    parsed = Name.of(text)
    if text and not parsed:
        read.problem("image", f"{text!r} is not the name of an image")
    return parsed or Name("", "")


def read_login_for(read: Reader, repository: Name, actor: str) -> Login:
    """Read the login for the registry of a repository, which may be known to the host alone.

    Of a release to go back to the host knows the registry, and a password given is for that.
    """
    unknown = "" if read.text("registry-password") else "ghcr.io"
    return read_login(read, repository.registry or unknown, actor)

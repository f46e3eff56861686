"""The image that a host runs: by digest or as a release to go back to, and the login to pull it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from ship.images.docker_config import auth_key
from ship.images.login import read_password
from ship.images.pinned import has_capitals
from ship.images.reference import Name
from ship.runner.command import Secret
from ship.runner.named_tuple import NamedTuple
from ship.ssh.target import MISSING

if TYPE_CHECKING:
    from ship.runner.context import Context
    from ship.runner.reader import Reader
    from ship.ssh_deploy.program import Value

# A release to roll back to: its digest, or a tag (docs.docker.com/reference/cli/docker/image/tag).
ROLLBACK = re.compile(r"previous|sha256:[0-9a-f]{64}|[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class Login(NamedTuple):
    """The login that a host pulls with; without a password the host uses its own login.

    `host_first`: the host's own login for this registry goes before this one.
    """

    registry: str
    username: str
    password: Secret
    host_first: bool = False

    @property
    def auth(self) -> Secret:
        """The login as Docker's configuration has it; empty without a password."""
        pair = f"{self.username}:{self.password.reveal()}".encode()
        return Secret(base64.b64encode(pair).decode() if self.password else "")

    def parameters(self) -> dict[str, Value]:
        return {
            "REGISTRY": auth_key(self.registry),
            "AUTH": self.auth,
            "HOST_LOGIN_FIRST": "yes" if self.host_first else "",
        }


def read_login(read: Reader, registry: str, actor: str) -> Login:
    """Read the login for the registry of an image; the default user is `actor`."""
    username = read.text("registry-username")
    password = read_password(read, "registry-password", registry)
    if not password and username not in ("", actor):
        read.problem("registry-password", f"is empty, but the user {username!r} needs one", MISSING)
    return Login(registry, username or actor, password)


def read_rollback(read: Reader) -> str:
    """Read which release to roll back to; empty where a new one is deployed."""
    text = read.text("rollback")
    if text.lower() == "previous":
        return "previous"
    hint = "write `previous`, a digest (sha256:…) or a tag; the name of an image belongs in `image`"
    return read.matching("rollback", ROLLBACK, "`previous`, a digest or a tag", text, hint=hint)


def read_repository(read: Reader, text: str) -> Name:
    """Return the name of an image with or without digest and tag; empty where none was given."""
    parsed = Name.of(text)
    if text and not parsed and not has_capitals(read, "image", text):
        read.problem("image", f"{text!r} is not the name of an image")
    return parsed or Name("", "")


def read_login_for(read: Reader, repository: Name, context: Context) -> Login:
    """Read the login for the registry of a repository, which only the host may know.

    For a rollback the host knows the registry, and a given password is for that one. The token of
    the job reads what belongs to the owner of the repository. For the image of another owner, a
    login that somebody made on the host has its reason.
    """
    given = bool(read.text("registry-password"))
    login = read_login(read, repository.registry or ("" if given else "ghcr.io"), context.actor)
    owner = context.repository.partition("/")[0].lower()
    is_of_other = repository.path.partition("/")[0] not in ("", owner)
    return login._replace(host_first=is_of_other and not given)

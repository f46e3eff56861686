"""Who logs in to a registry: with a password that was given, or with the token of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ship.images.reference import GHCR
from ship.runner.command import Secret

if TYPE_CHECKING:
    from ship.runner.reader import Reader


class Login(NamedTuple):
    """The user, and whether the password is the person's own and not the token of the job."""

    username: str = ""
    is_own: bool = False


def read_password(read: Reader, name: str, registry: str) -> Secret:
    """Return the password for a registry: as given, or for GHCR the token of the job.

    The token gives access to the repository, so no other registry may ever see it.
    """
    return read.secret(name) or (read.job_token() if registry == GHCR else Secret(""))

"""Who logs in to a registry: the password of an input, an earlier step, or the token of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.images.reference import GHCR
from ship.images.registry.credentials import Credential, stored
from ship.runner.command import Secret
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ship.runner.process import Runner
    from ship.runner.reader import Reader

# Where a login is from.
GIVEN, STORED, JOB, NONE = "given", "stored", "job", "none"


class Login(NamedTuple):
    """The login to a registry, and where it is from."""

    source: str = NONE
    credential: Credential | None = None

    @property
    def username(self) -> str:
        return self.credential.username if self.credential else ""


class Offers(NamedTuple):
    """What a step may log in with: the password that was given, for one registry, or a token.

    The token of the job gives access to the repository, so no other registry than GHCR sees it.
    """

    registry: str = ""
    given: Credential | None = None
    job: Credential | None = None

    def login(self, registry: str, config: Mapping[str, Any], runner: Runner) -> Login:
        """Return the login to a registry. `config` is Docker's, with the logins of earlier steps.

        Who logged in to GHCR before has a reason: the token of the job reads and writes packages of
        this repository alone.
        """
        if self.given and registry == self.registry:
            return Login(GIVEN, self.given)
        if found := stored(config, registry, runner):
            return Login(STORED, found)
        if self.job and registry == GHCR:
            return Login(JOB, self.job)
        return Login()


def added(logins: Mapping[str, Login]) -> dict[str, Credential]:
    """Return the logins that Docker does not have yet."""
    ours = {name: login for name, login in logins.items() if login.source in (GIVEN, JOB)}
    return {name: login.credential for name, login in ours.items() if login.credential}


def read_password(read: Reader, name: str, registry: str) -> Secret:
    """Return the password for a registry: as given, or for GHCR the token of the job.

    The token gives access to the repository, so no other registry may ever see it.
    """
    return read.secret(name) or (read.job_token() if registry == GHCR else Secret(""))

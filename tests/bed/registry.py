"""The registries of the bed, and how tests control and query them."""

from __future__ import annotations

import http.client
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from bed import keys
from bed.errors import BedError
from bed.machines import Machine
from bed.registry_proxy import CONTROL_PORT

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "ghcr.io"
HTPASSWD_NAME = "registry.acme.test"
SETTINGS = Path(__file__).parent / "images"
# Every kind of manifest that Docker itself asks for.
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)


class Request(NamedTuple):
    """One request that the registry answered. Status 0 means a dropped connection."""

    method: str
    path: str
    status: int
    user_agent: str


class RegistryMachine(Machine):
    """A real registry for all machines of the bed, with TLS that all of them trust."""

    services = ("registry",)
    settings: ClassVar[str]

    def make_files(self) -> None:
        keys.make_server_certificate(self.bed_folder, self.folder, self.name)
        shutil.copy(SETTINGS / self.settings, self.folder / "registry.yml")

    def mounts(self) -> dict[str, str]:
        return {**super().mounts(), str(Path(__file__).parent): "/opt/bed:ro"}

    def fault(
        self,
        match: str,
        *,
        status: int | None = None,
        code: str = "UNKNOWN",
        message: str = "",
        times: int | None = None,
        delay: float = 0,
    ) -> None:
        """Make requests fail. `match` is `METHOD /path/*` (both may be wildcards) or `*`.

        With a status, they are answered with an error of this code and message. Status 0 drops the
        connection. None gives the usual answer after `delay` seconds. `times` None has no end. When
        several faults match a request, the first one that is not used up is taken.
        """
        fault = {"match": match, "status": status, "code": code, "message": message}
        self._ask("POST", "/faults", {**fault, "times": times, "delay": delay})

    def clear_faults(self) -> None:
        self._ask("DELETE", "/faults")

    def requests(self) -> list[Request]:
        """Return the requests answered since the last `clear_requests`, in order."""
        return [Request(**request) for request in json.loads(self._ask("GET", "/requests")[1])]

    def clear_requests(self) -> None:
        self._ask("DELETE", "/requests")

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository such as `acme/app`; none when it does not exist."""
        status, body = self._ask("GET", f"/v2/{repository}/tags/list")
        found: list[str] = json.loads(body).get("tags") or [] if status == 200 else []
        return sorted(found)

    def digest(self, repository: str, reference: str) -> str | None:
        """Return the digest of a tag or digest, or None when it does not exist."""
        return self._manifest(repository, reference)[0]

    def manifest(self, repository: str, reference: str) -> dict[str, Any]:
        """Return a manifest or index as it is stored. Raises BedError when there is none."""
        digest, manifest = self._manifest(repository, reference)
        if digest is None:
            raise BedError(f"there is no {self.name}/{repository} at {reference}")
        return manifest

    def _manifest(self, repository: str, reference: str) -> tuple[str | None, dict[str, Any]]:
        path = f"/v2/{repository}/manifests/{reference}"
        response, body = self._exchange("GET", path, b"", {"Accept": MANIFESTS})
        return response.headers.get("Docker-Content-Digest"), json.loads(body)

    def _ask(self, method: str, path: str, sent: object = None) -> tuple[int, bytes]:
        data = b"" if sent is None else json.dumps(sent).encode()
        response, body = self._exchange(method, path, data, {})
        return response.status, body

    def _exchange(
        self, method: str, path: str, sent: bytes, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(self.ip, CONTROL_PORT, timeout=30)
        try:
            connection.request(method, path, sent, dict(headers))
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


class Registry(RegistryMachine):
    """`ghcr.io`: tokens with rights. The name of the user does not matter.

    `power_off` and `power_on` keep images and rights. They lose faults and the log of requests.
    """

    settings = "registry.yml"
    _rights: dict[str, list[str]]

    def make_files(self) -> None:
        self._rights = {}
        super().make_files()
        keys.make_token_signer(self.folder)

    def power_on(self) -> None:
        super().power_on()
        self._ask("PUT", "/rights", self._rights)

    def allow(self, token: str, *rights: str) -> None:
        """Give a token exactly these rights, such as `acme/*:pull,push`. It takes effect at once.

        A token without rights can log in and do nothing else. The empty token is for clients that
        did not log in.
        """
        self._rights[token] = list(rights)
        self._ask("PUT", "/rights", self._rights)

    def revoke(self, token: str) -> None:
        """Make a token unknown. Its login is denied from now on."""
        self._rights.pop(token, None)
        self._ask("PUT", "/rights", self._rights)


class HtpasswdRegistry(RegistryMachine):
    """A registry with one user and a password, as Docker Hub and most others have them.

    The user may do everything. All other clients may do nothing.
    """

    settings = "registry-htpasswd.yml"
    user = "alice"
    password = "correct horse battery staple"

    def make_files(self) -> None:
        super().make_files()
        keys.make_htpasswd(self.folder, self.user, self.password)
        # With this login the tests have access without the front.
        (self.folder / "login").write_text(f"{self.user}:{self.password}", encoding="utf-8")

"""A registry that answers the nodes as ghcr.io, with the images of `images`."""

from __future__ import annotations

import base64
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from bed.kube import images
from bed.kube.servers import FaultyHandler, FaultyServer
from bed.registry_state import Access

if TYPE_CHECKING:
    from bed.kube.images import Blob
    from bed.kube.servers import Fault

PORT = 5000
# The public repositories. All others are private.
PUBLIC = {"": ["acme/*:pull"]}
# What ghcr.io says with a status: code and message.
WORDS = {
    401: ("UNAUTHORIZED", "unauthenticated: User cannot be authenticated with the token provided."),
    403: ("DENIED", "permission_denied: read_package"),
    404: ("MANIFEST_UNKNOWN", "manifest unknown"),
    429: ("TOOMANYREQUESTS", "You have reached your pull rate limit."),
}
SERVICE = "ghcr.io"


class Registry(FaultyServer):
    """ghcr.io for the nodes of a cluster: tokens with rights, and faults.

    Every repository of every owner has the images of `images`: those of `acme` for everyone, all
    others with a right. A repository named `missing` does not exist. Take a new name when a node
    has to pull.
    """

    def __init__(self, ip: str) -> None:
        super().__init__((ip, PORT), _Handler)
        self.url = f"http://{ip}:{PORT}"
        # By repository, and then by tag and by digest.
        self._content: dict[str, dict[str, Blob]] = {}
        self._rights: dict[str, list[str]] = {}
        self._issued: dict[str, Access] = {}
        self.state.set_rights(PUBLIC)

    def allow(self, token: str, *rights: str) -> None:
        """Give a token exactly these rights, such as `private/*:pull`. The user is ignored."""
        self._rights[token] = list(rights)
        self.state.set_rights({**self._rights, **PUBLIC})

    def revoke(self, token: str) -> None:
        """Make a token unknown, as that of a run that has ended."""
        self._rights.pop(token, None)
        self.state.set_rights({**self._rights, **PUBLIC})

    def digest(self, repository: str, tag: str) -> str:
        """Return the digest of an image."""
        return self.content(repository)[tag].digest

    def issue(self, access: Access) -> str:
        bearer = secrets.token_hex()
        self._issued[bearer] = access
        return bearer

    def issued(self, bearer: str) -> Access | None:
        return self._issued.get(bearer)

    def content(self, repository: str) -> dict[str, Blob]:
        """Return manifests and blobs of a repository, by tag and by digest."""
        if repository.endswith("/missing"):
            return {}
        if repository not in self._content:
            made = images.make(repository)
            every = (each for image in made.values() for each in (image.top, *image.below))
            by_digest = {each.digest: each for each in every}
            self._content[repository] = {tag: image.top for tag, image in made.items()} | by_digest
        return self._content[repository]


class _Handler(FaultyHandler):
    server: Registry

    def fail(self, status: int) -> None:
        code, message = WORDS.get(status, ("UNKNOWN", HTTPStatus(status).phrase))
        self.refuse(status, code, message)

    def respond(self, fault: Fault | None) -> None:
        if self.command not in {"GET", "HEAD"}:
            # containerd tries POST (OAuth) first. As with ghcr.io, it has to fall back to GET.
            self.refuse(405, "UNSUPPORTED", "use GET")
            return
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts == ["token"]:
            self._token()
        elif parts == ["v2"]:
            self.answer(200, {})
        elif len(parts) > 3 and parts[0] == "v2":
            self._blob("/".join(parts[1:-2]), parts[-1], fault)
        else:
            self.fail(404)

    def _token(self) -> None:
        scope = parse_qs(urlsplit(self.path).query).get("scope", [""])[0]
        password = self._password()
        if not self.server.state.knows(password):
            self.refuse(403, "DENIED", "denied: denied")
            return
        granted = self.server.state.granted(password, Access.parse(scope))
        if not password and not granted.actions:
            self.refuse(401, "UNAUTHORIZED", "authentication required")
            return
        self.answer(200, {"token": self.server.issue(granted)})

    def _password(self) -> str:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return ""
        return base64.b64decode(value).decode("utf-8", "replace").partition(":")[2]

    def _blob(self, repository: str, reference: str, fault: Fault | None) -> None:
        bearer = self.headers.get("Authorization", "").partition(" ")[2]
        access = self.server.issued(bearer)
        if access is None or access.name != repository:
            wanted = f'realm="{self.server.url}/token",service="{SERVICE}"'
            challenge = f'Bearer {wanted},scope="repository:{repository}:pull"'
            body = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
            self.answer(401, body, {"WWW-Authenticate": challenge})
        elif "pull" not in access.actions:
            self.fail(403)
        elif blob := self.server.content(repository).get(reference):
            self._give(blob, fault)
        else:
            self.fail(404)

    def _give(self, blob: Blob, fault: Fault | None) -> None:
        data = bytes(len(blob.data)) if fault == "damage" else blob.data
        self.send_response(200)
        self.send_header("Content-Type", blob.kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Docker-Content-Digest", blob.digest)
        self.end_headers()
        if fault == "cut":
            data = data[: len(data) // 2]
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(data)

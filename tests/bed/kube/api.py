"""The API server of a cluster, as its clients see it: a kubeconfig, and plain requests."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from typing import TYPE_CHECKING, Any, NamedTuple

from bed.errors import BedError

if TYPE_CHECKING:
    from pathlib import Path

PORT = 6443
SECONDS = 60


class Refused(BedError):  # noqa: N818 - reads as what happened
    """The API server did not do what was asked. `status` is that of the answer."""

    def __init__(self, what: str, status: int, answer: Any) -> None:
        self.status = status
        super().__init__(f"{what}: {status} {answer}")


class Api(NamedTuple):
    """A client with a token. It asks the server directly, without a program between."""

    ip: str
    authority: Path
    token: str

    def __call__(self, method: str, path: str, sent: object = None) -> Any:
        """Return the answer to a request. Raises Refused, and OSError without an answer."""
        context = ssl.create_default_context(cafile=str(self.authority))
        connection = http.client.HTTPSConnection(self.ip, PORT, timeout=SECONDS, context=context)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        try:
            connection.request(method, path, None if sent is None else json.dumps(sent), headers)
            response = connection.getresponse()
            said = response.read().decode()
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(f"{method} {path}", response.status, said)
        return json.loads(said) if response.getheader("Content-Type", "").endswith("json") else said


def kubeconfig(server: str, authority: Path, token: str, namespace: str = "default") -> str:
    """Return a kubeconfig with one context. JSON is YAML too."""
    trusted = base64.b64encode(authority.read_bytes()).decode()
    cluster = {"server": server, "certificate-authority-data": trusted}
    context = {"cluster": "bed", "user": "bed", "namespace": namespace}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bed", "cluster": cluster}],
        "users": [{"name": "bed", "user": {"token": token}}],
        "contexts": [{"name": "bed", "context": context}],
        "current-context": "bed",
    }
    return json.dumps(content, indent=1) + "\n"

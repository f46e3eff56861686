"""A proxy before the API server that fails when a test wants it."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from bed.kube.api import PORT as API_PORT
from bed.kube.servers import FaultyHandler, FaultyServer

if TYPE_CHECKING:
    from pathlib import Path

    from bed.kube.servers import Fault

PORT = 6444
BLOCK = 1 << 16
# The words of Kubernetes for a status, where they are not those of HTTP.
REASONS = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable",
           504: "Timeout", 409: "Conflict", 410: "Expired"}  # fmt: skip


class Faults(FaultyServer):
    """The API server at another port, with faults.

    A fault matches the path with its query, so `GET *watch=*` are all watches. Each request gets a
    connection of its own. With `limit`, every connection ends after so many seconds.
    """

    def __init__(self, ip: str, folder: Path) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "server.crt", folder / "server.key")
        self.upstream = (ip, API_PORT)
        self.trust = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        self.limit: float | None = None
        super().__init__((ip, PORT), _Handler, tls)

    def clear_faults(self) -> None:
        """Fail no more, and end no connection any more but those that hang."""
        self.limit = None
        super().clear_faults()


class _Handler(FaultyHandler):
    server: Faults
    with_query = True

    def fail(self, status: int) -> None:
        phrase = HTTPStatus(status).phrase
        answer = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": f"the bed answers {status} {phrase}",
            "reason": REASONS.get(status, phrase.replace(" ", "")),
            "code": status,
        }
        self.answer(status, answer, {"Retry-After": "1"} if status in {429, 503} else None)

    def respond(self, fault: Fault | None) -> None:  # noqa: ARG002 - concerns only blobs
        self.close_connection = True
        with contextlib.suppress(OSError), socket.create_connection(self.server.upstream) as plain:
            host = self.server.upstream[0]
            with self.server.trust.wrap_socket(plain, server_hostname=host) as upstream:
                self._ask(upstream)
                self._relay(upstream)

    def _ask(self, upstream: ssl.SSLSocket) -> None:
        """Send the request on, with the wish to end the connection after the answer."""
        length = self.headers.get("Content-Length")
        lines = [f"{name}: {value}" for name, value in self.headers.items()
                 if name.lower() not in {"connection", "content-length"}]  # fmt: skip
        lines += ["Connection: close", *([f"Content-Length: {length}"] if length else [])]
        head = "\r\n".join((f"{self.command} {self.path} HTTP/1.1", *lines, "", ""))
        upstream.sendall(head.encode("latin-1"))
        for block in self.body():
            upstream.sendall(block)

    def _relay(self, upstream: ssl.SSLSocket) -> None:
        """Return the answer until one side or the limit ends it."""
        begun = time.monotonic()
        answered = False
        while True:
            limit = self.server.limit
            left = None if limit is None else max(0, begun + limit - time.monotonic())
            # Room for one step only, so that a limit set later counts as well.
            wait = 1 if left is None else min(1, left)
            ready = (
                upstream.pending() or select.select((upstream, self.connection), (), (), wait)[0]
            )
            if ready == [self.connection] or left == 0:
                return
            if ready:
                data = upstream.recv(BLOCK)
                if not data:
                    return
                if not answered:
                    answered = True
                    self.log_request(data[9:12].decode())  # `HTTP/1.1 200 OK`
                self.wfile.write(data)

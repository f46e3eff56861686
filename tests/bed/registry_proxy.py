"""Forwards requests to the real registry, with all their bytes and headers."""

from __future__ import annotations

import http.client
import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REGISTRY = ("127.0.0.1", 5000)
# The port on which tests control the front.
CONTROL_PORT = 8080
BLOCK = 1 << 16
PER_CONNECTION = frozenset({"transfer-encoding", "connection", "expect", "keep-alive"})
OWN = frozenset({"date", "server"})


class Proxy(BaseHTTPRequestHandler):
    """A request handler that can answer by itself, or forward the request."""

    protocol_version = "HTTP/1.1"
    # An idle client must not occupy a thread as long as the bed lives.
    timeout = 120
    # Headers and body are written separately. The body must not wait for an ACK of the headers.
    disable_nagle_algorithm = True

    def answer(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        """Answer with our own JSON. The request body is read, so the connection stays usable."""
        for _ in self.body():
            pass
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answer with an error in the form of the distribution specification."""
        self.answer(status, {"errors": [{"code": code, "message": message}]})

    def forward(self, extra: Mapping[str, str]) -> None:
        """Forward the request with further headers, and return the answer of the registry."""
        upstream = http.client.HTTPConnection(*REGISTRY, timeout=60)
        try:
            self._send(upstream, extra)
            self._return(upstream.getresponse())
        finally:
            upstream.close()

    def body(self) -> Iterator[bytes]:
        """Yield the rest of the request body."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            yield from self._chunks()
        else:
            yield from self._read(int(self.headers.get("Content-Length") or 0))
            # A second call finds nothing to read.
            del self.headers["Content-Length"]

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield from self._read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        del self.headers["Transfer-Encoding"]

    def _read(self, size: int) -> Iterator[bytes]:
        while size and (block := self.rfile.read(min(size, BLOCK))):
            size -= len(block)
            yield block

    def _send(self, upstream: http.client.HTTPConnection, extra: Mapping[str, str]) -> None:
        length = self.headers.get("Content-Length")
        chunked = "Transfer-Encoding" in self.headers
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        # One by one: Docker repeats `Accept`, and a registry that sees only one of them answers
        # with a manifest of the oldest format.
        for name, value in self.headers.items():
            if name.lower() not in PER_CONNECTION:
                upstream.putheader(name, value)
        for name, value in extra.items():
            upstream.putheader(name, value)
        if chunked:
            upstream.putheader("Transfer-Encoding", "chunked")
        upstream.endheaders()
        if length or chunked:
            for block in self.body():
                upstream.send(_chunk(block) if chunked else block)
        if chunked:
            upstream.send(_chunk(b""))

    def _return(self, response: http.client.HTTPResponse) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() not in PER_CONNECTION | OWN:
                self.send_header(name, value)
        empty = self.command == "HEAD" or response.status in {204, 304}
        chunked = not empty and "Content-Length" not in response.headers
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not empty and (block := response.read(BLOCK)):
            self.wfile.write(_chunk(block) if chunked else block)
        if chunked:
            self.wfile.write(_chunk(b""))

    def __getattr__(self, name: str) -> Any:
        """Handle all methods of HTTP in the same way."""
        if name.startswith("do_"):
            return self.handle_request
        raise AttributeError(name)

    def handle_request(self) -> None:
        raise NotImplementedError


def _chunk(block: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(block), block)

"""A server that gives the answers that it was told: portals, proxies, faults."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from bed.served import Served

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}


class Answer(NamedTuple):
    """An answer; `length` is announced in place of the true length.

    With the status 0 nothing is sent but the body, so it need not be HTTP.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    length: int | None = None


def as_json(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {**JSON, **(headers or {})}, json.dumps(data).encode())


def page(title: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    text = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>…</body></html>"
    return Answer(status, {**HTML, **(headers or {})}, text.encode())


class CannedServer(Served):
    """Gives its answers in their order; the last one again and again. `asked` are the requests."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                outer.asked.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                if answer.status == 0:
                    self.wfile.write(answer.body)
                    self.close_connection = True
                    return
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                length = len(answer.body) if answer.length is None else answer.length
                self.send_header("Content-Length", f"{length}")
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PATCH = do_DELETE = do_CONNECT = _answer  # noqa: N815 - its names

            def log_message(self, *_: object) -> None:
                """Write nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"

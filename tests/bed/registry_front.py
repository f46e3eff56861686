"""The front of a registry: TLS, and tokens for ghcr.io, before Debian's docker-registry.

It runs in the registry machine of the bed: python3 -m bed.registry_front FOLDER-OF-KEYS
Tests control it through a second port without TLS, which only they use.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import sys
import threading
import time
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from bed.registry_proxy import CONTROL_PORT, REGISTRY, Proxy
from bed.registry_state import Access, State
from bed.registry_token import Signer

if TYPE_CHECKING:
    from collections.abc import Callable

FRONT_PORT = 443
READY = Path("/run/front")
STATE = State()
DENIED = "DENIED"


class Server(ThreadingHTTPServer):
    """A server whose threads end with it. A broken connection is one line in its log."""

    daemon_threads = True
    request_queue_size = 128
    # Only with tokens. Without them, clients send name and password with every request.
    signer: Signer | None
    # The value of `Authorization` that may do everything in a repository.
    master: Callable[[str], str]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        print(f"{client_address}: {sys.exc_info()[1]!r}", file=sys.stderr, flush=True)


class Front(Proxy):
    """The port that Docker talks to."""

    server: Server

    def handle_request(self) -> None:
        fault = STATE.take_fault(self.command, urlsplit(self.path).path)
        if fault and self._fail(fault):
            return
        url = urlsplit(self.path)
        if url.path == "/token" and self.server.signer:
            self._token(self.server.signer, parse_qs(url.query).get("scope", []))
        else:
            self.forward({"X-Forwarded-Proto": "https"})

    def _fail(self, fault: dict[str, Any]) -> bool:
        """Apply the fault. Returns whether it has answered the request."""
        time.sleep(fault["delay"])
        if fault["status"] == 0:
            self.close_connection = True
            # With unread data, the client would sometimes get a reset.
            for _ in self.body():
                pass
            self.log_request(0)
            self.connection.shutdown(socket.SHUT_RDWR)
            return True
        if fault["status"] is not None:
            self.refuse(fault["status"], fault["code"], fault["message"])
            return True
        return False

    def _token(self, signer: Signer, scopes: list[str]) -> None:
        if self.command != "GET":
            # BuildKit tries POST (OAuth) first. As with GHCR, it has to fall back to GET.
            self.refuse(405, "UNSUPPORTED", "use GET")
            return
        # As at GHCR, the name of the user is ignored.
        token = self._password()
        if not STATE.knows(token):
            self.refuse(403, DENIED, "denied")
            return
        wanted = [Access.parse(scope) for text in scopes for scope in text.split()]
        granted = [STATE.granted(token, access) for access in wanted]
        signed = signer.sign(access for access in granted if access.actions)
        self.answer(200, {"token": signed})

    def _password(self) -> str:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return ""
        return base64.b64decode(value).decode("utf-8", "replace").partition(":")[2]

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        """Record the request for the tests. It is called with every answer."""
        STATE.log(
            {
                "method": self.command,
                "path": self.path,
                "status": int(code),
                "user_agent": self.headers.get("User-Agent", ""),
            }
        )


class Control(Proxy):
    """The port that tests talk to: rights, faults, the log, and the content with all rights."""

    server: Server

    def handle_request(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/v2/"):
            name = path.removeprefix("/v2/").rsplit("/", 2)[0]
            self.forward({"Authorization": self.server.master(name)})
            return
        try:
            result = self._do(f"{self.command} {path}")
        except KeyError:
            self.refuse(404, "UNKNOWN", f"{self.command} {path} is not a control")
        else:
            self.answer(200, result)

    def _do(self, what: str) -> object:
        if what in {"PUT /rights", "POST /faults"}:
            sent = json.loads(b"".join(self.body()))
            return {"PUT /rights": STATE.set_rights, "POST /faults": STATE.add_fault}[what](sent)
        return {
            "GET /requests": STATE.requests,
            "DELETE /requests": STATE.clear_requests,
            "DELETE /faults": STATE.clear_faults,
        }[what]()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: requests of the tests are not part of the log."""


def main() -> None:
    folder = Path(sys.argv[1])
    front = Server(("", FRONT_PORT), Front)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    # The handshake runs in the thread of the connection, so a slow client blocks no other.
    front.socket = context.wrap_socket(
        front.socket, server_side=True, do_handshake_on_connect=False
    )
    control = Server(("", CONTROL_PORT), Control)
    login = folder / "login"
    if login.exists():
        basic = base64.b64encode(login.read_bytes()).decode()
        front.signer = None
        control.master = lambda _: f"Basic {basic}"
    else:
        front.signer = Signer(folder)
        control.master = partial(_bearer, front.signer)
    threading.Thread(target=control.serve_forever, daemon=True).start()
    _wait_for_registry()
    READY.touch()
    front.serve_forever()


def _bearer(signer: Signer, repository: str) -> str:
    everything = Access("repository", repository, frozenset({"pull", "push", "delete", "*"}))
    return f"Bearer {signer.sign([everything])}"


def _wait_for_registry() -> None:
    while not _registry_listens():
        time.sleep(0.02)


def _registry_listens() -> bool:
    with contextlib.suppress(OSError), socket.create_connection(REGISTRY):
        return True
    return False


if __name__ == "__main__":
    main()

"""Small servers that run in threads of the tests, and fail when a test wants it."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from bed.registry import Request
from bed.registry_proxy import Proxy
from bed.registry_state import State
from bed.waiting import wait_until

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import TypeAlias

    # A status, or: end the connection without a word, never answer, break off in the middle of the
    # body, send other bytes. The last two are for a registry's blobs.
    Fault: TypeAlias = int | Literal["drop", "hang", "cut", "damage"]


class FaultyServer(ThreadingHTTPServer):
    """A server with faults and a log of requests. A person calls `fault` while it serves."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        handler: Callable[..., FaultyHandler],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(address, handler)
        if tls:
            # The handshake runs in the thread of the connection, so a slow client blocks no other.
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self.state = State()
        self._released = threading.Event()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()

    def fault(self, match: str, answer: Fault, *, times: int | None = None) -> None:
        """Make requests fail: those that match `METHOD /path/*`, with wildcards in both.

        `times` None has no end. The first fault that matches and is not used up is taken.
        """
        self.state.add_fault({"match": match, "answer": answer, "times": times})

    def clear_faults(self) -> None:
        """Fail no more, and end the connections that hang."""
        self.state.clear_faults()
        released, self._released = self._released, threading.Event()
        released.set()

    def requests(self) -> list[Request]:
        """Return the requests since the last `clear_requests`, in order."""
        return [Request(**request) for request in self.state.requests()]

    def clear_requests(self) -> None:
        self.state.clear_requests()

    def cut(self) -> None:
        """End all connections."""
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop serving, and return when no connection is open."""
        self.shutdown()
        self._thread.join()
        self.server_close()

        def ended() -> bool:
            self.clear_faults()
            self.cut()
            return not self._open

        wait_until(ended, "the last connection has ended")

    def hang(self) -> None:
        """Return when the faults are cleared."""
        self._released.wait()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that end a connection are part of what is tested."""


class FaultyHandler(Proxy):
    """Fails as its server is told, and otherwise answers by `respond`."""

    server: FaultyServer
    # Whether faults match the path alone, or also what follows the question mark.
    with_query = False

    def handle_request(self) -> None:
        path = self.path if self.with_query else urlsplit(self.path).path
        fault = self.server.state.take_fault(self.command, path)
        answer: Fault | None = fault["answer"] if fault else None
        if answer in {"drop", "hang"}:
            self.log_request(0)
            if answer == "hang":
                self.server.hang()
            self.close_connection = True
        elif isinstance(answer, int):
            self.fail(answer)
        else:
            self.respond(answer)

    def fail(self, status: int) -> None:
        """Answer with an error in the words of this service."""
        raise NotImplementedError

    def respond(self, fault: Fault | None) -> None:
        """Answer the request; the fault concerns the body of the answer."""
        raise NotImplementedError

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        """Record the request for the tests. It is called with every answer."""
        agent = self.headers.get("User-Agent", "")
        line = {"method": self.command, "path": self.path, "user_agent": agent}
        self.server.state.log({**line, "status": int(code)})

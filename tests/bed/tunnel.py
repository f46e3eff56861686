"""A proxy of a company: it connects nobody who does not log in, and all others to one server."""

from __future__ import annotations

import base64
import contextlib
import socket
import socketserver
import threading

from bed.served import Served


class Tunnel(Served):
    """Answers CONNECT, as RFC 9110 has it; `asked` are the names that were asked for.

    Every name leads to the one port on the loopback interface, so a test has any host it wants.
    """

    def __init__(self, port: int, login: str) -> None:
        self.asked: list[str] = []
        outer, expected = self, base64.b64encode(login.encode()).decode()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                lines = [self.rfile.readline().decode().strip()]
                while line := self.rfile.readline().decode().strip():
                    lines.append(line)
                outer.asked.append(lines[0].split()[1])
                if f"Proxy-Authorization: Basic {expected}" not in lines:
                    self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                    return
                with socket.create_connection(("127.0.0.1", port)) as there:
                    self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=_copy, args=(there, self.connection))
                    back.start()
                    _copy(self.connection, there)
                    back.join()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://{login}@127.0.0.1:{self._server.server_address[1]}"


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(1 << 16):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)

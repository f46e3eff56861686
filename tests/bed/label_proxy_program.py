"""A proxy that finds its targets by what containers carry: label_proxy.py starts it on a host.

It asks the real engine before each request, so it knows a container from its first moment on. The
containers that ask for the host of a request get the requests in turn. A container asks for it as
for Traefik, for Caddy's proxy for Docker, or for nginx-proxy. Standard library only; it ends with
its standard input.
"""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ENGINE = "/var/run/docker.sock"
BAD_GATEWAY = 502
NOT_FOUND = 404
SECONDS = 5


class Engine(http.client.HTTPConnection):
    """A connection to the engine of this host."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(ENGINE)


def ask(path: str) -> Any:
    """Return what the engine answers."""
    connection = Engine("localhost")
    connection.request("GET", path)
    return json.load(connection.getresponse())


def containers() -> list[dict[str, Any]]:
    """Return the containers that run, by name."""
    found = (ask(f"/containers/{each['Id']}/json") for each in ask("/containers/json"))
    return sorted((each for each in found if "Name" in each), key=lambda each: str(each["Name"]))


def asks_for(container: dict[str, Any], host: str) -> bool:
    """Whether a container wants the requests for a host, in the words of one of the proxies."""
    config = container["Config"]
    labels = config["Labels"] or {}
    rules = (
        value
        for name, value in labels.items()
        if name.startswith("traefik.http.routers.") and name.endswith(".rule")
    )
    traefik = labels.get("traefik.enable") != "false" and any(f"Host(`{host}`)" in r for r in rules)
    variables = dict(each.partition("=")[::2] for each in config["Env"] or ())
    nginx = host in variables.get("VIRTUAL_HOST", "").split(",")
    return traefik or labels.get("caddy") == host or nginx


def address(container: dict[str, Any]) -> str:
    networks = container["NetworkSettings"]["Networks"].values()
    return next((each["IPAddress"] for each in networks if each["IPAddress"]), "")


class Handler(BaseHTTPRequestHandler):
    """Sends a request to the next of the containers that ask for it."""

    port: int
    turn = itertools.count()

    def do_GET(self) -> None:
        host = self.headers["Host"].partition(":")[0]
        found = [each for each in containers() if asks_for(each, host)]
        if not found:
            self._answer(NOT_FOUND, b"no container asks for this host")
            return
        target = found[next(self.turn) % len(found)]
        connection = http.client.HTTPConnection(address(target), self.port, timeout=SECONDS)
        try:
            connection.request("GET", self.path)
            answer = connection.getresponse()
            self._answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            self._answer(BAD_GATEWAY, f"{target['Name']}: {error}".encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main(listen: str, port: str) -> None:
    Handler.port = int(port)
    server = ThreadingHTTPServer(("", int(listen)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])

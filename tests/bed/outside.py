"""Sites outside of the bed, which its runner reaches by their names and over TLS."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bed import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.testbed import Bed

FORGET = 'grep -v " $1\\$" /etc/hosts >/tmp/hosts; cat /tmp/hosts >/etc/hosts; rm /tmp/hosts'


class Server(ThreadingHTTPServer):
    """A server that ends its TLS before the connection: git takes everything else for an attack."""

    def shutdown_request(self, request: Any) -> None:
        with contextlib.suppress(OSError):
            request.settimeout(5)
            request.unwrap()
        super().shutdown_request(request)


@contextlib.contextmanager
def sites(
    bed: Bed, handler: type[BaseHTTPRequestHandler], *names: str, certificate: str = ""
) -> Iterator[None]:
    """Serve sites in this process; the runner finds each name here.

    The certificate is for the first name, or for `certificate`, such as `*.example.com`.
    """
    where = bed.engine.gateway()
    server = Server((where, 443), handler)
    with tempfile.TemporaryDirectory() as folder:
        keys.make_server_certificate(bed.lease.root, Path(folder), certificate or names[0])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/server.crt", f"{folder}/server.key")
    # The handshake runs in the thread of the connection, so a slow client blocks no other.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    for name in names:
        bed.runner.run("sh", "-ec", 'echo "$1 $2" >>/etc/hosts', "-", where, name)
    try:
        yield
    finally:
        for name in names:
            bed.runner.run("sh", "-c", FORGET, "-", name)
        server.shutdown()
        thread.join()
        server.server_close()

"""Repositories behind real git over HTTP, as a forge serves them: a token reads or writes."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

WRITES, READS = "ghp_may_write", "ghp_may_read"


class GitServer:
    """The bare repositories of a folder, in a `with` block."""

    def __init__(self, folder: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(folder))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def handler(folder: Path) -> type[BaseHTTPRequestHandler]:
    """Return what answers requests for the bare repositories of a folder."""

    class Handler(_Handler):
        root = folder

    return Handler


class _Handler(BaseHTTPRequestHandler):
    """One request: `git http-backend` answers it when the token may do this."""

    root: Path

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing: the test looks at what the client says."""

    def _answer(self) -> None:
        kind, _, login = self.headers.get("Authorization", "").partition(" ")
        token = base64.b64decode(login).decode().partition(":")[2] if kind == "Basic" else ""
        if token not in (WRITES, READS):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        elif "git-receive-pack" in self.path and token != WRITES:
            self.send_error(403)
        else:
            self._run()

    def _run(self) -> None:
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "octocat",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        argv = ("git", "http-backend")
        done = subprocess.run(argv, input=body, env=env, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

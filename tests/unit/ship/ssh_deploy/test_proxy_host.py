"""The health probe asks for the site by its name, where one proxy serves several."""

from __future__ import annotations

import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from ship.ssh_deploy.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with one site, which others cannot be asked at."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["Host"] == "shop.example.com" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("client", ["curl", "bash", "wget"])
@pytest.mark.parametrize(
    ("host", "said"), [("shop.example.com", "good"), ("other.example.com", "status 404")]
)
def test_every_client_names_the_site(
    tmp_path: Path, port: int, client: str, host: str, said: str
) -> None:
    for name in ("dash", "sed", "head", "date", client):
        found = shutil.which(name)
        assert found, f"{name} is not on this machine"
        (tmp_path / name).symlink_to(found)
    script = (
        Program(("host/common", "host/health"), (), {"HEALTH_HOST": host}).preamble("m").reveal()
    )
    # The folder is the whole PATH: the script would add those where another client is.
    script = script.replace("PATH=$PATH:", "ELSEWHERE=")
    script += f'probe 127.0.0.1 {port} / && echo good || echo "$answer"\nfinished=yes\n'
    done = subprocess.run(
        (str(tmp_path / "dash"), "-s"),
        input=script, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == said, done.stderr

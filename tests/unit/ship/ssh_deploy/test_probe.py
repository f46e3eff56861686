"""The health probe of the host's scripts, with each client that a host may have."""

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

ANSWERS = {
    "/health": 200, "/made": 201, "/login": 302, "/closed": 401, "/sick": 503, "/q?x=[1-3]": 200,
}  # fmt: skip
# The site of each other path: one proxy may serve several.
SITE = "shop.example.com"
CLIENTS = [
    pytest.param({"curl": "curl"}, id="curl"),
    pytest.param({"bash": "bash"}, id="bash"),
    # That of busybox is what Alpine has; Debian's static build of it ends in a segmentation fault.
    pytest.param({"wget": "wget"}, id="wget"),
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    hangs = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/slow":
                hangs.wait()
            address = f"127.0.0.1:{server.server_port}"
            sites = {"/": SITE, "/address": address}
            is_there = self.headers["Host"] == sites.get(self.path)
            self.send_response(ANSWERS.get(self.path, 200 if is_there else 404))
            self.send_header("Location", "/health")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    hangs.set()
    server.shutdown()
    server.server_close()


def probe(
    folder: Path,
    client: dict[str, str],
    port: int | str,
    path: str,
    site: str = "",
    *,
    status: str = "200-299",
    seconds: str = "",
) -> str:
    """Return what the probe says where only one client is installed."""
    for name, program in {
        "sh": "dash",
        "sed": "sed",
        "head": "head",
        "date": "date",
        "tr": "tr",
        **client,
    }.items():
        found = shutil.which(program)
        if not found:
            pytest.fail(f"{program} is not on this machine")
        (folder / name).symlink_to(found)
    # The folder is the whole PATH: the script would add those where a client is.
    given = {"HEALTH_STATUS": status, "HEALTH_HOST": site}
    sent = Program(("host/common", "host/health"), (), given)
    script = sent.preamble("m").reveal()
    script = script.replace("PATH=$PATH:", "ELSEWHERE=")
    script += f"probe 127.0.0.1 '{port}' '{path}' {seconds} && echo good || echo \"$answer\"\n"
    script += "finished=yes\n"
    proxy = "http://127.0.0.1:1"
    env = {"PATH": str(folder), "http_proxy": proxy, "HOME": str(folder)}
    (folder / ".curlrc").write_text(f"proxy = {proxy}\n")
    argv = (str(folder / "sh"), "-s")
    done = subprocess.run(argv, input=script, env=env, capture_output=True, text=True, check=False)
    return done.stdout.removeprefix("ship-ready m\n").strip()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/health", "good"),
        ("/made", "good"),
        ("/login", "status 302"),
        ("/sick", "status 503"),
        ("/q?x=[1-3]", "good"),
    ],
)
@pytest.mark.parametrize("client", CLIENTS)
def test_only_a_2xx_of_the_app_itself_is_good(
    tmp_path: Path, client: dict[str, str], port: int, path: str, said: str
) -> None:
    assert probe(tmp_path, client, port, path) == said


@pytest.mark.parametrize(("site", "said"), [(SITE, "good"), ("other.example.com", "status 404")])
@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_names_the_site(
    tmp_path: Path, client: dict[str, str], port: int, site: str, said: str
) -> None:
    assert probe(tmp_path, client, port, "/", site) == said


@pytest.mark.parametrize("client", CLIENTS)
def test_without_a_site_every_client_names_the_address(
    tmp_path: Path, client: dict[str, str], port: int
) -> None:
    assert probe(tmp_path, client, port, "/address") == "good"


@pytest.mark.parametrize(
    "answer",
    [
        ("/login", "200-399", "good"),
        ("/closed", "200-299 401-401", "good"),
        ("/closed", "200-399", "status 401"),
        ("/health", "401-401", "status 200"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("client", CLIENTS)
def test_other_statuses_are_good_when_that_is_said(
    tmp_path: Path, client: dict[str, str], port: int, answer: tuple[str, str, str]
) -> None:
    path, status, said = answer
    assert probe(tmp_path, client, port, path, status=status) == said


@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_that_takes_too_long_is_told_from_none(
    tmp_path: Path, client: dict[str, str], port: int
) -> None:
    assert probe(tmp_path, client, port, "/slow", seconds="1") == "no answer within 1 s"


@pytest.mark.parametrize(("left", "given"), [(60, 30), (30, 30), (12, 12), (1, 5), (-1, 5)])
def test_an_answer_gets_the_time_that_is_left_within_limits(left: int, given: int) -> None:
    script = Program(("host/common", "host/health"), (), {}).preamble("m").reveal()
    script += f"be_patient '{left}'; echo $patience\nfinished=yes\n"
    done = subprocess.run(("sh", "-s"), input=script, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == str(given)


@pytest.mark.parametrize("client", CLIENTS)
def test_silence_is_no_answer(tmp_path: Path, client: dict[str, str]) -> None:
    assert probe(tmp_path, client, 1, "/health") == "no answer"


def test_a_port_that_is_not_published_is_not_the_port_80_of_the_host(tmp_path: Path) -> None:
    assert probe(tmp_path, {"curl": "curl"}, "", "/health") == "no answer"


def test_a_host_without_any_client_is_named(tmp_path: Path, port: int) -> None:
    assert "m failure no-http-client" in probe(tmp_path, {}, port, "/health")

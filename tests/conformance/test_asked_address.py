"""The step that asks an address from the runner: its command is run as a runner runs it."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from bed.step import BASH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CASE = Path(__file__).parents[1] / "cases" / "capability-health"


@contextmanager
def site(answers: Sequence[int]) -> Iterator[tuple[str, list[str]]]:
    """Serve a site that gives these statuses in turn, the last one for ever, and notes requests."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = answers[min(len(seen), len(answers) - 1)]
            seen.append(self.path)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/moved")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(url: str, seconds: str) -> int:
    """Run the step as the runner does; return its exit code."""
    steps = YAML(typ="safe").load((CASE / "ci-cd.yml").read_text())["jobs"]["deploy"]["steps"]
    (step,) = (step for step in steps if "run" in step)
    assert set(step["env"]) == {"URL", "SECONDS_TO_ANSWER"}
    env = {"PATH": "/usr/bin:/bin", "URL": url, "SECONDS_TO_ANSWER": seconds}
    return subprocess.run((*BASH, "-c", step["run"]), env=env, check=False).returncode


def test_a_site_that_answers_is_asked_once() -> None:
    with site([200]) as (url, seen):
        assert asked(f"{url}/health?a=[1]&b={{2}}", "60") == 0
    assert seen == ["/health?a=[1]&b={2}"]


def test_a_site_that_needs_some_time_is_asked_again() -> None:
    with site([503, 404, 200]) as (url, seen):
        assert asked(f"{url}/health", "60") == 0
    assert seen == ["/health"] * 3


def test_a_redirect_is_followed() -> None:
    with site([301, 200]) as (url, seen):
        assert asked(f"{url}/health", "60") == 0
    assert seen == ["/health", "/moved"]


def test_a_site_that_goes_on_failing_fails_the_step() -> None:
    with site([500]) as (url, seen):
        assert asked(f"{url}/health", "1") != 0
    assert len(seen) > 1


def test_a_site_that_nobody_serves_fails_the_step() -> None:
    with site([200]) as (url, _):
        pass
    assert asked(url, "1") != 0

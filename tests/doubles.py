"""What stands in for the world in unit tests: a scripted runner of commands, a log in memory."""

from __future__ import annotations

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from ship.runner.workflow_commands import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from typing_extensions import Self

    from ship.runner.command import Command
    from ship.runner.process import Finished


class ScriptedRunner:
    """Answers each command with the next of the given endings, and remembers what was run."""

    def __init__(self, *endings: Finished, then: Callable[[Command], None] | None = None) -> None:
        self._endings = list(endings)
        self._then = then
        self.ran: list[Command] = []

    def run(
        self,
        command: Command,
        *,
        on_stdout: Callable[[str], None] | None = None,
        on_stderr: Callable[[str], None] | None = None,
    ) -> Finished:
        self.ran.append(command)
        finished = self._endings.pop(0)
        for text, sink in ((finished.stdout, on_stdout), (finished.stderr, on_stderr)):
            for line in text.splitlines():
                if sink:
                    sink(line)
        if self._then:
            self._then(command)
        return finished

    def run_all(
        self, jobs: Sequence[tuple[Command, Callable[[str], None]]], at_once: int
    ) -> tuple[Finished, ...]:
        assert at_once > 0
        return tuple(self.run(job, on_stdout=sink, on_stderr=sink) for job, sink in jobs)


class Log:
    """A workflow whose log, outputs and summary can be read back."""

    def __init__(self, folder: Path) -> None:
        self._stream = io.StringIO()
        self._outputs = folder / "outputs"
        self._summary = folder / "summary"
        files = {"GITHUB_OUTPUT": str(self._outputs), "GITHUB_STEP_SUMMARY": str(self._summary)}
        self.workflow = Workflow(files, self._stream)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def summary(self) -> str:
        return self._summary.read_text() if self._summary.exists() else ""

    @property
    def outputs(self) -> dict[str, str]:
        """Read the outputs as the runner does."""
        found: dict[str, str] = {}
        lines = iter(self._outputs.read_text().splitlines() if self._outputs.exists() else ())
        for line in lines:
            name, _, delimiter = line.partition("<<")
            value = []
            for each in lines:
                if each == delimiter:
                    break
                value.append(each)
            found[name] = "\n".join(value)
        return found


Answer = tuple[int, dict[str, str], str]
Answers = dict[str, list[Answer]]


class HttpRegistry:
    """A registry on the loopback interface that gives scripted answers.

    `answers` maps `METHOD path-prefix` to a list of (status, headers, body); the last is repeated.
    """

    def __init__(self, answers: Answers) -> None:
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        asked, bodies = self.asked, self.bodies
        met: set[object] = set()
        self._met = met

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                met.add(self.client_address)
                asked.append(f"{self.command} {self.path.partition('?')[0]}")
                bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                found: list[Answer] = next(
                    (a for key, a in answers.items() if asked[-1].startswith(key)), []
                )
                last = found[-1] if found else (404, {}, "")
                status, headers, body = found.pop(0) if len(found) > 1 else last
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value.replace("{address}", f"127.0.0.1:{port}"))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body.encode())

            do_GET = do_POST = do_DELETE = do_PUT = do_HEAD = answer  # noqa: N815 - names of the standard library

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        port = self._server.server_port
        self.address = f"127.0.0.1:{port}"

    @property
    def connections(self) -> int:
        """How many connections there were."""
        return len(self._met)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


UPLOAD: Answer = (202, {"Location": "/v2/acme/app/blobs/uploads/1"}, "")
CHALLENGE: Answer = (
    401,
    {"WWW-Authenticate": 'Bearer realm="http://{address}/token",service="s"'},
    "",
)
TOKEN: Answer = (200, {}, '{"token": "t"}')
OPEN_REGISTRY: Answers = {
    "GET /v2/": [(200, {}, "")],
    "POST /v2/": [UPLOAD],
    "DELETE /v2/": [(204, {}, "")],
}

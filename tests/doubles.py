"""What stands in for the world in unit tests: a scripted runner of commands, a log in memory."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from ship.runner.workflow_commands import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

    from ship.runner.command import Command, Secret
    from ship.runner.process import Finished


Sink = Callable[[str], None]


class ScriptedProcess:
    """A program that runs beside us: it prints and ends when the test says so.

    It is both kinds of process of a runner. Its first lines come when it starts, the lines of
    `answers` when a text is written that contains their key.
    """

    def __init__(self, *lines: str, answers: Mapping[str, Sequence[str]] | None = None) -> None:
        self._first = lines
        self._answers = answers or {}
        self._on_stdout: Sink | None = None
        self._on_stderr: Sink | None = None
        self._on_end: Callable[[], None] | None = None
        self.written: list[str] = []
        self.ended = False
        self.code = 0

    def begin(
        self, on_stdout: Sink | None, on_stderr: Sink | None, on_end: Callable[[], None] | None
    ) -> None:
        self._on_stdout, self._on_stderr, self._on_end = on_stdout, on_stderr, on_end
        for line in self._first:
            self.print(line)

    def print(self, line: str, *, to_stderr: bool = False) -> None:
        sink = self._on_stderr if to_stderr else self._on_stdout
        if sink:
            sink(line)

    def end(self, code: int = 0) -> None:
        if not self.ended:
            self.ended, self.code = True, code
            if self._on_end:
                self._on_end()

    def write(self, text: Secret) -> None:
        self.written.append(text.reveal())
        for key, lines in self._answers.items():
            if key in text.reveal():
                for line in lines:
                    self.print(line)

    def stop(self) -> None:
        self.end(-signal.SIGTERM)

    def end_input(self) -> None:
        self.end()

    def kill(self) -> None:
        self.end(-signal.SIGKILL)


class ScriptedRunner:
    """Answers each command with the next of the given endings, and remembers what was run.

    `processes` are those that run beside us, in the order in which they are started.
    """

    def __init__(
        self,
        *endings: Finished,
        then: Callable[[Command], None] | None = None,
        processes: Sequence[ScriptedProcess] = (),
    ) -> None:
        self._endings = list(endings)
        self._then = then
        self._processes = list(processes)
        self.ran: list[Command] = []

    def start(
        self,
        command: Command,
        *,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> ScriptedProcess:
        self.ran.append(command)
        process = self._processes.pop(0)
        process.begin(on_stdout, on_stderr, on_end)
        return process

    def interact(
        self, command: Command, *, on_stdout: Sink, on_stderr: Sink, on_end: Callable[[], None]
    ) -> ScriptedProcess:
        return self.start(command, on_stdout=on_stdout, on_stderr=on_stderr, on_end=on_end)

    def run(
        self,
        command: Command,
        *,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
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

    def run_all(self, jobs: Sequence[tuple[Command, Sink]], at_once: int) -> tuple[Finished, ...]:
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
        self.authorized: list[str] = []
        asked, bodies, authorized = self.asked, self.bodies, self.authorized
        met: set[object] = set()
        self._met = met

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                met.add(self.client_address)
                asked.append(f"{self.command} {self.path.partition('?')[0]}")
                authorized.append(self.headers.get("Authorization", ""))
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

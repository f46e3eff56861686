"""What the bed puts between a test and a machine: slow lines that break, and users who ask."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bed.delay import delayed
from bed.load import Answer, Load
from bed.waiting import PATIENCE_SECONDS, uptime_ms, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

EACH_WAY_MS = 200


class Echo:
    """A server that returns what it gets, and says first what it is."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.ends: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Alone, a close is not noticed by who waits for a connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.sendall(b"echo\n")
            try:
                while data := connection.recv(1 << 16):
                    connection.sendall(data)
                self.ends.append("ended")
            except ConnectionResetError:
                self.ends.append("reset")


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def link(echo: Echo) -> Iterator[delayed]:
    with delayed("127.0.0.1", echo.port, milliseconds=EACH_WAY_MS) as link:
        yield link


def connect(link: delayed) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=PATIENCE_SECONDS)


def receive(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (more := connection.recv(1 << 16)):
        data += more
    return bytes(data)


def test_a_line_delays_every_answer_and_the_handshake(link: delayed) -> None:
    begun = uptime_ms()
    with connect(link) as line:
        assert receive(line, 5) == b"echo\n"
        assert uptime_ms() - begun >= 4 * EACH_WAY_MS
        begun = uptime_ms()
        line.sendall(b"x")
        assert receive(line, 1) == b"x"
        assert uptime_ms() - begun >= 2 * EACH_WAY_MS


@pytest.mark.test_all
def test_a_slow_line_is_no_narrow_one(echo: Echo) -> None:
    sent = b"x" * (20 << 20)
    # 320 chunks, each way a second: one after another they would take longer than a test may.
    with (
        delayed("127.0.0.1", echo.port, milliseconds=1000) as link,
        connect(link) as line,
        ThreadPoolExecutor() as pool,
    ):
        receive(line, 5)
        pool.submit(line.sendall, sent)
        assert receive(line, len(sent)) == sent


@pytest.mark.test_all
def test_many_connections_do_not_wait_for_each_other(echo: Echo) -> None:
    # 100 handshakes and first words of 4 s: one after another, the last would not be waited for.
    with (
        delayed("127.0.0.1", echo.port, milliseconds=1000) as link,
        ExitStack() as lines,
        ThreadPoolExecutor(100) as pool,
    ):
        opened = [lines.enter_context(connect(link)) for _ in range(100)]
        assert set(pool.map(lambda line: receive(line, 5), opened)) == {b"echo\n"}


@pytest.mark.test_all
def test_an_end_comes_after_what_was_said_before(link: delayed, echo: Echo) -> None:
    with connect(link) as line:
        line.sendall(b"last")
        line.shutdown(socket.SHUT_WR)
        assert receive(line, 99) == b"echo\nlast"
    assert echo.ends == ["ended"]


@pytest.mark.test_all
def test_a_cut_resets_both_sides_and_the_next_connection_works(link: delayed, echo: Echo) -> None:
    with connect(link) as line:
        receive(line, 5)
        link.cut()
        with pytest.raises(ConnectionResetError):
            line.recv(1)
        wait_until(lambda: echo.ends, "the server has seen the end")
        assert echo.ends == ["reset"]
    with connect(link) as line:
        assert receive(line, 5) == b"echo\n"


@pytest.mark.test_all
def test_a_frozen_line_takes_all_and_gives_nothing_until_it_thaws(link: delayed) -> None:
    with connect(link) as line:
        receive(line, 5)
        link.freeze()
        line.sendall(b"held")
        later = connect(link)
        for each in (line, later):
            each.settimeout(0.5)
            with pytest.raises(TimeoutError):
                each.recv(1)
        link.thaw()
        assert receive(line, 4) == b"held"
        assert receive(later, 5) == b"echo\n"
        later.close()


@pytest.mark.test_all
def test_a_machine_that_is_gone_ends_the_connection(echo: Echo) -> None:
    echo.close()
    # It may have gone already when the connection is made.
    link = delayed("127.0.0.1", echo.port, milliseconds=1)
    with link, pytest.raises(ConnectionResetError), connect(link) as line:
        line.recv(1)


class App(http.server.BaseHTTPRequestHandler):
    """An app whose answer is the server's version; none means that it fails."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one packet for an answer

    def do_GET(self) -> None:
        version = self.server.version  # type: ignore[attr-defined]
        body = version.encode() + b"\n"
        self.send_response(200 if version else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class AppServer(http.server.ThreadingHTTPServer):
    """The app at an address of its own, until its `with` block ends."""

    version = "1"
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), App)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def server_close(self) -> None:
        self.shutdown()
        super().server_close()


@pytest.mark.test_all
@pytest.mark.parametrize("keep_alive", [False, True])
def test_users_of_a_healthy_app_see_its_versions_and_no_gap(keep_alive: bool) -> None:  # noqa: FBT001
    with (
        AppServer() as app,
        Load(app.url, keep_alive=keep_alive, timeout=PATIENCE_SECONDS) as load,
    ):
        wait_until(lambda: len(load.requests) > 50, "users have asked for version 1")
        app.version = "2"
        wait_until(lambda: "2" in load.versions, "users see version 2")
    assert load.failed == []
    assert load.versions == ["1", "2"]


def test_users_see_that_an_app_was_gone() -> None:
    begun = uptime_ms()
    with AppServer() as app, Load(app.url, timeout=PATIENCE_SECONDS) as load:
        wait_until(lambda: "1" in load.versions, "users see version 1")
        app.version = ""
        wait_until(lambda: len(load.failed) > 20, "users are refused")
        app.version = "2"
        wait_until(lambda: "2" in load.versions, "users see version 2")
    assert {each.status for each in load.failed} == {503}
    assert 0 < load.longest_gap_ms() <= uptime_ms() - begun + 10


@pytest.mark.test_all
def test_users_of_an_app_that_never_comes_back_wait_to_the_end() -> None:
    with AppServer() as app:
        load = Load(app.url, clients=1)
        with load:
            wait_until(lambda: load.versions, "the user sees a version")
            app.server_close()
            wait_until(lambda: load.failed and "refused" in load.failed[-1].said, "it is refused")
    assert load.versions == ["1"]
    assert {each.status for each in load.failed} == {0}


class Seen(Load):
    """Users whose requests are given: (start, end, status), in seconds."""

    def __init__(self, *answers: tuple[float, float, int]) -> None:
        super().__init__("http://nowhere")
        self._answers = [Answer(*each, said="") for each in answers]


def test_a_gap_is_from_the_end_of_a_good_answer_to_that_of_the_next() -> None:
    assert Seen((0, 1, 200), (1, 2, 200), (2, 2.5, 200)).longest_gap_ms() == 1000
    assert Seen((0, 1, 200), (1, 2, 503), (2, 4, 0), (4, 4.5, 200)).longest_gap_ms() == 3500
    # One user was answered while another was not.
    assert Seen((0, 1, 200), (1, 5, 0), (1, 2, 200), (4, 5, 200)).longest_gap_ms() == 3000
    # The app never came back, or was never there.
    assert Seen((0, 1, 200), (1, 2, 0), (2, 9, 0)).longest_gap_ms() == 8000
    assert Seen((0, 1, 0)).longest_gap_ms() == float("inf")


@pytest.mark.test_all
def test_users_give_up_on_an_answer_that_does_not_come(link: delayed) -> None:
    with Load(f"http://127.0.0.1:{link.port}/", clients=1, timeout=0.1) as load:
        wait_until(lambda: load.requests, "a user has given up")
    assert load.requests
    assert load.versions == []
    assert all("timed out" in each.said for each in load.failed)
    assert load.longest_gap_ms() == float("inf")

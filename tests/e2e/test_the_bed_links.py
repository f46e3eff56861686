"""What the bed puts between a test and a machine: slow lines that break, and users who ask."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bed.delay import delayed
from bed.load import Load

if TYPE_CHECKING:
    from collections.abc import Iterator

EACH_WAY = 0.1
# Of a machine that has other things to do as well: it may be late by far, and is early by no more
# than the time between two requests.
EARLY_MS, LATE_MS = 80, 250
# In some one of so many tries it has nothing else to do.
TRIES = 5


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
    with delayed("127.0.0.1", echo.port, milliseconds=1000 * EACH_WAY) as link:
        yield link


def connect(link: delayed) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=5)


def receive(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (more := connection.recv(1 << 16)):
        data += more
    return bytes(data)


def first_word(link: delayed) -> float:
    """Connect, and return after how many seconds the far side has spoken."""
    started = time.monotonic()
    with connect(link) as line:
        assert receive(line, 5) == b"echo\n"
    return time.monotonic() - started


def answer(line: socket.socket) -> float:
    """Say something, and return after how many seconds it is answered."""
    started = time.monotonic()
    line.sendall(b"x")
    assert receive(line, 1) == b"x"
    return time.monotonic() - started


@pytest.mark.test_all
def test_a_line_delays_every_answer_and_the_handshake(link: delayed) -> None:
    quickest = min(first_word(link) for _ in range(TRIES))
    assert quickest == pytest.approx(4 * EACH_WAY, abs=EACH_WAY / 2)
    with connect(link) as line:
        receive(line, 5)
        quickest = min(answer(line) for _ in range(TRIES))
    assert quickest == pytest.approx(2 * EACH_WAY, abs=EACH_WAY / 2)


@pytest.mark.test_all
def test_a_slow_line_is_no_narrow_one(link: delayed) -> None:
    sent = b"x" * (20 << 20)
    with connect(link) as line, ThreadPoolExecutor() as pool:
        receive(line, 5)
        started = time.monotonic()
        pool.submit(line.sendall, sent)
        assert receive(line, len(sent)) == sent
        # 320 chunks: one after another they would take more than half a minute.
        assert time.monotonic() - started < 10, "each chunk waits alone for the one before it"


@pytest.mark.test_all
def test_many_connections_do_not_wait_for_each_other(link: delayed) -> None:
    with ThreadPoolExecutor(30) as pool:
        slowest = max(pool.map(lambda _: first_word(link), range(30)))
    # One after another they would take 12 s.
    assert slowest < 6


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
        time.sleep(0.1)
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
    with delayed("127.0.0.1", echo.port, milliseconds=1) as link:
        line = connect(link)
        with line, pytest.raises(ConnectionResetError):
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
    with AppServer() as app, Load(app.url, keep_alive=keep_alive) as load:
        time.sleep(0.4)
        app.version = "2"
        time.sleep(0.4)
    assert load.failed == []
    assert load.versions == ["1", "2"]
    assert len(load.requests) > 100
    assert load.longest_gap_ms() < LATE_MS


def test_users_measure_how_long_an_app_was_gone() -> None:
    with AppServer() as app, Load(app.url) as load:
        time.sleep(0.2)
        app.version = ""
        time.sleep(0.3)
        app.version = "2"
        time.sleep(0.2)
    assert {each.status for each in load.failed} == {503}
    assert 300 - EARLY_MS < load.longest_gap_ms() < 300 + LATE_MS


@pytest.mark.test_all
def test_users_of_an_app_that_never_comes_back_wait_to_the_end() -> None:
    with AppServer() as app:
        load = Load(app.url, clients=1)
        with load:
            time.sleep(0.1)
            app.server_close()
            time.sleep(0.3)
    assert load.versions == ["1"]
    assert {each.status for each in load.failed} == {0}
    assert "refused" in load.failed[-1].said
    assert 300 - EARLY_MS < load.longest_gap_ms() < 300 + LATE_MS


@pytest.mark.test_all
def test_users_give_up_on_an_answer_that_does_not_come(link: delayed) -> None:
    with Load(f"http://127.0.0.1:{link.port}/", clients=1, timeout=0.1) as load:
        time.sleep(0.3)
    assert load.requests
    assert load.versions == []
    assert all("timed out" in each.said for each in load.failed)
    assert load.longest_gap_ms() == float("inf")

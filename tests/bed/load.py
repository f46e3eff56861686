"""Simulates users of an app: sends requests all the time, and records each answer and its time."""

from __future__ import annotations

import http.client
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from typing_extensions import Self

OK = range(200, 400)


class Answer(NamedTuple):
    """The answer to one request. Without an answer, `status` is 0 and `said` is the reason."""

    start: float
    end: float
    status: int
    said: str

    @property
    def ok(self) -> bool:
        return self.status in OK


class Load:
    """Clients that send requests to an address from the start to the end of a `with` block.

    Each client sends the next request `pause` seconds after an answer, on a new connection unless
    `keep_alive` is set. It gives up on a request after `timeout` seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        clients: int = 4,
        keep_alive: bool = False,
        timeout: float = 1,
        pause: float = 0.004,
    ) -> None:
        self._url = urlsplit(url)
        self._keep_alive = keep_alive
        self._timeout = timeout
        self._pause = pause
        self._stopped = threading.Event()
        self._answers: list[Answer] = []
        self._clients = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(clients)]

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for client in self._clients:
            client.join()

    @property
    def requests(self) -> list[Answer]:
        """All requests that have ended, sorted by the time of their end."""
        return sorted(self._answers, key=lambda each: each.end)

    @property
    def failed(self) -> list[Answer]:
        """The requests without a good answer."""
        return [each for each in self.requests if not each.ok]

    @property
    def versions(self) -> list[str]:
        """The different bodies of good answers, in the order in which they first appeared."""
        return list(dict.fromkeys(each.said for each in self.requests if each.ok))

    def longest_gap_ms(self) -> float:
        """Return the longest time without a good answer to any client, after the first good one.

        It is measured between the ends of two good answers, and from the last one to the end of
        the load.
        """
        asked = self.requests
        ends = [each.end for each in asked if each.ok]
        if not ends:
            return float("inf")
        return 1000 * max(after - before for before, after in pairwise([*ends, asked[-1].end]))

    def _ask_on(self) -> None:
        connection = self._connect()
        while not self._stopped.is_set():
            answer = self._ask(connection)
            self._answers.append(answer)
            if not (self._keep_alive and answer.ok):
                connection.close()
            time.sleep(self._pause)
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        # The client connects again by itself when the connection was closed.
        host = self._url.hostname or ""
        return http.client.HTTPConnection(host, self._url.port, timeout=self._timeout)

    def _ask(self, connection: http.client.HTTPConnection) -> Answer:
        start, status = time.monotonic(), 0
        try:
            connection.request("GET", self._url.path or "/")
            answer = connection.getresponse()
            said = answer.read().decode(errors="replace").strip()
            status = answer.status
        except (OSError, http.client.HTTPException) as error:
            said = f"{type(error).__name__}: {error}"
        return Answer(start, time.monotonic(), status, said)

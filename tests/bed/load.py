"""Users of a deployed app: they ask all the time, and write down what they got and when."""

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
    """What one request got, by the monotonic clock; `status` is 0 and `said` why without one."""

    start: float
    end: float
    status: int
    said: str

    @property
    def ok(self) -> bool:
        return self.status in OK


class Load:
    """Clients that ask an address from the start to the end of a `with` block.

    Each asks again `pause` seconds after its answer, on a new connection if not `keep_alive`,
    and gives up on one after `timeout` seconds.
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
        """All requests that have ended, by their ends."""
        return sorted(self._answers, key=lambda each: each.end)

    @property
    def failed(self) -> list[Answer]:
        """The requests without a good answer."""
        return [each for each in self.requests if not each.ok]

    @property
    def versions(self) -> list[str]:
        """The different bodies of good answers, in the order in which they were first seen."""
        return list(dict.fromkeys(each.said for each in self.requests if each.ok))

    def longest_gap_ms(self) -> float:
        """Return how long at most no client got a good answer, after the first that one got.

        It is measured from the end of one to the end of the next, and to the end of the load.
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
        # It connects by itself where it was closed.
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

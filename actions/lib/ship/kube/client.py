"""Requests to the API server over the socket of `kubectl proxy`, and what it answers.

kubectl does the login, whatever form it has, and this module does the requests: they have real
status codes and, when refused, a `Status` object that says why.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# What a patch is, by the media types of https://kubernetes.io/docs/reference/using-api/api-concepts/
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
FIELD_MANAGER = "gen-workflow"
TIMEOUT_SECONDS = 30.0
# How long a request is tried again when the server is busy or not there: it may be restarting.
PATIENCE_SECONDS = 30.0
BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)
LONGEST_WAIT_SECONDS = 10.0
BODY_LIMIT = 64 * 1024 * 1024
PAGE = 500
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, GONE = 401, 403, 404, 409, 410
TOO_MANY = 429
# A busy server or one that starts: another try may have another answer.
TRANSIENT = (TOO_MANY, 500, 502, 503, 504)
# A token is renewed by kubectl after it was refused once.
TRIES_WITH_A_TOKEN = 3
NO_QUERY: Mapping[str, str] = {}
ENDED = "the proxy of kubectl does not run any more"
NO_ANSWER = (OSError, ValueError, http.client.HTTPException)


class Refused(Exception):  # noqa: N818 - named after what the server did
    """The API server refused a request: the code, and the reason and message of its `Status`."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


class Unanswered(Exception):  # noqa: N818 - named after what the server did not do
    """Nobody knows what became of a request: the server is not there, or the line was cut."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _OddError(ValueError):
    """An answer that is whole, and is not what was asked for."""


class _Request(NamedTuple):
    method: str
    target: str
    body: bytes | None
    media_type: str
    # Whether a second request does no more than the first, so that it may be sent again.
    is_safe: bool
    # Whether the answer is an object, in JSON.
    is_object: bool = True


class _Connection(http.client.HTTPConnection):
    """A connection to the socket of `kubectl proxy`."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError as error:
            raise ConnectionError(f"{ENDED} ({error.strerror})") from error


class Client:
    """Sends requests to one API server. Raises Refused or Unanswered."""

    def __init__(self, socket_path: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = socket_path
        self._sleep = sleep
        self._connection: _Connection | None = None
        # The last answer: its body, and the object in it.
        self._body = b""
        self._found: dict[str, Any] = {}
        # When all must be over, on the monotonic clock.
        self._end = inf

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def hurry(self, seconds: float) -> None:
        """Spend no more than this on all requests from now on; those that come later fail."""
        self.close()
        self._end = time.monotonic() + seconds

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return an object."""
        return self._object(_Request("GET", _target(path, query), None, "", is_safe=True))

    def items(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a list, page by page."""
        more = ""
        while True:
            page = {"limit": str(PAGE), **query, **({"continue": more} if more else {})}
            found = self.get(path, **page)
            yield from found.get("items") or ()
            more = (found.get("metadata") or {}).get("continue") or ""
            if not more:
                return

    def text(self, path: str, **query: str) -> str:
        """Return an answer that is text, such as the log of a container."""
        target = _target(path, query)
        self._send(_Request("GET", target, None, "", is_safe=True, is_object=False))
        return self._body.decode("utf-8", "replace")

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object that only asks something, such as a review of rights."""
        return self._object(
            _Request("POST", path, json.dumps(body).encode(), "application/json", is_safe=True)
        )

    def patch(
        self,
        path: str,
        body: object,
        media_type: str,
        *,
        is_safe: bool = False,
        query: Mapping[str, str] = NO_QUERY,
    ) -> dict[str, Any]:
        """Change an object. Without being safe it is sent once; Unanswered leaves it open."""
        target = _target(path, {"fieldManager": FIELD_MANAGER, **query})
        data = json.dumps(body).encode()
        safe = is_safe or "dryRun" in query
        return self._object(_Request("PATCH", target, data, media_type, is_safe=safe))

    def delete(self, path: str, uid: str) -> None:
        """Delete an object, if it is still the one with this uid."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}
        request = _Request("DELETE", path, json.dumps(body).encode(), "application/json", True)  # noqa: FBT003
        try:
            self._send(request)
        except Refused as error:
            # It is gone, or another one has its name by now.
            if error.status not in (NOT_FOUND, CONFLICT):
                raise

    def _object(self, request: _Request) -> dict[str, Any]:
        self._send(request)
        return self._found

    def _send(self, request: _Request) -> None:
        """Send a request, several times if it is safe, and keep its answer."""
        deadline = min(time.monotonic() + PATIENCE_SECONDS, self._end)
        tries = 0
        while True:
            tries += 1
            error, wait = self._try(request)
            if error is None:
                return
            wait = wait or BACK_OFF_SECONDS[min(tries, len(BACK_OFF_SECONDS)) - 1]
            if not _may_retry(request, error, tries) or time.monotonic() + wait > deadline:
                raise error
            self._sleep(wait)

    def _try(self, request: _Request) -> tuple[Refused | Unanswered | None, float]:
        """Send a request once. Return what was wrong and how long the server wants us to wait."""
        try:
            status, after, self._body = self._exchange(request)
            is_good = status < 300  # noqa: PLR2004 - 2xx
            self._found = _object_in(self._body) if is_good and request.is_object else {}
        except _OddError as error:
            return Unanswered(str(error)), 0
        except NO_ANSWER as error:
            self.close()
            return Unanswered(f"{type(error).__name__}: {error}"), 0
        except BaseException:
            # The answer of an interrupted request must not be taken for that of the next one.
            self.close()
            raise
        if is_good:
            return None, 0
        refused = _refused(status, self._body)
        return refused, min(float(after), LONGEST_WAIT_SECONDS) if after.isdecimal() else 0

    def _exchange(self, request: _Request) -> tuple[int, str, bytes]:
        timeout = min(TIMEOUT_SECONDS, self._end - time.monotonic())
        if timeout <= 0:
            raise TimeoutError("no time is left for another request")
        if not self._connection:
            self._connection = _Connection(self._path, timeout)
        if self._connection.sock:
            self._connection.sock.settimeout(timeout)
        headers = {"Accept": "application/json, */*"}
        if request.media_type:
            headers["Content-Type"] = request.media_type
        self._connection.request(request.method, request.target, request.body, headers)
        with contextlib.closing(self._connection.getresponse()) as answer:
            body = answer.read(BODY_LIMIT + 1)
            if len(body) > BODY_LIMIT:
                raise ValueError("the answer is too large")
            # With a limit, the standard library does not say that a body was cut.
            if answer.length:
                raise http.client.IncompleteRead(body, answer.length)
            return answer.status, answer.headers.get("Retry-After", ""), body


def _object_in(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _OddError("the API server sent something that is not an object")
    return found


def _target(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _may_retry(request: _Request, error: Refused | Unanswered, tries: int) -> bool:
    if isinstance(error, Refused) and error.status == UNAUTHORIZED:
        return tries < TRIES_WITH_A_TOKEN
    if isinstance(error, Refused) and error.status == TOO_MANY:
        # It was refused before anything was done.
        return True
    return request.is_safe and (isinstance(error, Unanswered) or error.status in TRANSIENT)


def _refused(status: int, body: bytes) -> Refused | Unanswered:
    """Return the error for an answer: that of a `Status` object, or the text of the proxy."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and found.get("kind") == "Status":
        return Refused(status, str(found.get("reason") or ""), str(found.get("message") or ""))
    text = " ".join(body.decode("utf-8", "replace").split())[:2000]
    # kubectl answers so when it does not reach the server, or has no login for it.
    if status in (500, 502, 503, 504):
        return Unanswered(text)
    return Refused(status, "", text)

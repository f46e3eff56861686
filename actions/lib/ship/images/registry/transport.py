"""HTTP for registries: kept connections, retries, proxies, and the CAs that Docker trusts."""

from __future__ import annotations

import contextlib
import copy
import glob
import http.client
import math
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from ship.images.registry.proxy import (
    DEFAULT_PORTS,
    NO_TUNNEL,
    Proxy,
    ProxyError,
    is_local,
    one_line,
    proxy_of,
)
from ship.images.registry.refusal import TRANSIENT, CannotAsk
from ship.runner.errors import StepFailed
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

TIMEOUT_SECONDS = 15
# Waits before each retry, when a registry is busy or does not answer.
BACK_OFF_SECONDS = (1, 3, 7)
# If a registry asks us to wait longer than this, there is no retry.
LONGEST_WAIT_SECONDS = 30
# No operation takes longer than this, with all its retries.
DEADLINE_SECONDS = 90
# For what is only shown to people.
IMPATIENT_SECONDS = 3
# Of a registry of several machines, one of which does not have a layer or an image yet.
NOT_YET = b"BLOB_UNKNOWN"
# How a request can end without an answer, also from a server that does not speak HTTP.
NO_ANSWER = (OSError, ValueError, http.client.HTTPException)
# The distribution spec asks for manifests of up to 4 MiB.
BODY_LIMIT = 16 * 1024 * 1024
CHUNK = 1 << 16
# The headers that may come several times, of those that are read here.
LISTS = ("link", "www-authenticate")
CERTIFICATES = "/etc/docker/certs.d"


class Answer(NamedTuple):
    """What a server answered: status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_transient(self) -> bool:
        """Whether another try may have another answer."""
        return self.status in TRANSIENT or (self.status in (400, 404) and NOT_YET in self.body)


class _Request(NamedTuple):
    """What is sent, and the time by which there has to be an answer."""

    method: str
    url: SplitResult
    headers: Mapping[str, str]
    body: bytes
    deadline: float

    @property
    def patience(self) -> float:
        """How long to wait for the next bytes, in seconds."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        return min(TIMEOUT_SECONDS, left)


class Transport:
    """Sends requests. A busy server is asked again; it is an error when there is no answer."""

    def __init__(
        self, env: Mapping[str, str], back_off: tuple[float, ...] = BACK_OFF_SECONDS
    ) -> None:
        self._env = env
        self._waits = back_off
        self._open: dict[tuple[str, str], http.client.HTTPConnection] = {}
        self._deadline = math.inf

    def by(self, deadline: float) -> Self:
        """Return this transport for what has to be answered by a time of `time.monotonic`."""
        found = copy.copy(self)
        found._deadline = deadline  # noqa: SLF001 - it is of this class
        return found

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        patient: bool = True,
    ) -> Answer:
        """Return the answer, whatever its status; redirects are not followed.

        Without being `patient` there is one try only, and not much time for it.

        A transient status is returned when the tries are used up. Raises StepFailed when there is
        no answer at all, and CannotAsk when the server's certificate is not trusted.
        """
        limit = DEADLINE_SECONDS if patient else IMPATIENT_SECONDS
        deadline = min(self._deadline, time.monotonic() + limit)
        request = _Request(method, urlsplit(url), headers, body, deadline)
        for wait in (*(self._waits if patient else ()), None):
            answer: Answer | None = None
            try:
                answer = self._once(request)
                if not answer.is_transient:
                    return answer
            except NO_ANSWER as error:
                if wait is None or _is_final(error) or time.monotonic() > deadline:
                    raise self._unreachable(url, error) from None
            pause = _asked_for(answer, wait)
            if pause is None or time.monotonic() + pause > deadline:
                if answer is None:
                    raise self._unreachable(url, TimeoutError("it took too long"))
                return answer
            time.sleep(pause)
        raise AssertionError  # the last round returns or raises

    def _once(self, request: _Request) -> Answer:
        """Send a request, over an open connection if there is one."""
        kept = self._open.pop((request.url.scheme, request.url.netloc), None)
        if kept:
            try:
                return self._exchange(kept, request)
            except NO_ANSWER:
                kept.close()  # The server has closed it since.
        connection = self._connect(request)
        try:
            return self._exchange(connection, request)
        except BaseException:
            connection.close()
            raise

    def _exchange(self, connection: http.client.HTTPConnection, request: _Request) -> Answer:
        url = request.url
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        if isinstance(connection, _ThroughProxy):
            target = url.geturl()
        _limit(connection, request.patience)
        headers = {"User-Agent": "gen-workflow", **request.headers}
        connection.request(request.method, target, request.body or None, headers)
        reply = connection.getresponse()
        read = _read(connection, reply, request)
        answer = Answer(reply.status, _headers(reply), read)
        if reply.isclosed() and not reply.will_close:
            self._keep(url, connection)
        else:
            connection.close()
        return answer

    def _keep(self, url: SplitResult, connection: http.client.HTTPConnection) -> None:
        """Keep a connection open; of those that threads have used side by side, only one."""
        if self._open.setdefault((url.scheme, url.netloc), connection) is not connection:
            connection.close()

    def _connect(self, request: _Request) -> http.client.HTTPConnection:
        """Return a connection. Only one through a proxy is open, so that faults of it are told."""
        url = request.url
        proxy = proxy_of(url, self._env)
        connection = self._made(url, proxy)
        if not proxy:
            return connection
        _limit(connection, request.patience)
        try:
            connection.connect()
        except NO_ANSWER as error:
            is_behind = connection.sock is not None and isinstance(error, OSError)
            connection.close()
            # Python 3.10, and 3.11 at first, leave open what a proxy answers that refuses. The
            # frames of the error hold it.
            error.__traceback__ = None
            if is_behind and not NO_TUNNEL.match(str(error)):
                raise  # It was the registry, or its certificate.
            raise ProxyError(proxy, url.netloc, error) from None
        return connection

    def _made(self, url: SplitResult, proxy: Proxy | None) -> http.client.HTTPConnection:
        host, port = (proxy.host, proxy.port) if proxy else (url.hostname or "", url.port)
        if url.scheme != "https":
            kind = _ThroughProxy if proxy else http.client.HTTPConnection
            return kind(host, port, timeout=TIMEOUT_SECONDS)
        context = _trust(self._env, url.netloc)
        connection = http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT_SECONDS, context=context
        )
        if proxy:
            default = DEFAULT_PORTS["https"]
            connection.set_tunnel(url.hostname or "", url.port or default, dict(proxy.headers))
        return connection

    def _unreachable(self, url: str, error: Exception) -> StepFailed:
        """Return the error for a server that gives no answer."""
        parts = urlsplit(url)
        if isinstance(error, ProxyError):
            return StepFailed.of(str(error), hint=error.hint, anchor="a-proxy-that-does-not-work")
        if _is_about_trust(error):
            what = f"the runner does not trust {parts.netloc}: {error}"
            return CannotAsk.of(what, anchor="a-registry-that-the-runner-does-not-trust")
        said = one_line(str(error)) or type(error).__name__
        with contextlib.suppress(ValueError):
            if proxy := proxy_of(parts, self._env):
                what = f"the registry {parts.netloc} does not answer through {proxy}: {said}"
                return StepFailed.of(
                    what, hint=proxy.hint(parts.netloc), anchor="a-proxy-that-does-not-work"
                )
        what = f"the registry {parts.netloc} does not answer: {said}"
        page = "the-registry-does-not-answer"
        if is_local(parts.hostname or ""):
            # Docker tries TLS there as well, and may be on another machine than we are.
            return CannotAsk.of(what, anchor=page)
        hint = "it may be down; run the job again in some minutes"
        if isinstance(error, socket.gaierror):
            what = f"the name {parts.netloc} of the registry cannot be resolved"
            hint = (
                "check the input `image`; if it is right, the runner cannot reach its name server"
            )
        return StepFailed.of(what, hint=hint, anchor=page)

    def close(self) -> None:
        """Close what is open."""
        with contextlib.suppress(KeyError):
            while True:
                self._open.popitem()[1].close()


class _ThroughProxy(http.client.HTTPConnection):
    """A plain connection to a proxy, which is given the whole address of a request."""


def _headers(reply: http.client.HTTPResponse) -> dict[str, str]:
    """Return the headers by lower-case name. One that is a list may come in several parts."""
    found: dict[str, str] = {}
    for name, value in reply.getheaders():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found and key in LISTS else value
    return found


def _limit(connection: http.client.HTTPConnection, seconds: float) -> None:
    connection.timeout = seconds
    if connection.sock:
        connection.sock.settimeout(seconds)


def _read(
    connection: http.client.HTTPConnection, reply: http.client.HTTPResponse, request: _Request
) -> bytes:
    """Read a body. A server that sends it slowly gets no more time than any other."""
    read = b""
    while len(read) < BODY_LIMIT:
        _limit(connection, request.patience)
        part = reply.read1(CHUNK)
        read += part
        if part:
            continue
        if reply.length:
            raise http.client.IncompleteRead(read, reply.length)
        reply.close()  # So that the connection is known to be free.
        break
    return read


def _trust(env: Mapping[str, str], netloc: str) -> ssl.SSLContext:
    """Trust the CAs of the system and, as Docker does, those in its certs.d folders."""
    context = ssl.create_default_context()
    own = os.path.join(env.get("HOME") or os.devnull, ".docker", "certs.d")
    for folder in (CERTIFICATES, own):
        for path in glob.glob(os.path.join(glob.escape(os.path.join(folder, netloc)), "*.crt")):
            # Docker reports a broken file; here the CA is not trusted.
            with contextlib.suppress(OSError, ValueError):
                context.load_verify_locations(path)
    return context


def _asked_for(answer: Answer | None, wait: float | None) -> float | None:
    """Return how many seconds to wait before a retry; None means that there is none."""
    if wait is None:
        return None
    asked = answer.headers.get("retry-after", "") if answer else ""
    if not asked.isascii() or not asked.isdigit():
        return wait
    return max(wait, float(asked)) if float(asked) <= LONGEST_WAIT_SECONDS else None


def _is_final(error: Exception) -> bool:
    """Say whether another try will have the same error."""
    return _is_about_trust(error) or (isinstance(error, ProxyError) and error.is_final)


def _is_about_trust(error: Exception) -> bool:
    return isinstance(error, ssl.SSLCertVerificationError) or (
        # It speaks plain HTTP: Docker may know it from `insecure-registries`.
        isinstance(error, ssl.SSLError) and "WRONG_VERSION_NUMBER" in str(error)
    )

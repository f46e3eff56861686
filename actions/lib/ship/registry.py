"""Asking a registry itself: whether a push will be taken, and why not.

The protocol is https://distribution.github.io/distribution/spec/api/ with the token flow of
https://distribution.github.io/distribution/spec/auth/token/. Docker's clients hide the message of
a refusal, so it is asked for here, before a minute is spent on a build.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, NamedTuple

from ship.errors import StepFailed
from ship.reference import DOCKER_HUB, Name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.command import Secret

TIMEOUT_SECONDS = 15
# Waits before another try when a registry is busy or away for a moment.
BACK_OFF_SECONDS = (1, 3)
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
HTTP_OK = 200
HTTP_ACCEPTED = 202
HTTP_UNAUTHORIZED = 401
# How a request ends without an answer, also from a server that speaks something else than HTTP.
NO_ANSWER = (OSError, ValueError, http.client.HTTPException)


class Answer(NamedTuple):
    """What a registry answered: status, headers by lower-case name, and the start of the body."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def message(self) -> str:
        """The registry's own words for a refusal."""
        try:
            errors = json.loads(self.body).get("errors") or [{}]
            return str(errors[0].get("message") or errors[0].get("code") or "")
        except (ValueError, AttributeError, IndexError, TypeError):
            return ""


class Refusal(NamedTuple):
    """Why a push would be refused: at which stage (`login` or `push`), status and words."""

    stage: str
    status: int
    message: str


class CannotAsk(StepFailed):
    """The registry is there, and this Python does not trust it; Docker's client may."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    # A credential must not follow a redirect to another host.
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def push_refusal(
    name: Name, username: str, password: Secret, back_off: tuple[float, ...] = BACK_OFF_SECONDS
) -> Refusal | None:
    """Ask for the start of an upload and cancel it: nothing changes in the registry.

    Returns None when a push would be taken. Raises StepFailed when the registry cannot be reached,
    after as many further tries as there are waits in `back_off` (seconds).
    """
    base, ask = _base(name.registry), _Asker(back_off)
    authorization, refusal = _log_in(ask, base, name, username, password)
    if refusal:
        return refusal
    headers = {"Authorization": authorization} if authorization else {}
    answer = ask("POST", f"{base}/v2/{name.path}/blobs/uploads/", headers)
    if answer.status == HTTP_ACCEPTED:
        _cancel(base, answer, headers)
        return None
    if answer.status in TRANSIENT:
        said = f"{answer.status} {answer.message}".strip()
        raise StepFailed.of(
            f"the registry {name.registry} is busy or broken ({said})",
            hint="run the job again later",
        )
    return Refusal("push", answer.status, answer.message)


def _base(registry: str) -> str:
    host = "registry-1.docker.io" if registry == DOCKER_HUB else registry
    # As Docker does: a registry on the loopback interface may speak plain HTTP.
    local = _is_local(urllib.parse.urlsplit(f"//{host}").hostname or "")
    return f"{'http' if local else 'https'}://{host}"


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1") or bool(re.fullmatch(r"127(\.[0-9]{1,3}){3}", host))


def _log_in(
    ask: _Asker, base: str, name: Name, username: str, password: Secret
) -> tuple[str, Refusal | None]:
    """Return the Authorization header that the registry asks for, or why there is none."""
    challenge = ask("GET", f"{base}/v2/", {})
    if challenge.status == HTTP_OK:
        return "", None
    if challenge.status != HTTP_UNAUTHORIZED:
        return "", Refusal("push", challenge.status, challenge.message)
    scheme, _, rest = challenge.headers.get("www-authenticate", "").partition(" ")
    pair = base64.b64encode(f"{username}:{password.reveal()}".encode()).decode()
    if scheme.lower() != "bearer":
        return f"Basic {pair}", None
    asked = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    query = {"service": asked.get("service", ""), "scope": f"repository:{name.path}:pull,push"}
    url = f"{asked.get('realm', '')}?{urllib.parse.urlencode(query)}"
    return _fetch_token(ask, url, {"Authorization": f"Basic {pair}"} if password else {})


def _fetch_token(ask: _Asker, url: str, headers: Mapping[str, str]) -> tuple[str, Refusal | None]:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not _is_local(parts.hostname or ""):
        return "", Refusal("login", HTTP_UNAUTHORIZED, "the registry names no token service")
    answer = ask("GET", url, headers)
    if answer.status != HTTP_OK:
        return "", Refusal("login", answer.status, answer.message)
    try:
        token = json.loads(answer.body)
        return f"Bearer {token.get('token') or token['access_token']}", None
    except (ValueError, KeyError, AttributeError):
        return "", Refusal("login", answer.status, "the token service gave no token")


def _cancel(base: str, answer: Answer, headers: Mapping[str, str]) -> None:
    """Take the started upload back, as a courtesy: the registry forgets it in time anyway."""
    location = urllib.parse.urljoin(base, answer.headers.get("location", ""))
    if location.startswith(f"{base}/"):
        with contextlib.suppress(*NO_ANSWER):
            _send("DELETE", location, headers)


class _Asker:
    """Sends requests; a busy registry is asked again, an absent one is an error."""

    def __init__(self, back_off: tuple[float, ...]) -> None:
        self._waits = (*back_off, None)

    def __call__(self, method: str, url: str, headers: Mapping[str, str]) -> Answer:
        for wait in self._waits:
            try:
                answer = _send(method, url, headers)
            except NO_ANSWER as error:
                if wait is None or _is_about_trust(error):
                    raise _unreachable(url, error) from None
            else:
                if wait is None or answer.status not in TRANSIENT:
                    return answer
            time.sleep(wait)
        raise AssertionError  # the last round returns or raises


def _send(method: str, url: str, headers: Mapping[str, str]) -> Answer:
    request = urllib.request.Request(url, method=method, headers=dict(headers))  # noqa: S310
    if method == "POST":
        request.data = b""
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as reply:
            return _answer(reply.status, reply.headers.items(), reply.read(65536))
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers.items(), error.read(65536))


def _answer(status: int, headers: object, body: bytes) -> Answer:
    pairs = dict(headers)  # type: ignore[call-overload]
    return Answer(status, {k.lower(): v for k, v in pairs.items()}, body.decode("utf-8", "replace"))


def _is_about_trust(error: Exception) -> bool:
    return isinstance(getattr(error, "reason", error), ssl.SSLError)


def _unreachable(url: str, error: Exception) -> StepFailed:
    reason = getattr(error, "reason", error)
    host = urllib.parse.urlsplit(url).netloc
    if _is_about_trust(error):
        return CannotAsk.of(f"the runner does not trust {host}: {reason}")
    if isinstance(reason, socket.gaierror):
        what = f"the name {host} of the registry cannot be resolved"
        hint = "check the input `image`; if it is right, the runner cannot reach its name server"
    else:
        what = f"the registry {host} does not answer: {reason}"
        hint = "it may be down; run the job again in some minutes"
    return StepFailed.of(what, hint=hint)

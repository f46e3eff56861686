"""The client of registries: may it push, which manifests and tags are there, set a tag."""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from ship.images.reference import DIGEST, DOCKER_HUB, TAG
from ship.images.registry.credentials import IDENTITY, Credential
from ship.images.registry.links import next_page
from ship.images.registry.proxy import is_local
from ship.images.registry.refusal import API, LOGIN, PUSH, SET_TAG, Incomplete, Refusal, Refused
from ship.images.registry.transport import BACK_OFF_SECONDS, Answer, Transport
from ship.runner.errors import StepFailed
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from ship.images.reference import Name

HTTP_OK = 200
HTTP_CREATED = 201
HTTP_ACCEPTED = 202
HTTP_UNAUTHORIZED = 401
HTTP_NOT_FOUND = 404
REDIRECTS = range(300, 400)
# How many redirects are followed.
LONGEST_WAY = 5
# The characters of a registry's message that are shown.
LONGEST_WORDS = 300
_TOKEN = re.compile(r"[\x21-\x7e]+")
PULL = "pull"
PULL_PUSH = "pull,push"
# Every kind of manifest that Docker itself asks for. A registry may convert other kinds.
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
ACCEPT = {"Accept": MANIFESTS}
# What is no size of a part of an image, in bytes.
LARGEST = 1 << 50
TAGS_A_PAGE = 1000
PAGES = 100


class Manifest(NamedTuple):
    """A manifest or an index, with exactly the bytes that the registry has."""

    media_type: str
    body: bytes
    digest: str

    def read(self) -> dict[str, Any]:
        """Return its JSON object; an empty one if it is anything else."""
        return _json(self.body)


class _Login(NamedTuple):
    """The login that a registry asks for: none, `basic`, or `bearer` with a token of the realm."""

    scheme: str = ""
    realm: str = ""
    service: str = ""


class Client:
    """A client of registries. Every method raises StepFailed when a registry does not answer.

    `credential` gives the login to a registry, or None for none; it is sent to that registry and
    the token service it names, and to no other.
    """

    def __init__(
        self,
        credential: Callable[[str], Credential | None],
        env: Mapping[str, str],
        back_off: tuple[float, ...] = BACK_OFF_SECONDS,
    ) -> None:
        self._credential = credential
        self._transport = Transport(env, back_off)
        self._logins: dict[str, _Login] = {}
        self._credentials: dict[str, Credential | None] = {}
        self._tokens: dict[tuple[Name, str], str] = {}
        # By digest, so that an entry never changes.
        self._manifests: dict[tuple[Name, str], Manifest] = {}
        self._labels: dict[tuple[Name, str], dict[str, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._transport.close()

    def know(self, registry: str) -> None:
        """Get the login to a registry now, if there is one, and not when it asks for it."""
        self._known_credential(registry)

    def by(self, deadline: float) -> Self:
        """Return this client for what has to be answered by a time of `time.monotonic`.

        Both share connections and logins, and threads may use them side by side.
        """
        found = copy.copy(self)
        found._transport = self._transport.by(deadline)  # noqa: SLF001 - it is of this class
        return found

    def check_push(self, name: Name) -> Refusal | None:
        """Ask for the start of an upload and cancel it: nothing changes in the registry.

        Returns None when a push would be taken.
        """
        try:
            answer = self._ask("POST", name, "blobs/uploads/", PULL_PUSH)
        except Refused as error:
            return error.refusal
        if answer.status == HTTP_ACCEPTED:
            self._cancel(name, answer)
            return None
        _raise_transient(name, answer)
        return _refusal(PUSH, answer)

    def head(self, name: Name, reference: str) -> str | None:
        """Return the digest of a tag, or None if the registry has no such tag or digest.

        Raises Refused.
        """
        answer = self._ask("HEAD", name, f"manifests/{reference}", PULL, headers=ACCEPT)
        if answer.status == HTTP_NOT_FOUND:
            return None
        _expect(HTTP_OK, name, answer)
        digest = answer.headers.get("docker-content-digest", "")
        if DIGEST.fullmatch(digest):
            return digest
        found = self.manifest(name, reference)  # The header is not compulsory.
        return found.digest if found else None

    def manifest(self, name: Name, reference: str, *, patient: bool = True) -> Manifest | None:
        """Return the manifest of a tag or a digest, or None if it is not there. Raises Refused."""
        if (name, reference) in self._manifests:
            return self._manifests[name, reference]
        path = f"manifests/{reference}"
        answer = self._ask("GET", name, path, PULL, headers=ACCEPT, patient=patient)
        if answer.status == HTTP_NOT_FOUND:
            return None
        _expect(HTTP_OK, name, answer)
        digest = "sha256:" + hashlib.sha256(answer.body).hexdigest()
        if DIGEST.fullmatch(reference) and digest != reference:
            raise StepFailed.of(
                f"{name.registry} returned another manifest than the requested {reference}",
                hint="a proxy in between, or the registry itself, is damaged: ask its operator",
                anchor="another-manifest",
            )
        found = Manifest(answer.headers.get("content-type", ""), answer.body, digest)
        self._manifests[name, digest] = found
        return found

    def put(self, name: Name, tag: str, manifest: Manifest) -> None:
        """Give the repository a manifest by a tag, or by its own digest. Raises Refused."""
        headers = {"Content-Type": manifest.media_type}
        answer = self._ask(
            "PUT", name, f"manifests/{tag}", PULL_PUSH, headers=headers, body=manifest.body
        )
        _expect(HTTP_CREATED, name, answer, SET_TAG)
        self._manifests[name, manifest.digest] = manifest

    def tags(self, name: Name) -> tuple[str, ...]:
        """Return all tags of a repository; none if it does not exist.

        Raises Refused, and Incomplete where it is not known whether these are all.
        """
        found: dict[str, None] = {}
        query: str | None = f"n={TAGS_A_PAGE}"
        for number in range(PAGES):
            answer = self._ask("GET", name, f"tags/list?{query}", PULL)
            if answer.status == HTTP_NOT_FOUND and not number:
                return ()
            _expect(HTTP_OK, name, answer)
            query = _read_page(name, answer, found)
            if query is None:
                return tuple(each for each in found if TAG.fullmatch(each))
        raise Incomplete.of_list(name, f"there are more than {PAGES} pages")

    def size(self, name: Name, digest: str) -> int:
        """Return how many bytes a pull of the image downloads, on its first platform.

        It is only shown to people, so it is asked once and without a long wait.
        """
        read = self._of_first_platform(name, digest)
        parts = (*_mappings(read.get("layers")), *_mappings([read.get("config")]))
        sizes = [part.get("size") for part in parts]
        return sum(size for size in sizes if isinstance(size, int) and 0 < size < LARGEST)

    def labels(self, name: Name, reference: str, *, patient: bool = False) -> dict[str, str]:
        """Return the labels of an image, on its first platform; none if there is no such image.

        Without patience it is asked once and without a long wait. Raises Refused.
        """
        config = self._of_first_platform(name, reference, patient=patient).get("config")
        digest = str(config.get("digest")) if isinstance(config, dict) else ""
        if not DIGEST.fullmatch(digest):
            return {}
        if (name, digest) not in self._labels:
            answer = self._ask("GET", name, f"blobs/{digest}", PULL, patient=patient)
            _expect(HTTP_OK, name, answer)
            # What is sent from elsewhere need not be what was asked for.
            is_whole = digest == "sha256:" + hashlib.sha256(answer.body).hexdigest()
            self._labels[name, digest] = _labels(_json(answer.body)) if is_whole else {}
        return self._labels[name, digest]

    def _of_first_platform(
        self, name: Name, reference: str, *, patient: bool = False
    ) -> dict[str, Any]:
        """Return a manifest; of an index the one for its first platform; empty if it is not there.

        What is attached to an image, such as its provenance, is for no platform.
        """
        manifest = self.manifest(name, reference, patient=patient)
        read = manifest.read() if manifest else {}
        first = next((m for m in _mappings(read.get("manifests")) if _is_platform(m)), None)
        digest = str(first.get("digest")) if first else ""
        inner = self.manifest(name, digest, patient=patient) if digest else None
        return inner.read() if inner else read

    def _ask(
        self,
        method: str,
        name: Name,
        path: str,
        actions: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        patient: bool = True,
    ) -> Answer:
        url = f"{_base(name.registry)}/v2/{name.path}/{path}"
        for is_last in (False, True):
            authorization = self._authorization(name, actions)
            given = {
                **(headers or {}),
                **({"Authorization": authorization} if authorization else {}),
            }
            answer = self._transport.send(method, url, given, body, patient=patient)
            if method in ("GET", "HEAD") and answer.status in REDIRECTS:
                answer = self._followed(method, url, given, answer, patient=patient)
            # A token may have run out during a long build.
            if answer.status != HTTP_UNAUTHORIZED or is_last:
                break
            if not self._forget_token(name, authorization):
                break
        if answer.status == HTTP_UNAUTHORIZED:
            # A refused token lacks the permission; a refused password is wrong.
            stage = LOGIN if self._logins[name.registry].scheme == "basic" else PUSH
            raise Refused.because(name, _refusal(stage, answer))
        if answer.status in REDIRECTS:
            raise StepFailed.of(
                f"{name.registry} redirects requests for {name.path} ({answer.status})",
                hint="give the registry by the name that it redirects to, in the input `image`",
                anchor="no-registry-at-this-name",
            )
        return answer

    def _followed(
        self, method: str, url: str, headers: Mapping[str, str], answer: Answer, *, patient: bool
    ) -> Answer:
        """Return what there is where a registry sends to; a login stays with the registry.

        What is read is checked by its digest, or is only a digest.
        """
        for _ in range(LONGEST_WAY):
            to = _target(url, answer.headers.get("location", ""))
            if not to:
                break
            if urlsplit(to)[:2] != urlsplit(url)[:2]:
                headers = {k: v for k, v in headers.items() if k != "Authorization"}
            url, answer = to, self._transport.send(method, to, headers, patient=patient)
            if answer.status not in REDIRECTS:
                break
        return answer

    def _forget_token(self, name: Name, authorization: str) -> bool:
        """Forget the tokens for a repository, unless another thread has a new one.

        Returns whether it was a token that the registry refused.
        """
        scheme, _, token = authorization.partition(" ")
        if token in (self._tokens.get((name, actions)) for actions in (PULL, PULL_PUSH)):
            for actions in (PULL, PULL_PUSH):
                self._tokens.pop((name, actions), None)
        return scheme == "Bearer"

    def _authorization(self, name: Name, actions: str) -> str:
        """Return the Authorization header that the registry asks for. Raises Refused."""
        login = self._logins.get(name.registry) or self._learn_login(name)
        if not login.scheme:
            return ""
        credential = self._known_credential(name.registry)
        if login.scheme == "basic":
            return _basic(credential) if credential else ""
        # A token for pushes is good for pulls too, which saves a request.
        token = self._tokens.get((name, PULL_PUSH)) or self._tokens.get((name, actions))
        if not token:
            token = self._fetch_token(name, login, credential, actions)
            self._tokens[name, actions] = token
        return f"Bearer {token}"

    def _known_credential(self, registry: str) -> Credential | None:
        if registry not in self._credentials:
            self._credentials[registry] = self._credential(registry)
        return self._credentials[registry]

    def _learn_login(self, name: Name) -> _Login:
        answer = self._transport.send("GET", f"{_base(name.registry)}/v2/", {})
        _raise_transient(name, answer)
        login = _Login()
        if answer.status == HTTP_UNAUTHORIZED:
            login = _challenge(answer.headers.get("www-authenticate", ""))
        elif answer.status != HTTP_OK:
            raise Refused.because(name, _refusal(API, answer))
        self._logins[name.registry] = login
        return login

    def _fetch_token(
        self, name: Name, login: _Login, credential: Credential | None, actions: str
    ) -> str:
        if not _is_safe(login.realm):
            what = "the registry names no token service"
            raise Refused.because(name, Refusal(LOGIN, HTTP_UNAUTHORIZED, what))
        answer = self._ask_token(login, credential, f"repository:{name.path}:{actions}")
        _raise_transient(name, answer)
        found = _json(answer.body)
        token = found.get("token") or found.get("access_token")
        if answer.status != HTTP_OK or not _is_token(token):
            refusal = _refusal(LOGIN, answer)
            if answer.status == HTTP_OK:
                refusal = refusal._replace(message="the token service gave no token")
            raise Refused.because(name, refusal)
        return str(token)

    def _ask_token(self, login: _Login, credential: Credential | None, scope: str) -> Answer:
        query = {"service": login.service, "scope": scope}
        if credential and credential.username == IDENTITY:
            # https://distribution.github.io/distribution/spec/auth/oauth/
            form = {**query, "grant_type": "refresh_token", "client_id": "gen-workflow"}
            form["refresh_token"] = credential.password.reveal()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._transport.send("POST", login.realm, headers, urlencode(form).encode())
        headers = {"Authorization": _basic(credential)} if credential else {}
        joint = "&" if "?" in login.realm else "?"
        return self._transport.send("GET", f"{login.realm}{joint}{urlencode(query)}", headers)

    def _cancel(self, name: Name, answer: Answer) -> None:
        """Cancel the started upload. A failure is ignored: the registry removes it later."""
        if self._logins[name.registry].scheme == "bearer":
            return  # A token for pushes may not delete anything, not even an upload.
        base = _base(name.registry)
        with contextlib.suppress(StepFailed, ValueError):
            location = urljoin(f"{base}/", answer.headers.get("location", ""))
            if location.startswith(f"{base}/"):
                authorization = self._authorization(name, PULL_PUSH)
                headers = {"Authorization": authorization} if authorization else {}
                self._transport.send("DELETE", location, headers, patient=False)


def _refusal(stage: str, answer: Answer) -> Refusal:
    """Return a refusal in the words of the registry."""
    errors = _json(answer.body).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    if not isinstance(first, dict):
        return Refusal(stage, answer.status, "")
    message, code = (str(first.get(key) or "")[:LONGEST_WORDS] for key in ("message", "code"))
    return Refusal(stage, answer.status, message, code)


def _target(url: str, location: str) -> str:
    """Return where an answer sends to; nothing where that is not safe or no address."""
    try:
        to = urljoin(url, location)
        return to if location and to.startswith("http") and _is_safe(to) else ""
    except ValueError:
        return ""


def _is_token(token: object) -> bool:
    return isinstance(token, str) and bool(_TOKEN.fullmatch(token))


def _is_safe(url: str) -> bool:
    """Say whether a password may be sent to an address."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" or is_local(parts.hostname or "")
    except ValueError:
        return False


def _base(registry: str) -> str:
    host = "registry-1.docker.io" if registry == DOCKER_HUB else registry
    local = is_local(urlsplit(f"//{host}").hostname or "")
    return f"{'http' if local else 'https'}://{host}"


def _basic(credential: Credential | None) -> str:
    if not credential:
        return ""
    pair = f"{credential.username}:{credential.password.reveal()}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _challenge(header: str) -> _Login:
    # As for Docker, a token goes before a password where both are offered.
    bearer = re.search(r"(?:^|,)\s*bearer\s", header, re.IGNORECASE)
    if not bearer:
        return _Login("basic")
    parameters = re.findall(r'(\w+)="([^"]*)"', header[bearer.end() :])
    asked = dict(reversed(parameters))  # of one that is there twice, the first
    return _Login("bearer", asked.get("realm", ""), asked.get("service", ""))


def _expect(status: int, name: Name, answer: Answer, stage: str = PUSH) -> None:
    if answer.status == status:
        return
    _raise_transient(name, answer)
    raise Refused.because(name, _refusal(stage, answer))


def _raise_transient(name: Name, answer: Answer) -> None:
    if answer.is_transient:
        said = _refusal(PUSH, answer).said
        raise StepFailed.of(
            f"the registry {name.registry} is busy or broken ({said})",
            hint="run the job again later",
            anchor="the-registry-is-busy",
        )


def _json(body: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _read_page(name: Name, answer: Answer, found: dict[str, None]) -> str | None:
    """Add the tags of a page; return the query of the next, if there is one. Raises Incomplete."""
    listed = _json(answer.body).get("tags", "none")
    # A repository without tags may have null.
    if not isinstance(listed, (list, type(None))):
        raise Incomplete.of_list(name, "a page is no list of tags")
    tags = dict.fromkeys(each for each in listed or () if isinstance(each, str))
    if tags and tags.keys() <= found.keys():
        raise Incomplete.of_list(name, "a page repeats another")
    found |= tags
    try:
        return next_page(answer.headers.get("link", ""), f"/v2/{name.path}/tags/list")
    except ValueError as reason:
        raise Incomplete.of_list(name, str(reason)) from None


def _labels(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels in the configuration of an image."""
    inner = config.get("config")
    found = inner.get("Labels") if isinstance(inner, dict) else None
    return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


def _mappings(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_platform(manifest: Mapping[str, Any]) -> bool:
    # Provenance and SBOM have a platform as well: unknown/unknown.
    platform = manifest.get("platform")
    return isinstance(platform, dict) and platform.get("os") != "unknown"

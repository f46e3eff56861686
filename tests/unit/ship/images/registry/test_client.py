from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from doubles import (
    CHALLENGE,
    OPEN_REGISTRY,
    TOKEN,
    UPLOAD,
    Answer,
    Answers,
    HttpRegistry,
    ScriptedRunner,
)
from ship.images.reference import Name
from ship.images.registry.client import Client, Manifest
from ship.images.registry.credentials import Credential, stored
from ship.images.registry.refusal import Incomplete, Refusal
from ship.images.registry.transport import Transport
from ship.runner.command import Secret
from ship.runner.errors import StepFailed
from ship.runner.process import Finished

if TYPE_CHECKING:
    from collections.abc import Iterator

UNLINKED = "permission_denied: write_package"
DENIED: Answer = (403, {}, f'{{"errors": [{{"code": "DENIED", "message": "{UNLINKED}"}}]}}')

ME = Credential("me", Secret("t0ken"))


class Clock:
    """Time that passes only during a sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def ask(server: HttpRegistry) -> Refusal | None:
    with Client(lambda _: ME, {}, back_off=(0, 0)) as client:
        return client.check_push(Name(server.address, "acme/app"))


def test_a_push_that_is_allowed_leaves_no_upload_behind() -> None:
    with HttpRegistry(OPEN_REGISTRY) as server:
        assert ask(server) is None
    assert server.asked[-1] == "DELETE /v2/acme/app/blobs/uploads/1"


def test_a_token_is_fetched_where_the_registry_says() -> None:
    answers: Answers = {"GET /v2/": [CHALLENGE], "GET /token": [TOKEN], "POST /v2/": [UPLOAD]}
    with HttpRegistry(answers) as server:
        assert ask(server) is None
    assert server.asked[:3] == ["GET /v2/", "GET /token", "POST /v2/acme/app/blobs/uploads/"]


def test_the_registrys_own_words_for_a_refusal_are_kept() -> None:
    answers: Answers = {"GET /v2/": [CHALLENGE], "GET /token": [TOKEN], "POST /v2/": [DENIED]}
    with HttpRegistry(answers) as server:
        assert ask(server) == Refusal("push", 403, UNLINKED, "DENIED")
    assert len(server.asked) == 3, "a refusal is final and is not asked for again"


def test_a_wrong_password_is_distinguished_from_a_missing_right() -> None:
    refused: Answer = (403, {}, '{"errors": [{"code": "DENIED", "message": "denied"}]}')
    with HttpRegistry({"GET /v2/": [CHALLENGE], "GET /token": [refused]}) as server:
        assert ask(server) == Refusal("login", 403, "denied", "DENIED")


def test_a_busy_registry_is_asked_again() -> None:
    answers: Answers = {**OPEN_REGISTRY, "POST /v2/": [(429, {}, ""), (503, {}, ""), UPLOAD]}
    with HttpRegistry(answers) as server:
        assert ask(server) is None


def test_a_registry_that_is_away_is_given_up_with_its_name() -> None:
    with HttpRegistry({}) as server:
        pass
    with pytest.raises(StepFailed, match=f"{server.address} does not answer"):
        ask(server)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_registry_that_stays_busy_is_not_the_users_fault(status: int) -> None:
    reported = pytest.raises(StepFailed, match=f"is busy or broken .{status}")
    with HttpRegistry({**OPEN_REGISTRY, "POST /v2/": [(status, {}, "")]}) as server, reported:
        ask(server)


def test_an_upload_that_cannot_be_taken_back_is_no_failure() -> None:
    with HttpRegistry({**OPEN_REGISTRY, "DELETE /v2/": [(500, {}, "")]}) as server:
        assert ask(server) is None
    assert len(server.asked) == 3


@pytest.mark.parametrize("host", ["127.evil.example", "localhost.example.com", "127.0.0.1.nip.io"])
def test_a_password_goes_in_clear_to_this_machine_only(host: str) -> None:
    answer = (401, {"WWW-Authenticate": f'Bearer realm="http://{host}/token",service="s"'}, "")
    with HttpRegistry({"GET /v2/": [answer]}) as server:
        refusal = ask(server)
    assert refusal
    assert refusal.message == "the registry names no token service"


def test_a_password_does_not_follow_a_redirect() -> None:
    away: Answer = (302, {"Location": "http://127.0.0.1:1/elsewhere"}, "")
    with HttpRegistry({"GET /v2/": [CHALLENGE], "GET /token": [away]}) as server:
        assert ask(server) == Refusal("login", 302, "")


@pytest.mark.parametrize(
    ("reported", "waits"),
    [("17", 17.0), ("0", 0.0), ("soon", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0)],
)
def test_a_registry_says_how_long_to_wait(
    monkeypatch: pytest.MonkeyPatch, reported: str, waits: float
) -> None:
    busy: Answer = (429, {"Retry-After": reported}, "")
    clock = Clock()
    monkeypatch.setattr("ship.images.registry.transport.time", clock)
    with HttpRegistry({**OPEN_REGISTRY, "POST /v2/": [busy, UPLOAD]}) as server:
        assert ask(server) is None
    assert clock.slept == [waits]


def test_a_registry_that_asks_for_too_much_patience_is_given_up() -> None:
    busy: Answer = (429, {"Retry-After": "3600"}, "")
    reported = pytest.raises(StepFailed, match=r"is busy or broken .429")
    with HttpRegistry({**OPEN_REGISTRY, "POST /v2/": [busy]}) as server, reported:
        ask(server)
    assert server.asked.count("POST /v2/acme/app/blobs/uploads/") == 1


# What is there, and setting tags

BODY = '{"layers": [{"size": 100}, {"size": 20}], "config": {"size": 3}}'
DIGEST = "sha256:" + hashlib.sha256(BODY.encode()).hexdigest()
OCI = "application/vnd.oci.image.manifest.v1+json"
HAS_IT: Answer = (200, {"Content-Type": OCI, "Docker-Content-Digest": DIGEST}, BODY)


@contextmanager
def serving(
    answers: Answers, login: Credential | None = None
) -> Iterator[tuple[Client, Name, HttpRegistry]]:
    with HttpRegistry(answers) as server, Client(lambda _: login, {}, back_off=(0, 0)) as client:
        yield client, Name(server.address, "acme/app"), server


def test_a_tag_is_set_with_the_very_bytes_that_are_there() -> None:
    answers: Answers = {
        "GET /v2/acme/app/manifests/": [HAS_IT],
        "PUT /v2/acme/app/manifests/latest": [(201, {}, "")],
        "GET /v2/": [(200, {}, "")],
    }
    with serving(answers) as (client, name, server):
        manifest = client.manifest(name, DIGEST)
        assert manifest == Manifest(OCI, BODY.encode(), DIGEST)
        client.put(name, "latest", manifest)
        assert client.manifest(name, DIGEST) is manifest, "what never changes is asked for once"
    assert server.asked.count(f"GET /v2/acme/app/manifests/{DIGEST}") == 1
    assert server.bodies[-1] == BODY.encode()


def test_another_manifest_than_was_asked_for_is_refused() -> None:
    answers: Answers = {
        "GET /v2/acme/app/manifests/": [(200, {}, "{}")],
        "GET /v2/": [(200, {}, "")],
    }
    with serving(answers) as (client, name, _), pytest.raises(StepFailed, match="another manifest"):
        client.manifest(name, DIGEST)


def test_what_is_not_there_is_nothing() -> None:
    with serving({"GET /v2/acme": [(404, {}, "")], "GET /v2/": [(200, {}, "")]}) as (
        client,
        name,
        _,
    ):
        assert client.head(name, "x") is None
        assert client.manifest(name, "x") is None
        assert client.tags(name) == ()
        assert client.size(name, DIGEST) == 0


def test_a_digest_is_worked_out_where_the_registry_does_not_tell_it() -> None:
    answers: Answers = {
        "HEAD /v2/acme/app/manifests/1": [(200, {}, "")],
        "GET /v2/acme/app/manifests/1": [(200, {"Content-Type": OCI}, BODY)],
        "GET /v2/": [(200, {}, "")],
    }
    with serving(answers) as (client, name, _):
        assert client.head(name, "1") == DIGEST


def test_all_pages_of_tags_are_read_and_odd_ones_left_out() -> None:
    more = '</v2/acme/app/tags/list?n=1000&last=b>; rel="next"'
    answers: Answers = {
        "GET /v2/acme/app/tags/list": [
            (200, {"Link": more}, '{"tags": ["a", "b", 7, "-x", "a"]}'),
            (200, {}, '{"tags": ["c"]}'),
        ],
        "GET /v2/": [(200, {}, "")],
    }
    with serving(answers) as (client, name, _):
        assert client.tags(name) == ("a", "b", "c")


FIRST = '{"tags": ["a"]}'
NEXT = '<?last=a>; rel="next"'


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([(200, {"Link": "<http://127.0.0.1:1/v2/other/tags/list?n=1>; rel=next"}, FIRST)],
         "its next page is another list"),
        ([(200, {"Link": "/v2/acme/app/tags/list?n=1"}, FIRST)], "`Link` cannot be read"),
        ([(200, {"Link": NEXT}, FIRST)], "a page repeats another"),
        ([(200, {"Link": NEXT}, FIRST), (200, {}, "<html>log in</html>")], "is no list of tags"),
        ([(200, {}, "[1")], "is no list of tags"),
        ([(200, {}, "[]")], "is no list of tags"),
        ([(200, {}, "{}")], "is no list of tags"),
        ([(200, {}, '{"tags": {"a": 1}}')], "is no list of tags"),
    ],
)  # fmt: skip
def test_a_part_of_the_tags_is_not_taken_for_all(pages: list[Answer], why: str) -> None:
    answers: Answers = {"GET /v2/acme/app/tags/list": pages, "GET /v2/": [(200, {}, "")]}
    with serving(answers) as (client, name, _), pytest.raises(Incomplete) as caught:
        client.tags(name)
    said = f"{name.registry} lists only a part of the tags of acme/app: "
    assert str(caught.value).startswith(said)
    assert why in str(caught.value)


def test_a_list_without_end_is_not_taken_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ship.images.registry.client.PAGES", 3)
    page: Answer = (200, {"Link": NEXT}, '{"tags": []}')
    answers: Answers = {"GET /v2/acme/app/tags/list": [page], "GET /v2/": [(200, {}, "")]}
    with (
        serving(answers) as (client, name, _),
        pytest.raises(Incomplete, match="there are more than 3 pages"),
    ):
        client.tags(name)


def test_links_in_several_headers_all_count() -> None:
    several = {"Link": NEXT, "link": '<list?n=1>; rel="first"'}
    answers: Answers = {
        "GET /v2/acme/app/tags/list": [(200, several, FIRST), (200, {}, '{"tags": ["b"]}')],
        "GET /v2/": [(200, {}, "")],
    }
    with serving(answers) as (client, name, _):
        assert client.tags(name) == ("a", "b")


def test_a_repository_without_tags_has_none() -> None:
    answers: Answers = {"GET /v2/acme": [(200, {}, '{"tags": null}')], "GET /v2/": [(200, {}, "")]}
    with serving(answers) as (client, name, _):
        assert client.tags(name) == ()


def test_a_registry_that_goes_on_at_another_name_of_its_own_is_asked_by_ours() -> None:
    inner = "<http://registry:5000/v2/acme/app/tags/list?last=a>; rel=next"
    answers: Answers = {
        "GET /v2/acme/app/tags/list": [
            (200, {"link": inner}, FIRST), (200, {}, '{"tags": ["b"]}')
        ],
        "GET /v2/": [(200, {}, "")],
    }  # fmt: skip
    with serving(answers) as (client, name, server):
        assert client.tags(name) == ("a", "b")
    assert server.asked.count("GET /v2/acme/app/tags/list") == 2


def test_the_size_is_that_of_the_first_platform_and_not_of_what_is_attached() -> None:
    index = json.dumps(
        {
            "manifests": [
                {"digest": "sha256:" + "0" * 64, "platform": {"os": "unknown"}},
                {"digest": DIGEST, "platform": {"os": "linux"}},
            ]
        }
    )
    top = "sha256:" + hashlib.sha256(index.encode()).hexdigest()
    answers: Answers = {
        f"GET /v2/acme/app/manifests/{top}": [(200, {}, index)],
        f"GET /v2/acme/app/manifests/{DIGEST}": [HAS_IT],
        "GET /v2/": [(200, {}, "")],
    }
    with serving(answers) as (client, name, _):
        assert client.size(name, top) == 123


def test_a_token_that_ran_out_is_fetched_again_once() -> None:
    answers: Answers = {
        "GET /v2/acme/app/manifests/1": [CHALLENGE, HAS_IT],
        "GET /v2/": [CHALLENGE],
        "GET /token": [TOKEN],
    }
    with serving(answers) as (client, name, server):
        found = client.manifest(name, "1")
    assert found
    assert server.asked.count("GET /token") == 2


def test_a_token_to_push_is_used_to_pull_too() -> None:
    answers: Answers = {
        "GET /v2/acme/app/manifests/1": [HAS_IT],
        "GET /v2/": [CHALLENGE],
        "GET /token": [TOKEN],
        "POST /v2/": [UPLOAD],
    }
    with serving(answers) as (client, name, server):
        assert client.check_push(name) is None
        assert client.manifest(name, "1")
    assert server.asked.count("GET /token") == 1
    assert not any(each.startswith("DELETE") for each in server.asked), "a token may not delete"


def test_one_connection_serves_all_questions() -> None:
    answers: Answers = {
        "HEAD /v2/acme/app/manifests/": [(200, {"Docker-Content-Digest": DIGEST}, "")],
        "GET /v2/acme/app/tags/list": [(200, {}, '{"tags": ["a"]}')],
        "GET /v2/": [(200, {}, "")],
    }
    with serving(answers) as (client, name, server):
        for _ in range(3):
            assert client.head(name, "1") == DIGEST
            assert client.tags(name) == ("a",)
    assert server.connections == 1


def test_a_server_that_sends_drop_by_drop_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # The limit itself would make the test last for one and a half minutes.
    monkeypatch.setattr("ship.images.registry.transport.DEADLINE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drip, args=(server,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v2/"
        with pytest.raises(StepFailed, match="does not answer"):
            Transport({}, back_off=()).send("GET", url, {})
        thread.join()


def _drip(server: socket.socket) -> None:
    """Send an answer that ends only when the client has gone."""
    connection, _ = server.accept()
    with connection, contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)


@pytest.mark.parametrize("token", ["a\nb", "é", "", " ", 7, None])
def test_a_token_that_is_none_is_refused_and_not_shown(token: object) -> None:
    answer: Answer = (200, {}, json.dumps({"token": token}))
    with HttpRegistry({"GET /v2/": [CHALLENGE], "GET /token": [answer]}) as server:
        assert ask(server) == Refusal("login", 200, "the token service gave no token")


@pytest.mark.parametrize(
    "offered",
    [
        'Basic realm="x", Bearer realm="http://{address}/token",service="s"',
        'Bearer realm="http://{address}/token",service="s", Basic realm="x"',
        'bearer realm="http://{address}/token"',
    ],
)
def test_a_token_goes_before_a_password_where_both_are_offered(offered: str) -> None:
    # Some registries offer each in a header of its own.
    several = {"WWW-Authenticate": offered, "www-authenticate": 'Basic realm="y"'}
    challenge: Answer = (401, several, "")
    answers: Answers = {"GET /v2/": [challenge], "GET /token": [TOKEN], "POST /v2/": [UPLOAD]}
    with HttpRegistry(answers) as server:
        assert ask(server) is None
    assert "GET /token" in server.asked


@pytest.mark.parametrize("realm", ["https://[bad", "http://example.com/token", "", "x"])
def test_a_token_service_that_is_none_is_refused(realm: str) -> None:
    answer = (401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}, "")
    with HttpRegistry({"GET /v2/": [answer]}) as server:
        assert ask(server) == Refusal("login", 401, "the registry names no token service")


def test_an_upload_whose_place_is_none_is_no_failure() -> None:
    odd: Answer = (202, {"Location": "http://[bad"}, "")
    with HttpRegistry({**OPEN_REGISTRY, "POST /v2/": [odd]}) as server:
        assert ask(server) is None


def test_a_wrong_password_is_reported_as_one_where_there_are_no_tokens() -> None:
    basic: Answer = (401, {"WWW-Authenticate": 'Basic realm="x"'}, "")
    with HttpRegistry({"GET /v2/": [basic], "POST /v2/": [basic]}) as server:
        assert ask(server) == Refusal("login", 401, "")


def test_a_registry_that_sends_elsewhere_is_no_refusal() -> None:
    away: Answer = (307, {"Location": "https://example.com/"}, "")
    reported = pytest.raises(StepFailed, match=r"redirects requests for acme/app .307")
    with HttpRegistry({**OPEN_REGISTRY, "POST /v2/": [away]}) as server, reported:
        ask(server)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_what_is_read_is_read_where_the_registry_sends_to(status: int) -> None:
    """Such as the images of registry.k8s.io. The password stays with the registry."""
    with HttpRegistry({"HEAD /far": [(200, {"Docker-Content-Digest": DIGEST}, "")],
                       "GET /far": [(200, {"Content-Type": OCI}, BODY)]}) as other:  # fmt: skip
        away: Answer = (status, {"Location": f"http://{other.address}/far/1"}, "")
        answers: Answers = {
            "HEAD /v2/acme": [away],
            "GET /v2/acme": [away],
            "GET /v2/": [(401, {"WWW-Authenticate": 'Basic realm="x"'}, "")],
        }
        with serving(answers, ME) as (client, name, server):
            assert client.head(name, "1") == DIGEST
            found = client.manifest(name, "1")
            assert found
            assert found.body == BODY.encode()
    assert set(other.authorized) == {""}
    assert all(server.authorized[1:]), "and the registry itself was given it"


def test_a_registry_that_sends_to_itself_is_given_the_login() -> None:
    answers: Answers = {
        "HEAD /v2/acme/app": [(307, {"Location": "/v2/acme/real/manifests/1"}, "")],
        "HEAD /v2/acme/real": [(200, {"Docker-Content-Digest": DIGEST}, "")],
        "GET /v2/": [(401, {"WWW-Authenticate": 'Basic realm="x"'}, "")],
    }
    with serving(answers, ME) as (client, name, server):
        assert client.head(name, "1") == DIGEST
    assert all(server.authorized[1:])


@pytest.mark.parametrize(
    "to",
    ["http://registry.example.com/x", "", "ftp://127.0.0.1/", "/v2/acme/app/manifests/1", "//["],
)
def test_a_registry_that_sends_nowhere_is_given_up(to: str) -> None:
    answers: Answers = {
        "HEAD /v2/acme": [(307, {"Location": to}, "")],
        "GET /v2/": [(200, {}, "")],
    }
    with serving(answers) as (client, name, server):
        with pytest.raises(StepFailed, match="redirects requests for acme/app"):
            client.head(name, "1")
        assert len(server.asked) < 9


@pytest.mark.parametrize(
    ("status", "code"), [(404, "MANIFEST_BLOB_UNKNOWN"), (400, "BLOB_UNKNOWN")]
)
def test_a_tag_of_a_layer_that_is_not_known_yet_is_set_again(status: int, code: str) -> None:
    unknown: Answer = (status, {}, f'{{"errors": [{{"code": "{code}"}}]}}')
    answers: Answers = {
        "PUT /v2/acme": [unknown, (201, {}, "")],
        "GET /v2/": [(200, {}, "")],
    }
    with serving(answers) as (client, name, server):
        client.put(name, "1", Manifest(OCI, BODY.encode(), DIGEST))
    assert len([each for each in server.asked if each.startswith("PUT")]) == 2


def test_what_a_registry_says_is_not_repeated_without_end() -> None:
    errors = json.dumps({"errors": [{"message": "A" * 5000}]})
    with HttpRegistry({**OPEN_REGISTRY, "POST /v2/": [(403, {}, errors)]}) as server:
        refusal = ask(server)
    assert refusal
    assert len(refusal.message) == 300


def test_odd_answers_are_no_crash() -> None:
    sizes = ("-5", "1" + "0" * 400, "1e999", '"5"')
    odd: list[Answer] = [
        *((200, {}, text) for text in ("[1", "[]", "[" * 100_000, '{"layers": {"a": 1}}')),
        *((200, {}, f'{{"layers": [{{"size": {size}}}]}}') for size in sizes),
    ]
    for answer in odd:
        answers: Answers = {"GET /v2/acme": [answer], "GET /v2/": [(200, {}, "")]}
        with serving(answers) as (client, name, _):
            assert client.size(name, "1") == 0
            assert client.labels(name, "1") == {}


# Logins of the runner


def test_a_login_is_read_as_docker_wrote_it() -> None:
    pair = base64.b64encode(b"me:a:b").decode()
    config = {"auths": {"ghcr.io": {"auth": pair}, "x.example": {"identitytoken": "t"}, "odd": {}}}
    runner = ScriptedRunner()
    assert stored(config, "ghcr.io", runner) == Credential("me", Secret("a:b"))
    assert stored(config, "x.example", runner) == Credential("<token>", Secret("t"))
    assert stored(config, "odd", runner) is None
    assert stored({}, "ghcr.io", runner) is None
    hub = {"auths": {"https://index.docker.io/v1/": {"auth": pair}}}
    assert stored(hub, "docker.io", runner)


def test_a_helper_is_asked_over_stdin() -> None:
    config = {"credHelpers": {"ghcr.io": "pass"}}
    runner = ScriptedRunner(Finished(0, '{"Username": "me", "Secret": "s"}'), Finished(1, "no"))
    assert stored(config, "ghcr.io", runner) == Credential("me", Secret("s"))
    assert stored(config, "ghcr.io", runner) is None
    assert runner.ran[0].argv == ("docker-credential-pass", "get")
    assert runner.ran[0].stdin == Secret("ghcr.io")

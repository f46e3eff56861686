"""Asking for several digests at once, against real servers."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from doubles import CHALLENGE, OPEN_REGISTRY, TOKEN, Answers, HttpRegistry
from ship.images.reference import Name, Reference
from ship.images.registry.client import Client
from ship.images.registry.digests import AT_ONCE, Answer, digests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ship.images.registry.credentials import Credential

DIGEST = "sha256:" + "d" * 64
# Long enough for a server that answers, on a machine that is busy with other work.
LONG = 60
ANSWERS: Answers = {**OPEN_REGISTRY, "HEAD /v2/": [(200, {"Docker-Content-Digest": DIGEST}, "")]}


def client() -> Client:
    return Client(lambda _: None, {}, back_off=())


def images(address: str, count: int) -> list[Reference]:
    return [Reference(Name(address, f"acme/{number}"), "1") for number in range(count)]


@contextmanager
def silent() -> Iterator[str]:
    """A registry that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def answering_together(count: int) -> Iterator[str]:
    """A registry that answers a HEAD only when so many of them have come."""
    together = threading.Barrier(count, timeout=LONG)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_HEAD(self) -> None:
            together.wait()
            self.send_response(200)
            self.send_header("Docker-Content-Digest", DIGEST)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_all_are_asked_side_by_side() -> None:
    with answering_together(AT_ONCE) as address, client() as asking:
        wanted = images(address, AT_ONCE)
        assert digests(asking, wanted, LONG) == dict.fromkeys(wanted, Answer(DIGEST))


def test_a_silent_registry_takes_no_time_from_the_others() -> None:
    with silent() as quiet, HttpRegistry(ANSWERS) as server, client() as asking:
        # Fewer than are asked at once, so that none of the others waits for them.
        mute, others = images(quiet, AT_ONCE - 1), images(server.address, 3)
        found = digests(asking, [*mute, *others], 0.5)
    assert [found[each] for each in others] == [Answer(DIGEST)] * 3
    for each in mute:
        assert not found[each].digest
        assert f"{quiet} d" in found[each].why
        assert "not answer" in found[each].why


def test_more_than_are_asked_at_once_are_all_asked_and_each_once() -> None:
    with HttpRegistry(ANSWERS) as server, client() as asking:
        wanted = images(server.address, 3 * AT_ONCE)
        found = digests(asking, [*wanted, *wanted], LONG)
    assert found == dict.fromkeys(wanted, Answer(DIGEST))
    asked = [each for each in server.asked if each.startswith("HEAD")]
    assert sorted(asked) == sorted(f"HEAD /v2/{each.name.path}/manifests/1" for each in wanted)


def test_why_there_is_no_digest_is_said_in_words() -> None:
    answers: Answers = {
        **OPEN_REGISTRY,
        "HEAD /v2/acme/0": [(404, {}, "")],
        "HEAD /v2/acme/1": [(403, {}, "")],
    }
    with HttpRegistry(answers) as server, client() as asking:
        gone, refused = digests(asking, images(server.address, 2), LONG).values()
    assert gone == Answer(why=f"{server.address} has no such image")
    assert refused == Answer(why=f"{server.address} refuses acme/1 (403)")


def test_the_login_is_got_in_the_thread_that_can_be_interrupted() -> None:
    threads: list[threading.Thread] = []

    def credential(_: str) -> Credential | None:
        threads.append(threading.current_thread())
        return None

    answers: Answers = {**ANSWERS, "GET /v2/": [CHALLENGE], "GET /token": [TOKEN]}
    with HttpRegistry(answers) as server, Client(credential, {}, back_off=()) as asking:
        wanted = images(server.address, 3)
        assert digests(asking, wanted, LONG) == dict.fromkeys(wanted, Answer(DIGEST))
    assert threads == [threading.main_thread()]


@contextmanager
def forgetting_tokens(count: int) -> Iterator[str]:
    """A registry that refuses the first token, when so many have come with it."""
    together = threading.Barrier(count, timeout=LONG)
    tokens = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith("/token"):
                self.send_response(401)
                host = self.headers["Host"]
                self.send_header("WWW-Authenticate", f'Bearer realm="http://{host}/token"')
                self.end_headers()
                return
            number = next(tokens)
            if number > 1:
                time.sleep(0.2)  # The others look at their answers meanwhile.
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"token": f"number-{number}"}).encode())

        def do_HEAD(self) -> None:
            is_first = self.path.endswith("/first")
            is_old = self.headers["Authorization"] == "Bearer number-1" and not is_first
            if is_old:
                together.wait()
            self.send_response(401 if is_old else 200)
            self.send_header("Docker-Content-Digest", DIGEST)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_token_that_ran_out_is_fetched_again_for_all_that_had_it() -> None:
    with forgetting_tokens(3) as address, client() as asking:
        name = Name(address, "acme/app")
        assert asking.head(name, "first") == DIGEST
        wanted = [Reference(name, str(number)) for number in range(3)]
        assert digests(asking, wanted, LONG) == dict.fromkeys(wanted, Answer(DIGEST))


def test_nothing_is_asked_where_there_is_nothing_to_ask_for() -> None:
    with client() as asking:
        assert digests(asking, []) == {}

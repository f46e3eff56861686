"""The proxy of the environment: who is asked through it, and how its faults are told."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from doubles import OPEN_REGISTRY, HttpRegistry
from ship.images.registry.proxy import proxy_of
from ship.images.registry.refusal import CannotAsk
from ship.images.registry.transport import Transport
from ship.runner.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

GHCR = "https://ghcr.io/v2/"


def reported(env: dict[str, str]) -> StepFailed:
    """Return the error for a request with these variables."""
    with pytest.raises(StepFailed) as caught:
        Transport(env, back_off=()).send("GET", GHCR, {})
    return caught.value


@contextmanager
def proxy(answer: bytes) -> Iterator[str]:
    """A proxy that answers each CONNECT so, or with nothing at all."""

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            while answer and b"\r\n\r\n" not in connection.recv(1 << 16):
                pass
            connection.sendall(answer)
            # So that the client, and not this end, closes an answer that is not complete.
            connection.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_registry_is_asked_through_the_proxy_unless_it_is_named() -> None:
    with HttpRegistry(OPEN_REGISTRY) as server:
        env = {
            "HTTP_PROXY": f"http://u:p@{server.address}", "http_proxy": f"http://{server.address}"
        }  # fmt: skip
        transport = Transport(env, back_off=())
        assert transport.send("GET", "http://registry.example.com/v2/", {}).status == 404
        transport.close()
        direct = Transport({**env, "NO_PROXY": "other,.example.com"}, back_off=())
        with pytest.raises(StepFailed, match=r"registry\.example\.com"):
            direct.send("GET", "http://registry.example.com/v2/", {})
    assert server.asked == ["GET http://registry.example.com/v2/"]


@pytest.mark.parametrize(
    ("url", "excepted", "is_direct"),
    [
        ("https://10.1.2.3/v2/", "10.0.0.0/8", True),
        ("https://10.1.2.3/v2/", "10.9.9.9/8", True),
        ("https://11.1.2.3/v2/", "10.0.0.0/8", False),
        ("https://10.1.2.3:5000/v2/", "ghcr.io, 10.0.0.0/8", True),
        ("https://10.1.2.3/v2/", "10.1.2.3", True),
        ("https://10.1.2.3/v2/", "2.3,1.2.3,.3", False),
        ("https://[fd00::5]/v2/", "fd00::/8", True),
        ("https://[fd00::5]/v2/", "fd00:0::5", True),
        ("https://[fd00::5]/v2/", "[fd00::5]:443", True),
        ("https://[fd00::5]/v2/", "fe80::/10,[fd00::5]:80", False),
        ("https://[fd00::5]/v2/", "10.0.0.0/8", False),
        ("https://ghcr.io/v2/", "ghcr.io", True),
        ("https://ghcr.io/v2/", "GHCR.IO", True),
        ("https://ghcr.io/v2/", "ghcr.io.", True),
        ("https://ghcr.io/v2/", "io", True),
        ("https://ghcr.io/v2/", ".io", True),
        ("https://ghcr.io/v2/", "*.io", True),
        # With a dot in front it is what is below a host, and not the host.
        ("https://ghcr.io/v2/", ".ghcr.io", False),
        ("https://ghcr.io/v2/", "*.ghcr.io:443", False),
        ("https://pkg.ghcr.io/v2/", ".ghcr.io", True),
        ("https://ghcr.io/v2/", "example.com ghcr.io", True),
        ("https://ghcr.io/v2/", "r.io", False),
        ("https://ghcr.io/v2/", "pkg.ghcr.io", False),
        ("https://ghcr.io/v2/", "*", True),
        ("https://ghcr.io/v2/", "", False),
        ("https://ghcr.io/v2/", " , ,.,*.", False),
        ("https://ghcr.io/v2/", "ghcr.io:443", True),
        ("https://ghcr.io/v2/", "ghcr.io:5000", False),
        ("https://ghcr.io:5000/v2/", "ghcr.io:5000", True),
        ("https://ghcr.io/v2/", "10.0.0.0/8", False),
        ("https://ghcr.io/v2/", "ghcr.io/8,/,10.0.0.0/99,:443,[", False),
        ("https://127.0.0.1:5000/v2/", "", True),
        ("https://[::1]/v2/", "", True),
    ],
)
def test_no_proxy_is_read_as_docker_reads_it(url: str, excepted: str, is_direct: bool) -> None:  # noqa: FBT001 - the table's column
    for name in ("NO_PROXY", "no_proxy"):
        env = {"HTTPS_PROXY": "http://proxy.example.com:3128", name: excepted}
        assert (proxy_of(urlsplit(url), env) is None) is is_direct


def test_of_two_spellings_of_a_variable_docker_takes_the_one_in_capital_letters() -> None:
    env = {"HTTPS_PROXY": "http://large:1", "https_proxy": "http://small:1"}
    found = proxy_of(urlsplit(GHCR), env)
    assert found
    assert (found.host, found.variable) == ("large", "HTTPS_PROXY")
    assert proxy_of(urlsplit(GHCR), {**env, "NO_PROXY": "ghcr.io", "no_proxy": "other"}) is None
    assert proxy_of(urlsplit(GHCR), {**env, "NO_PROXY": "other", "no_proxy": "ghcr.io"})


def test_a_proxy_that_is_away_is_told_with_its_variable_and_without_its_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    for name in ("HTTPS_PROXY", "https_proxy"):
        error = reported({name: f"http://me:s3cret@{address}"})
        assert f"the proxy {address} ({name}) does not answer: " in str(error)
        assert f"correct {name}" in str(error)
        assert "name ghcr.io in NO_PROXY" in str(error)
        assert "s3cret" not in str(error)
        assert not isinstance(error, CannotAsk)


def test_a_proxy_whose_name_does_not_exist_is_told() -> None:
    error = reported({"HTTPS_PROXY": "proxy.invalid:3128"})
    assert "the name proxy.invalid of the proxy (HTTPS_PROXY) cannot be resolved" in str(error)


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden"])
def test_a_proxy_that_refuses_is_told_and_not_asked_again(status: str) -> None:
    with proxy(f"HTTP/1.1 {status}\r\n\r\n".encode()) as address:
        # Another try would wait for an answer until the test ends.
        transport = Transport({"HTTPS_PROXY": f"http://{address}"}, back_off=(3600,))
        with pytest.raises(StepFailed) as caught:
            transport.send("GET", GHCR, {})
    said = f"the proxy {address} (HTTPS_PROXY) does not connect to ghcr.io: {status}"
    assert said in str(caught.value)


def test_what_a_proxy_says_is_not_repeated_without_end() -> None:
    with proxy(b"HTTP/1.1 403 " + b"A" * 5000 + b"\r\n\r\n") as address:
        assert len(str(reported({"HTTPS_PROXY": f"http://{address}"}))) < 600


def test_a_proxy_that_speaks_no_http_is_told() -> None:
    with proxy(b"SSH-2.0-OpenSSH\r\n") as address:
        error = reported({"HTTPS_PROXY": f"http://{address}"})
    assert f"the proxy {address} (HTTPS_PROXY) does not connect to ghcr.io" in str(error)


def test_a_silence_behind_a_proxy_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    # The limit itself would make the test last for a quarter of a minute.
    monkeypatch.setattr("ship.images.registry.transport.TIMEOUT_SECONDS", 0.3)
    with proxy(b"") as address:
        error = reported({"HTTPS_PROXY": f"http://{address}"})
    said = f"the registry ghcr.io does not answer through the proxy {address} (HTTPS_PROXY): "
    assert said in str(error)


@pytest.mark.parametrize("kind", ["socks5", "socks5h", "https"])
def test_a_kind_of_proxy_that_only_docker_speaks_leaves_the_push_to_docker(kind: str) -> None:
    error = reported({"HTTPS_PROXY": f"{kind}://me:s3cret@proxy.example.com:1080"})
    assert isinstance(error, CannotAsk)
    assert f"HTTPS_PROXY names a proxy of the kind {kind}" in str(error)
    assert "s3cret" not in str(error)


@pytest.mark.parametrize("address", ["http://me:s3cret@proxy:port", "http://[s3cret", "http://"])
def test_an_address_that_is_none_is_told_and_not_shown(address: str) -> None:
    error = reported({"HTTPS_PROXY": address})
    assert "the variable HTTPS_PROXY of the runner holds no address of a proxy" in str(error)
    assert "http://HOST:PORT" in str(error)
    assert "s3cret" not in str(error)

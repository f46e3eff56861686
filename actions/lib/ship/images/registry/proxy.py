"""The proxy of the environment, and what is asked without it.

The variables are read as Docker's client reads them, so that both ask the same way:
https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config.
"""

from __future__ import annotations

import base64
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from ship.images.registry.refusal import TRANSIENT, CannotAsk
from ship.runner.errors import StepFailed
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORTS = {"http": 80, "https": 443}
# The characters of what a proxy says that are shown.
LONGEST_WORDS = 200
REFUSALS = range(400, 500)
# The error of http.client when a proxy does not make a connection.
NO_TUNNEL = re.compile(r"Tunnel connection failed: (\d+)")
_ENTRY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>\d+))?")


class Proxy(NamedTuple):
    """A proxy, the variable that names it, and the headers that log in to it."""

    variable: str
    host: str
    port: int
    headers: Mapping[str, str]

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"the proxy {host}:{self.port} ({self.variable})"

    def hint(self, host: str) -> str:
        """Return the next act of the person."""
        return (
            f"correct {self.variable} in the environment of the runner; or, if the runner reaches "
            f"{host} without a proxy, name {host} in NO_PROXY"
        )


class ProxyError(OSError):
    """A proxy that is away, or that does not connect to the host that is asked for.

    One `is_final` has refused, and will do so again.
    """

    def __init__(self, proxy: Proxy, host: str, error: Exception) -> None:
        refused = NO_TUNNEL.match(str(error))
        status = int(refused[1]) if refused else 0
        self.hint = proxy.hint(host)
        self.is_final = status in REFUSALS and status not in TRANSIENT
        said = one_line(str(error)[refused.start(1) if refused else 0 :] or type(error).__name__)
        what = f"{proxy} does not answer"
        if isinstance(error, socket.gaierror):
            what = f"the name {proxy.host} of the proxy ({proxy.variable}) cannot be resolved"
        elif refused or not isinstance(error, OSError):
            what = f"{proxy} does not connect to {host}"
        super().__init__(f"{what}: {said}")


def one_line(text: str) -> str:
    """Return the beginning of what a server said, on one line."""
    return " ".join(text.split())[:LONGEST_WORDS]


def proxy_of(url: SplitResult, env: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for an address, or None.

    Raises CannotAsk for a proxy of a kind that only Docker's client speaks to, and StepFailed for
    a variable that holds no address.
    """
    names = (f"{url.scheme.upper()}_PROXY", f"{url.scheme}_proxy")
    variable = next((name for name in names if env.get(name)), "")
    port = url.port or DEFAULT_PORTS.get(url.scheme, 0)
    if not variable or is_direct(url.hostname or "", port, env):
        return None
    return _proxy(variable, env[variable])


def _proxy(variable: str, value: str) -> Proxy:
    """Return the proxy of a variable. No error shows the value, which may hold a password."""
    try:
        parts = urlsplit(value if "//" in value else f"http://{value}")
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS["http"]
    except ValueError:
        host = ""
    if not host:
        raise StepFailed.of(
            f"the variable {variable} of the runner holds no address of a proxy",
            hint="write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT",
            anchor="a-proxy-that-does-not-work",
        )
    if parts.scheme != "http":
        what = f"{variable} names a proxy of the kind {parts.scheme}, which this action cannot use"
        raise CannotAsk.of(what, anchor="a-proxy-that-does-not-work")
    return Proxy(variable, host, port, _login(parts))


def is_local(host: str) -> bool:
    """Say whether a host is this machine; as for Docker, such a registry may speak plain HTTP."""
    parts = host.split(".")
    loopback = len(parts) == 4 and parts[0] == "127" and all(p.isdigit() for p in parts)  # noqa: PLR2004
    return host in ("localhost", "::1") or loopback


def is_direct(host: str, port: int, env: Mapping[str, str]) -> bool:
    """Say whether a host is asked without a proxy: this machine, and what NO_PROXY names."""
    excepted = (env.get("NO_PROXY") or env.get("no_proxy") or "").lower()
    entries = re.split(r"[,\s]+", excepted)
    return is_local(host) or any(_names(each, host.lower(), port) for each in entries if each)


def _names(entry: str, host: str, port: int) -> bool:
    """Say whether an entry of NO_PROXY names a host.

    It is a host with all below it, with a dot in front only what is below, or an address, each with
    a port or without, a block of addresses, or `*`. A name is not resolved for a block.
    """
    if entry == "*":
        return True
    if "/" in entry:
        return _is_within(host, entry)
    match = _ENTRY.fullmatch(entry)
    name = match["host"].strip("[]") if match else entry
    if match and match["port"] and int(match["port"]) != port:
        return False
    if ":" in host or re.fullmatch(r"[\d.]+", host):
        return _is_within(host, name)
    below = name.lstrip("*").rstrip(".")
    name = below.lstrip(".")
    return bool(name) and (host == below or host.endswith(f".{name}"))


def _is_within(host: str, block: str) -> bool:
    """Say whether a host is an address, and in a block of them or equal to the only one."""
    import ipaddress  # noqa: PLC0415 - 4 ms, and registries mostly have names

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


def _login(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}

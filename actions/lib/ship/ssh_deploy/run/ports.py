"""The published ports of a container."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple
from ship.ssh.target import LAST_PORT
from ship.ssh_deploy.common import EVERYWHERE

if TYPE_CHECKING:
    from ship.runner.reader import Reader

OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
PORT = re.compile(
    rf"(?:(?P<address>{OCTET}(?:\.{OCTET}){{3}}|\[[0-9A-Fa-f:.]+\]):)?"
    r"(?P<host>[0-9]{1,5}):(?P<container>[0-9]{1,5})"
    r"(?:/(?P<protocol>tcp|udp))?"
)


class Port(NamedTuple):
    """One published port; an empty address means all addresses of the host."""

    address: str
    host: str
    container: str
    protocol: str

    def meets(self, other: Port) -> bool:
        """Say whether the host can publish only one of the two."""
        if (self.host, self.protocol) != (other.host, other.protocol):
            return False
        everywhere = (self.is_everywhere, other.is_everywhere)
        shared = self.families & other.families
        return self.address == other.address or (any(everywhere) and bool(shared))

    @property
    def is_everywhere(self) -> bool:
        """Whether it is published on all addresses of its families."""
        return self.address in EVERYWHERE

    @property
    def families(self) -> frozenset[int]:
        """The versions of IP that it is published with."""
        return frozenset((4, 6) if not self.address else (6,) if self.address[0] == "[" else (4,))

    def of_host(self) -> str:
        """Return the port of the host, as host/ports.sh wants it."""
        address = f"{self.address}:" if self.address else ""
        protocol = "/udp" if self.protocol == "udp" else ""
        return f"{address}{self.host}{protocol}={in_proc_net(self.address)}"

    def __str__(self) -> str:
        address = f"{self.address}:" if self.address else ""
        return f"{address}{self.host}:{self.container}/{self.protocol}"


def in_proc_net(address: str) -> str:
    """Return an address as /proc/net shows it: words of four bytes, the lowest byte first."""
    if not address.startswith("["):
        return bytes(map(int, reversed(address.split(".")))).hex().upper() if address else ""
    packed = _packed(address)
    return b"".join(packed[at : at + 4][::-1] for at in range(0, len(packed), 4)).hex().upper()


def _packed(address: str) -> bytes:
    """Return the bytes of an IPv6 address in brackets; none when it is not one."""
    import socket  # noqa: PLC0415 - few need it, and it adds 5 ms to the start

    try:
        return socket.inet_pton(socket.AF_INET6, address[1:-1])
    except OSError:
        return b""


def _shortest(address: str) -> str:
    """Return an address in its shortest form, so that two spellings of one are equal."""
    if not address.startswith("["):
        return address
    import socket  # noqa: PLC0415 - as above

    return f"[{socket.inet_ntop(socket.AF_INET6, _packed(address))}]"


def read_ports(read: Reader) -> tuple[Port, ...]:
    ports = tuple(port for line in read.lines("ports") if (port := _port(read, line)))
    twice = next((b for a, b in itertools.combinations(ports, 2) if a.meets(b)), None)
    if twice:
        hint = (
            "publish it on different addresses, or once without an address, which means all of them"
        )
        read.problem("ports", f"port {twice.host} of the host is published twice", hint)
    return ports


def _port(read: Reader, line: str) -> Port | None:
    match = PORT.fullmatch(line)
    numbers = (int(match["host"]), int(match["container"])) if match else (0,)
    if not match or not all(0 < number <= LAST_PORT for number in numbers):
        read.problem(
            "ports", f"{line!r} is not a port to publish", "write HOST:CONTAINER, such as 80:8080"
        )
        return None
    address = match["address"] or ""
    if address.startswith("[") and not _packed(address):
        hint = "write for example [::1], or 127.0.0.1 for IPv4"
        read.problem("ports", f"{line!r}: {address} is not an address", hint)
        return None
    host, container = map(str, numbers)
    return Port(_shortest(address), host, container, match["protocol"] or "tcp")

"""Published ports: their form, their addresses, and which of them only one container can have.

ssh-deploy has the same rules; tests/conformance/test_both_halves.py holds both together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.forms import Checked, anchored, text
from gen_workflow.spec.hints import NOT_YET

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading, Value

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
PUBLISHED = (
    rf"(?:(?P<address>{_OCTET}(?:\.{_OCTET}){{3}}|\[[0-9A-Fa-f:.]+\]):)?"
    r"(?P<host>[0-9]{1,5}):(?P<container>[0-9]{1,5})"
    r"(?:/(?P<protocol>tcp|udp))?"
)
_HIGHEST = 65535
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - what Docker publishes on, and we compare with


class _Published(NamedTuple):
    """A published port; no address means all addresses of the host."""

    address: str
    host: int
    protocol: str

    @classmethod
    def of(cls, found: str) -> _Published:
        match = re.fullmatch(PUBLISHED, found)
        assert match is not None, found  # noqa: S101 - `_port` let it through
        address = match["address"] or ""
        short = _shortest(address[1:-1]) if address.startswith("[") else address
        return cls(short, int(match["host"]), match["protocol"] or "tcp")

    @property
    def versions(self) -> str:
        """The versions of IP that it is published with."""
        return "46" if not self.address else "6" if ":" in self.address else "4"


def is_port(number: str) -> bool:
    """Tell whether a text is the number of a port."""
    return bool(re.fullmatch(r"[0-9]{1,5}", number)) and 1 <= int(number) <= _HIGHEST


def port_taken(found: str) -> tuple[int, str]:
    """Return the port of the host and the protocol that a published port takes."""
    _, host, protocol = _Published.of(found)
    return host, protocol


def ports_collide(found: str, other: str) -> bool:
    """Tell whether the host can publish only one of two ports that take the same."""
    a, b = _Published.of(found), _Published.of(other)
    everywhere = a.address in _EVERYWHERE or b.address in _EVERYWHERE
    return a.address == b.address or (everywhere and bool({*a.versions} & {*b.versions}))


def _shortest(address: str) -> str:
    """Return an IPv6 address in its shortest form; empty when it is none."""
    import socket  # noqa: PLC0415 - few need it, and it is slow to load

    try:
        return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, address))
    except OSError:
        return ""


def _port(value: Value, reading: Reading) -> str | None:
    """Return a published port, HOST:CONTAINER as docker run takes it."""
    is_text = value.kind != "a number"
    found = text(value, reading, '"8080:80"', PUBLISHED) if is_text else value.text
    if found is None:
        return None
    match = re.fullmatch(PUBLISHED, found)
    if match is None:
        _explain(value, found, reading)
        return None
    for number in (match["host"], match["container"]):
        if not is_port(number):
            what = f"{found!r}: {number} is not a port"
            reading.problem(value, what, f"write a port from 1 to {_HIGHEST}", Heading.ADDRESS)
            return None
    address = match["address"] or ""
    if address.startswith("[") and not _shortest(address[1:-1]):
        _explain_address(value, found, address, reading)
        return None
    return found


def _explain(value: Value, found: str, reading: Reading) -> None:
    address = re.fullmatch(r"([0-9.]+):[0-9]+:[0-9]+(?:/[a-z]+)?", found)
    if re.fullmatch(r"[0-9]+", found):
        hint = f'write both ports, that of the host first: "{found}:{found}"'
        reading.problem(value, f"{found} does not name the port of the host", hint, Heading.ADDRESS)
    elif re.fullmatch(r"[0-9.:\[\]]*[0-9]+-[0-9]+.*", found):
        reading.problem(
            value,
            f"{found!r}: a range of ports {NOT_YET}",
            "list the ports one by one",
            Heading.LATER,
        )
    elif address:
        _explain_address(value, found, address[1], reading)
    else:
        hint = 'write HOST:CONTAINER, such as "8080:80" or "127.0.0.1:8080:80"'
        reading.problem(value, f"{found!r} is not a published port", hint, Heading.ADDRESS)


def _explain_address(value: Value, found: str, address: str, reading: Reading) -> None:
    hint = "write for example 127.0.0.1, or [::1] for IPv6"
    if re.search(r"(?:^|\.)0[0-9]", address):
        hint += "; a number in it has no zero in front, because some programs take it for octal"
    reading.problem(value, f"{found!r}: {address} is not an address", hint, Heading.ADDRESS)


PORT = Checked(_port, {"type": ["string", "number"], "pattern": anchored(PUBLISHED)})

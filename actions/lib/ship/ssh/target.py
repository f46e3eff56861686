"""Hosts as people write them: `host`, `user@host:port`, `[2001:db8::1]:22`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ship.runner.reader import Reader

# Strict, because ssh puts both into command lines of its own: no metacharacter of a shell, no
# control character and no option gets in (CVE-2023-51385, CVE-2025-61984).
HOST = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\.?"
    r"|(?=[^:]*:[^:]*:)[0-9A-Fa-f:]{2,39}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?"
)
USER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,63}(?:@[A-Za-z0-9][A-Za-z0-9.-]{0,100})?")
PORT = re.compile(r"[0-9]{1,5}")
# The port stands after a bracket, or after a name that has no colon itself, as IPv6 has.
PLACE = re.compile(r"(?:\[(?P<address>[^\[\]]*)\]|(?P<name>[^\[\]:]*))(?::(?P<port>[^:]*))?")
SSH_PORT = 22
LAST_PORT = 65535
FORM = "write host, host:port, user@host:port or [2001:db8::1]:port"
MISSING = "a misspelt secret, variable or output is empty; check the `with:` of this step"


class Target(NamedTuple):
    """A host to log in to."""

    host: str
    user: str
    port: int = SSH_PORT

    @property
    def known_name(self) -> str:
        """The name under which known_hosts has the host (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
        return self.host if self.port == SSH_PORT else f"[{self.host}]:{self.port}"

    def __str__(self) -> str:
        return f"{self.user}@{self.known_name}"


def read_targets(read: Reader) -> tuple[Target, ...]:
    """Read the hosts to deploy to; notes every problem and returns those that are right."""
    if not read.required("host", MISSING):
        return ()
    return _read_list(read, "host", read.number("port", 1, LAST_PORT, SSH_PORT))


def read_jumps(read: Reader) -> tuple[Target, ...]:
    """Read the jump hosts; the first is the one that the runner connects to."""
    return _read_list(read, "jump", SSH_PORT)


def _read_list(read: Reader, name: str, port: int) -> tuple[Target, ...]:
    user = read.text("user")
    read.matching("user", USER, "the name of a user", user)
    found: dict[tuple[str, int], Target] = {}
    for word in re.split(r"[\s,]+", read.raw(name).strip(" \t\r\n,")):
        target = _read_target(read, name, word, user, port) if word else None
        if target and (target.host, target.port) in found:
            read.problem(name, f"{target.known_name} is listed twice")
        elif target:
            found[target.host, target.port] = target
    return tuple(found.values())


def _read_target(read: Reader, name: str, text: str, user: str, port: int) -> Target | None:
    before, at, place = text.rpartition("@")
    bare = HOST.fullmatch(place)
    match = PLACE.fullmatch(place)
    host = place if bare else (match["address"] or match["name"] or "") if match else ""
    number = (match["port"] if match else None) or str(port)
    if at and not before:
        read.problem(name, f"{text!r} has no user before the @", FORM)
    elif not HOST.fullmatch(host):
        read.problem(name, f"{text!r} is not the name or address of a host", FORM)
    elif before and not USER.fullmatch(before):
        read.problem(name, f"{before!r} is not the name of a user", FORM)
    elif not PORT.fullmatch(number) or not 0 < int(number) <= LAST_PORT:
        read.problem(name, f"{number!r} is not a port from 1 to {LAST_PORT}", FORM)
    elif not (before or user):
        hint = f"fill the input in, or write USER@{place}"
        read.problem("user", f"is required for {place}, but empty", hint)
    else:
        # As ssh writes a name before it looks it up in known_hosts.
        return Target(host.lower(), before or user, int(number))
    return None

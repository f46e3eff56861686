"""The inputs about access: how to log in, and what proves that a host is the right one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple
from ship.ssh.private_key import read_private_key
from ship.ssh.target import read_jumps

if TYPE_CHECKING:
    from ship.runner.command import Secret
    from ship.runner.reader import Reader
    from ship.ssh.target import Target

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
AUTHORITY = re.compile(
    r"(?:@cert-authority\s+\S+\s+)?(?P<kind>(?:ssh|ecdsa|sk)-[a-z0-9@.-]+)\s+AAAA[A-Za-z0-9+/]+=*"
    r"(?:\s.*)?"
)
# What ssh-keygen, ssh and our own errors print in front of a fingerprint.
AROUND = re.compile(r"[0-9]+|(?:ED25519|ECDSA|RSA|DSA)(?:-SK)?")
OF_SSH = " key fingerprint is "
# What ssh replaces by itself: TOKENS of ssh_config(5), those for ProxyCommand.
TOKENS = re.compile(r"%[^%hnpr]|%$")
TRUST = "`known-hosts`, `host-fingerprints` or `host-ca`"


class Pin(NamedTuple):
    """The fingerprint of a host key; with a name it is valid for that host alone."""

    name: str
    fingerprint: str

    def is_for(self, target: Target) -> bool:
        known = (target.host, target.known_name, f"{target.host}:{target.port}")
        return not self.name or self.name.lower() in known


class Access(NamedTuple):
    """The key for a host, what proves that the host is the right one, and the route to it."""

    key: Secret
    passphrase: Secret
    known_hosts: str = ""
    fingerprints: tuple[Pin, ...] = ()
    # Lines of known_hosts, each with its marker.
    authorities: tuple[str, ...] = ()
    # No host key is checked: an attacker on the route can read and change everything.
    insecure: bool = False
    jumps: tuple[Target, ...] = ()
    proxy_command: str = ""

    @property
    def trust_input(self) -> str:
        """The input that says which host key is right, as an error names it."""
        given = {
            "known-hosts": self.known_hosts,
            "host-fingerprints": self.fingerprints,
            "host-ca": self.authorities,
        }
        named = [f"`{name}`" for name, value in given.items() if value] or ["`known-hosts`"]
        return ("input " if len(named) == 1 else "inputs ") + " and ".join(named)


def read_access(read: Reader) -> Access:
    """Read the inputs; notes every problem."""
    key, passphrase = read_private_key(read, "ssh-key", "ssh-key-passphrase")
    access = Access(
        key=key,
        passphrase=passphrase,
        known_hosts="".join(f"{line}\n" for line in read.lines("known-hosts")),
        fingerprints=tuple(
            pin for line in read.lines("host-fingerprints") for pin in _pins(read, line)
        ),
        authorities=tuple(
            authority
            for number, line in read.numbered_lines("host-ca")
            if (authority := _authority(read, number, line))
        ),
        insecure=read.flag("insecure-host-key"),
        jumps=read_jumps(read),
        proxy_command=_proxy_command(read),
    )
    _check_trust_and_route(read, access)
    return access


def _check_trust_and_route(read: Reader, access: Access) -> None:
    """Note when the inputs about trust or about the route are missing or contradict each other."""
    given = any(read.text(name) for name in ("known-hosts", "host-fingerprints", "host-ca"))
    if not given and not access.insecure:
        hint = (
            f"fill in {TRUST}: run `ssh-keyscan HOST`, compare its keys with those on the host, "
            "and save the lines; an empty input is often a misspelt variable"
        )
        read.problem("known-hosts", "is required but empty, and no other input replaces it", hint)
    if given and access.insecure:
        hint = f"leave it out, or leave {TRUST} out"
        read.problem("insecure-host-key", "contradicts the input that names the host key", hint)
    if access.jumps and access.proxy_command:
        read.problem(
            "jump", "cannot be used together with `ssh-proxy-command`", "leave one of them out"
        )


def _pins(read: Reader, line: str) -> list[Pin]:
    """Read a line such as `SHA256:…`, `h1 SHA256:…` or `256 SHA256:… comment (ED25519)`."""
    name, wrong = "", ""
    found: list[Pin] = []
    for word in line.replace(",", " ").replace(OF_SSH, " ").split():
        if FINGERPRINT.fullmatch(word):
            found.append(Pin(name, word.rstrip("=")))
        elif word.startswith(("MD5:", "SHA1:", "SHA256:")):
            wrong = word
        elif not found and not AROUND.fullmatch(word):
            name, wrong = word, wrong or (line if name else "")
        elif found:
            break  # The comment that ssh-keygen prints.
    if wrong or not found:
        hint = "write SHA256: and 43 characters, as `ssh-keygen -lf KEY.pub` on the host prints it"
        read.problem("host-fingerprints", f"{wrong or line!r} is not a SHA256 fingerprint", hint)
    return found


def _authority(read: Reader, number: int, line: str) -> str:
    """Return the line of known_hosts for the public key of an authority."""
    match = AUTHORITY.fullmatch(line)
    if not match or "-cert-v01@" in match["kind"]:
        hint = "write the public key that signs your host keys, such as `ssh-ed25519 AAAA…`"
        # The line itself is not shown: it may be part of a private key.
        read.problem("host-ca", f"line {number} is not the public key of an authority", hint)
        return ""
    return line if line.startswith("@") else f"@cert-authority * {line}"


def _proxy_command(read: Reader) -> str:
    command = read.text("ssh-proxy-command")
    if not command.isprintable():
        read.problem("ssh-proxy-command", "is more than one line", "write one command")
    elif TOKENS.search(command.replace("%%", "")):
        hint = "ssh knows %h (host), %p (port), %r (user), %n; write %% for a percent sign"
        read.problem("ssh-proxy-command", "has a % that ssh does not know", hint)
    return command

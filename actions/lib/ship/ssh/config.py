"""The configuration of the client: all that ssh reads, in a folder that is removed afterwards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ship.ssh.access import Access  # noqa: TC001 - part of what this module is about

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ship.ssh.target import Target

CONNECT_SECONDS = 10
CERTIFICATES = "*-cert-v01@openssh.com"
# The kinds of host keys, for a server whose first key is not the known one. A host never has sk
# keys.
FAMILIES = {
    "ED25519": "ssh-ed25519",
    "ECDSA": "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
    "RSA": "rsa-sha2-512,rsa-sha2-256",
}
# KnownHostsCommand of ssh_config(5), asked with: why, the name in known_hosts, the type of the
# key, its fingerprint, the key. It writes down what it saw. It must never fail, because ssh would
# end.
PINS = """\
[ "$1" = HOSTNAME ] || exit 0
folder=${0%/*}
printf '%s %s %s\\n' "$2" "$3" "$4" >>"$folder/seen"
while read -r name fingerprint; do
  if [ "$name $fingerprint" = "$2 $4" ]; then printf '%s %s %s\\n' "$2" "$3" "$5"; fi
done <"$folder/fingerprints"
exit 0
"""
# Answers once, so that a wrong passphrase ends ssh-add, which would otherwise ask again and again.
ASKPASS = """\
#!/bin/sh
mkdir "${0%/*}/asked" 2>/dev/null || exit 1
printf '%s\\n' "$SHIP_PASSPHRASE"
"""


class Folder:
    """The private folder and the paths of the files in it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.config = os.path.join(path, "config")
        self.known_hosts = os.path.join(path, "known_hosts")
        self.agent = os.path.join(path, "agent")
        self.askpass = os.path.join(path, "askpass")
        self._seen = os.path.join(path, "seen")

    def fill(self, access: Access, targets: Sequence[Target]) -> None:
        """Write all files."""
        everyone = (*access.jumps, *targets)
        pins = "".join(
            f"{each.known_name} {pin.fingerprint}\n"
            for each in everyone
            for pin in access.fingerprints
            if pin.is_for(each)
        )
        authorities = "".join(f"{line}\n" for line in access.authorities)
        _write(self.config, configuration(access, targets, self))
        _write(self.known_hosts, access.known_hosts + authorities)
        _write(os.path.join(self.path, "fingerprints"), pins)
        _write(os.path.join(self.path, "pins"), PINS)
        _write(self.askpass, ASKPASS, mode=0o700)

    def socket(self, jump: int) -> str:
        """Return the socket that shares the connection to a jump host, by its number."""
        return os.path.join(self.path, f"jump-{jump}.sock")

    def seen(self, target: Target) -> tuple[str, ...]:
        """Return the keys that a host has shown, such as `ssh-ed25519 SHA256:…`."""
        if not os.path.exists(self._seen):
            return ()
        with open(self._seen, encoding="utf-8", errors="replace") as file:
            rows = [line.split(" ", 1) for line in file.read().splitlines()]
        shown = (row[1] for row in rows if len(row) > 1 and row[0] == target.known_name)
        return tuple(dict.fromkeys(shown))


def _write(path: str, text: str, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def configuration(access: Access, targets: Sequence[Target], folder: Folder) -> str:
    """Return the whole configuration: ssh does not read the runner's own.

    Hosts have names of ours, `jump-0`, `target-0`: no text of an input is an argument of ssh.
    Unlike options on the command line, those in a file hold for the jump hosts as well.
    """
    hosts = ""
    last = len(access.jumps) - 1
    for number, jump in enumerate(access.jumps):
        way = {"ProxyJump": f"jump-{number - 1}"} if number else {}
        hosts += _host(f"jump-{number}", jump, {"ControlPath": folder.socket(number), **way})
    for number, target in enumerate(targets):
        way = {"ProxyJump": f"jump-{last}"} if access.jumps else {}
        if access.proxy_command:
            way = {"ProxyCommand": access.proxy_command}
        hosts += _host(f"target-{number}", target, way)
    return hosts + _block("*", {**_common(folder), **_trust(access, folder)})


def _host(alias: str, target: Target, way: Mapping[str, str]) -> str:
    place = {"HostName": target.host, "User": target.user, "Port": str(target.port)}
    return _block(alias, {**place, **way})


def _block(pattern: str, options: Mapping[str, str]) -> str:
    return f"Host {pattern}\n" + "".join(f"  {name} {value}\n" for name, value in options.items())


def _common(folder: Folder) -> dict[str, str]:
    return {
        "BatchMode": "yes",
        "IdentityAgent": folder.agent,
        "IdentityFile": "none",
        "PreferredAuthentications": "publickey",
        "ConnectTimeout": str(CONNECT_SECONDS),
        # A dead connection is detected within a minute.
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
        "Compression": "yes",
        "ControlMaster": "no",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "RequestTTY": "no",
        "EscapeChar": "none",
        "LogLevel": "INFO",
    }


def _trust(access: Access, folder: Folder) -> dict[str, str]:
    if access.insecure:
        return {
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "GlobalKnownHostsFile": "/dev/null",
        }
    options = {
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": folder.known_hosts,
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "CheckHostIP": "no",
        # Clients before 8.5 have no such command, and need none as long as no fingerprint is given.
        "IgnoreUnknown": "KnownHostsCommand",
        # Run by the shell, because /tmp may be mounted without permission to execute.
        "KnownHostsCommand": f"/bin/sh {folder.path}/pins %I %H %t %f %K",
    }
    if not access.authorities and "@cert-authority" not in access.known_hosts:
        # A host that has a certificate shows it instead of its key, unless ssh excludes
        # certificates.
        options["HostKeyAlgorithms"] = f"-{CERTIFICATES}"
    return options

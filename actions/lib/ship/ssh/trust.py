"""Which host key is right, and what to report when a host shows another one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ship.runner.command import Command
from ship.runner.errors import Problem, UserError
from ship.ssh.target import SSH_PORT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ship.runner.process import Runner
    from ship.ssh.access import Access
    from ship.ssh.config import Folder
    from ship.ssh.target import Target

# The first client with KnownHostsCommand.
FIRST_WITH_PINS = (8, 5)
BARE = re.compile(r"(?:ssh|ecdsa|sk)-\S+ AAAA")
# A line of known_hosts with names that can be read (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
NAMED = re.compile(r"(?:@\S+\s+)?([^\s|]\S*)\s+(?:ssh|ecdsa|sk)-\S+\s+AAAA")
SENTENCE = re.compile(
    r"fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:[^\s.]+)"
)
KINDS = {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA"}
ON_THE_HOST = "for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done"


def check_trust(targets: Sequence[Target], access: Access, folder: Folder, runner: Runner) -> None:
    """Raise UserError when the inputs do not say which key one of the hosts must have."""
    if access.insecure:
        return
    if access.fingerprints:
        _check_client(runner)
    problems = [
        problem
        for target in (*access.jumps, *targets)
        if (problem := _missing(target, access, folder, runner))
    ]
    if problems:
        raise UserError(*problems)


def _check_client(runner: Runner) -> None:
    said = runner.run(Command(("ssh", "-V"), why="see how old ssh is")).stderr
    match = re.match(r"OpenSSH_(\d+)\.(\d+)", said)
    if match and (int(match[1]), int(match[2])) < FIRST_WITH_PINS:
        raise UserError.of(
            f"needs ssh 8.5 or newer, and the runner has {match[1]}.{match[2]}",
            where="input `host-fingerprints`",
            hint="give `known-hosts` instead, or use a newer runner",
            anchor="old-ssh",
        )


def _missing(target: Target, access: Access, folder: Folder, runner: Runner) -> Problem | None:
    # A certificate can be checked only when the host shows it.
    if access.authorities or expected(target, access, folder, runner):
        return None
    lines = [line for line in access.known_hosts.splitlines() if not line.startswith("#")]
    bare = next((line for line in lines if BARE.match(line)), "")
    if bare:
        what = "holds a public key without the name of its host"
        hint = f"put the name in front: {target.known_name} {bare[:40]}…"
        return Problem("input `known-hosts`", what, hint, anchor="host-key")
    # Other lines are not shown: they may be part of a private key.
    names = [match[1] for line in lines if (match := NAMED.match(line))]
    names += [pin.name for pin in access.fingerprints]
    only = ", ".join(sorted(set(names))[:5])
    what = f"has no key for {target.known_name}" + (f", only for {only}" if only else "")
    hint = how_to_trust(target, access)
    return Problem(access.trust_input, what, hint, anchor="host-key")


def expected(target: Target, access: Access, folder: Folder, runner: Runner) -> tuple[str, ...]:
    """Return the keys that a host may show, such as `ED25519 SHA256:…`.

    The names in known_hosts may be hashed. An authority and a revoked key are marked as such: `CA
    ED25519 SHA256:…`.
    """
    pins = [pin.fingerprint for pin in access.fingerprints if pin.is_for(target)]
    argv = ("ssh-keygen", "-l", "-F", target.known_name, "-f", folder.known_hosts)
    listed = runner.run(Command(argv, why="read the expected host keys")).stdout
    found, marker = [], ""
    for line in listed.splitlines():
        head = re.fullmatch(r"# Host .* found: line [0-9]+ ?(CA|REVOKED|)\s*", line)
        key = re.search(r"\b(ED25519|RSA|ECDSA|ED25519-SK|ECDSA-SK) (SHA256:\S+)", line)
        if head:
            marker = f"{head[1]} " if head[1] else ""
        elif key:
            found.append(f"{marker}{key[1]} {key[2]}")
    return tuple(dict.fromkeys((*pins, *found)))


def how_to_trust(target: Target, access: Access) -> str:
    """Return how to get the right lines so that a man in the middle cannot forge them."""
    if access.fingerprints and not access.known_hosts:
        return (
            f"run `{ON_THE_HOST}` on the host, in the console of your provider, and write "
            f"{target.known_name} SHA256:… for each into `host-fingerprints`"
        )
    port = "" if target.port == SSH_PORT else f"-p {target.port} "
    return (
        f"run `ssh-keyscan {port}{target.host}` and compare its keys with those on the host "
        f"(`{ON_THE_HOST}`, in the console of "
        "your provider), then save the lines in the variable that `known-hosts` reads"
    )


def wrong_key(
    target: Target, access: Access, said: str, folder: Folder, runner: Runner
) -> UserError:
    """Return the error with the keys that the host has shown, the expected ones and what to do."""
    shown = [f"{_kind(row.split()[0])} {row.split()[-1]}" for row in folder.seen(target)]
    # A client before 8.5 reports a changed key in a sentence, and does not report an unknown one.
    shown = shown or [" ".join(match) for match in SENTENCE.findall(said)]
    wanted = ", ".join(expected(target, access, folder, runner)) or "another"
    seen = ", ".join(shown) or "one that this version of ssh does not show"
    what = f"{target.known_name} shows another host key: seen {seen}, "
    revoked = [row for row in shown if f"REVOKED {row}" in expected(target, access, folder, runner)]
    if revoked:
        return _revoked(target, access, revoked)
    paste = "\n".join(f"    {target.known_name} {row.split()[-1]}" for row in shown)
    invalid = re.search(r"Certificate invalid: .*", said)
    hint = (
        f"check on the host which keys it has (`{ON_THE_HOST}`, in the console of your provider). "
        "If they are the keys seen, the host was reinstalled: copy the next lines into "
        "`host-fingerprints`. If not, an attacker may be between the runner and your host.\n"
    )
    return UserError.of(
        what + f"expected {wanted}" + (f" ({invalid[0]})" if invalid else ""),
        where=access.trust_input,
        hint=hint + paste if paste else how_to_trust(target, access),
        anchor="host-key",
    )


def _revoked(target: Target, access: Access, keys: Sequence[str]) -> UserError:
    """Return the error for a host that shows a key that must never be trusted again."""
    return UserError.of(
        f"{target.known_name} shows a key that `known-hosts` marks as revoked: {', '.join(keys)}",
        where=access.trust_input,
        hint="do not accept this key: whoever has it can pretend to be the host. Make new host "
        "keys there, in the console of your provider, and save their lines in `known-hosts`",
        anchor="revoked-key",
    )


def _kind(algorithm: str) -> str:
    if algorithm.endswith("-cert-v01@openssh.com"):
        return f"certificate of {_kind(algorithm.partition('-cert-')[0])}"
    return KINDS.get(algorithm, "ECDSA" if algorithm.startswith("ecdsa-") else algorithm)

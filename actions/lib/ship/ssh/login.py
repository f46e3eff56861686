"""Logging in: with retries when the network failed, without when a host or a key was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple
from ship.ssh.config import FAMILIES
from ship.ssh.refusal import is_transient, is_wrong_key, lacks_key, last_line, refused
from ship.ssh.trust import wrong_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from ship.runner.process import Runner
    from ship.ssh.access import Access
    from ship.ssh.config import Folder
    from ship.ssh.target import Target

    # Tries once, with additional options for ssh; returns None, or the error text of ssh.
    Attempt = Callable[[tuple[str, ...]], str | None]

BACK_OFF_SECONDS = (2, 5)


class Client(NamedTuple):
    """OpenSSH's client as one run uses it: what all of its logins have in common."""

    access: Access
    folder: Folder
    runner: Runner
    # Writes to the log why it takes longer.
    tell: Callable[[str], None]


def log_in(
    target: Target, attempt: Attempt, client: Client, pause: Callable[[float], bool], *, jump: bool
) -> None:
    """Try until the login succeeds. Raises ShipError with the reason when it cannot.

    `pause` waits that many seconds and returns whether to give up. `jump` says that the host is a
    jump host.
    """
    proxy = "" if jump else client.access.proxy_command
    said: str | None = ""
    for wait in (*BACK_OFF_SECONDS, None):
        said = _with_any_key(target, attempt, client)
        if said is None:
            return
        if wait is None or not is_transient(said, proxy):
            break
        client.tell(f"no connection to {target} yet ({last_line(said)}); trying again in {wait} s")
        if pause(wait):
            break
    said = said or ""
    if is_wrong_key(said):
        raise wrong_key(target, client.access, said, client.folder, client.runner)
    raise refused(target, said, proxy_command=proxy, jump=jump)


def _with_any_key(target: Target, attempt: Attempt, client: Client) -> str | None:
    """Try once; when the host first shows a wrong key, ask for its other keys.

    ssh does that by itself for the keys in known_hosts, but it cannot know the kind of key that a
    fingerprint belongs to.
    """
    said = attempt(())
    if said is None or not is_wrong_key(said):
        return said
    shown = {row.split()[0] for row in client.folder.seen(target)}
    for algorithms in FAMILIES.values():
        if any(_is_of(key, algorithms) for key in shown):
            continue
        other = attempt(("-o", f"HostKeyAlgorithms={algorithms}"))
        if other is None or not (is_wrong_key(other) or lacks_key(other)):
            return other
    return said


def _is_of(key: str, algorithms: str) -> bool:
    # RSA keys have one name for the key and two for its signatures.
    return key in algorithms.split(",") or (key == "ssh-rsa" and "rsa-sha2-256" in algorithms)

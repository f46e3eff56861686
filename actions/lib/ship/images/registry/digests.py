"""The digests that names of images stand for now: of several at once, and all by one deadline."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from ship.runner.errors import ShipError
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ship.images.reference import Reference
    from ship.images.registry.client import Client

# For all of them together. A build can do without the answer of a registry that is silent.
SECONDS = 15
AT_ONCE = 8


class Answer(NamedTuple):
    """The digest of an image, or else why there is none, in words."""

    digest: str = ""
    why: str = ""


def digests(
    client: Client, references: Iterable[Reference], seconds: float = SECONDS
) -> dict[Reference, Answer]:
    """Return what the registries say of each reference; it takes no longer than `seconds`."""
    wanted = tuple(dict.fromkeys(references))
    for registry in dict.fromkeys(each.name.registry for each in wanted):
        # A helper that has the login is a program, which only this thread can end.
        client.know(registry)
    found = _answers(client, wanted, time.monotonic() + seconds)
    late = f"did not answer within {seconds:g} s"
    return {each: found.get(each, Answer(why=f"{each.name.registry} {late}")) for each in wanted}


def _answers(
    client: Client, wanted: Sequence[Reference], deadline: float
) -> dict[Reference, Answer]:
    """Return the answers that come until the deadline."""
    waiting = deque(wanted)
    found: dict[Reference, Answer] = {}
    work = (client.by(deadline), waiting, found)
    threads = [threading.Thread(target=_ask_all, args=work, daemon=True) for _ in wanted[:AT_ONCE]]
    for thread in threads:
        thread.start()
    for thread in threads:
        # One that waits for a name server cannot be ended. It is left behind.
        thread.join(max(0, deadline - time.monotonic()))
    return found


def _ask_all(client: Client, waiting: deque[Reference], found: dict[Reference, Answer]) -> None:
    while True:
        try:
            reference = waiting.popleft()
        except IndexError:  # Another thread has taken the last.
            return
        found[reference] = _ask(client, reference)


def _ask(client: Client, reference: Reference) -> Answer:
    try:
        digest = client.head(reference.name, reference.digest or reference.tag or "latest")
    except ShipError as error:
        return Answer(why="; ".join(problem.what for problem in error.problems))
    return Answer(digest) if digest else Answer(why=f"{reference.name.registry} has no such image")

"""The network of a cluster: a bridge of this machine, and a free range of addresses at it."""

from __future__ import annotations

import json
from typing import NamedTuple

from bed import cache
from bed.command import CommandFailed, run
from bed.errors import Unavailable
from bed.tools import Cannot

# Those of the bed's engines begin with 10.213.
RANGE = "10.214"
# The control plane is .1, the nodes follow, and their pods begin here.
FIRST_POD, LAST_POD = 16, 254


class Network(NamedTuple):
    """The addresses of a cluster: of the control plane, and of each node and its pods."""

    ip: str
    subnet: str
    nodes: dict[str, tuple[str, tuple[str, str]]]


def make(bridge: str, nodes: list[str]) -> Network:
    """Make a bridge with an address for the control plane and each node.

    Raises Unavailable when the machine does not allow it.
    """
    try:
        run("ip", "link", "add", bridge, "type", "bridge")
        # Two clusters that look for a free range at the same time would find the same one.
        with cache.lock("beds-network"):
            base = _free()
            for number in range(1, len(nodes) + 2):
                run("ip", "address", "add", f"{base}.{number}/24", "dev", bridge)
        run("ip", "link", "set", bridge, "up")
    except (CommandFailed, OSError) as error:
        raise Unavailable(f"{Cannot.NODE.reason}: {error}") from error
    share = (LAST_POD - FIRST_POD) // max(1, len(nodes))
    found = {}
    for number, name in enumerate(nodes):
        first = FIRST_POD + number * share
        pods = (f"{base}.{first}", f"{base}.{first + share - 1}")
        found[name] = (f"{base}.{number + 2}", pods)
    return Network(f"{base}.1", f"{base}.0/24", found)


def _free() -> str:
    listed = json.loads(run("ip", "-json", "address").stdout)
    used = {str(each.get("local")) for link in listed for each in link.get("addr_info", ())}
    return next(
        base
        for base in (f"{RANGE}.{number}" for number in range(256))
        if not any(address.startswith(f"{base}.") for address in used)
    )

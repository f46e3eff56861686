"""What is on a host, to compare it later: containers, images, volumes, networks and files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.hosts import Host

# What Docker has, one JSON list after the other; then the files of people and other tools, and not
# what our deploys and their proxy keep for themselves.
SCRIPT = """\
for each in 'container:ps -aq' 'volume:volume ls -q' 'network:network ls -q' 'image:images -q'; do
  names=$(docker ${each#*:} | sort -u)
  if [ -z "$names" ]; then echo '[]'; else docker "${each%%:*}" inspect $names; fi
done
echo files
find /srv /home/deploy -path '*gen-workflow*' -prune -o -type f -exec stat -c '%n %a %U %Y' {} + \
  2>/dev/null | sort
find /srv /home/deploy /var/lib/docker/volumes/*/_data -path '*gen-workflow*' -prune -o \
  -type f -exec cksum {} + 2>/dev/null | awk '{ print "content " $3 " " $1 }' | sort
"""
KEPT_OF_CONTAINER = ("Id", "Name", "Image", "Config", "HostConfig")


def belongings(host: Host) -> dict[str, str]:
    """Return everything on a host by its name, with what a change of it would change."""
    docker, _, files = host.run("sh", "-c", SCRIPT).stdout.partition("\nfiles\n")
    found = dict.fromkeys(files.splitlines(), "")
    for kind, kept in KINDS.items():
        listed, end = json.JSONDecoder().raw_decode(docker.lstrip())
        docker = docker.lstrip()[end:]
        found |= {f"{kind} {_name(each)}": kept(each) for each in listed}
    return found


def _name(each: dict[str, Any]) -> str:
    """Return the name of what Docker has; an image has many, or none."""
    return str(each.get("Name") or each["Id"]).lstrip("/")


def _container(each: dict[str, Any]) -> str:
    """Return the definition of a container, since when it runs, and where it can be reached."""
    definition = {name: each[name] for name in KEPT_OF_CONTAINER}
    # Docker has them in any order.
    mounts = sorted(json.dumps(mount, sort_keys=True) for mount in each["Mounts"])
    state = (each["State"]["Status"], each["State"]["StartedAt"], each["RestartCount"])
    networks = {
        name: (network["NetworkID"], network["Aliases"])
        for name, network in each["NetworkSettings"]["Networks"].items()
    }
    return json.dumps([definition, mounts, state, networks], sort_keys=True)


KINDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "container": _container,
    "volume": json.dumps,
    "network": lambda each: str(each["Id"]),
    "image": lambda each: str(each["Id"]),
}

"""Starts and stops a bed by hand: python -m bed up [--hosts N], python -m bed down."""

from __future__ import annotations

import argparse
import signal
import sys

from bed import Bed, BedError, debian, lease, removal

GREETING = """\
The bed is up. On this machine:
  export DOCKER_HOST={docker_host} DOCKER_CONFIG={config}
  docker exec -it {runner} bash                 # the runner
  ssh -F none -i {key} -o UserKnownHostsFile={known} deploy@{ip}   # a host
ghcr.io answers inside as `ghcr.io`; log in as anyone with the token `{token}`.
{hosts}
The runner sees {work} at the same path. Stop and remove everything with: python -m bed down
"""
TOKEN = "ghs_bed"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start a bed and leave it running")
    up.add_argument("--hosts", type=int, default=1, metavar="N", help="how many hosts (1)")
    commands.add_parser("down", help="stop all beds that you started, and those of dead processes")
    commands.add_parser("keep").add_argument("id")
    given = parser.parse_args()
    try:
        if given.command == "keep":
            _keep(given.id)
        elif given.command == "down":
            _down()
        else:
            _up(given.hosts)
    except BedError as error:
        print(f"bed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _up(hosts: int) -> None:
    with Bed(hosts, kept=True) as bed:
        bed.registry.allow(TOKEN, "*:pull,push")
        known = bed.lease.root / "known_hosts"
        known.write_text("".join(host.known_hosts for host in bed.hosts), encoding="utf-8")
        lines = [f"  {host.name}: {host.ip}" for host in bed.hosts]
        print(
            GREETING.format(
                docker_host=bed.lease.docker_host or "unix:///var/run/docker.sock",
                config=bed.engine.env["DOCKER_CONFIG"],
                runner=bed.runner.container,
                key=bed.lease.root / "deploy",
                known=known,
                ip=bed.host.ip,
                token=TOKEN,
                hosts="\n".join(lines),
                work=bed.work,
            ),
            end="",
        )


def _down() -> None:
    programs = debian.unpack_engine()
    gone = [found for found in lease.leases() if not found.owner or not found.is_held()]
    for found in gone:
        removal.remove(found, programs)
    print(f"taken down: {', '.join(found.prefix for found in gone) or 'nothing was up'}")


def _keep(name: str) -> None:
    """Wait until the owner has ended, in whatever way, and remove its bed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    for found in lease.leases():
        if found.id == name:
            removal.remove(found, debian.unpack_engine())


if __name__ == "__main__":
    sys.exit(main())

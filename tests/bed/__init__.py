"""The test bed: real components for the tests, made only from Debian packages and Go modules.

A test finds these in a `Bed`, or as a fixture of the same name:

- `registry` is ghcr.io: TLS, tokens with rights, faults that a test can force, a log of requests.
  `htpasswd_registry` is registry.acme.test, with a user and a password. A test can ask both for
  tags, digests and manifests.
- `runner` builds images. `add_runner(name, containerd_store=..., disk="64m")` adds another runner.
  A test can stop and start its engine (`stop_engine`, `start_engine`). After
  `add_buildkit_image()` buildx's docker-container driver works there, with a real BuildKit.
- `builder` runs a real buildkitd for the remote driver, at `builder.endpoint`.
- `host`, `hosts`, `add_host()`, `add_hosts(8)` are servers with SSH, most of them with Docker.
  Options: `disk="64m"`; `behind=another_host` (reachable only through that host);
  `engine="bookworm"` (Docker 20.10) or `"forky"` (28); `compose=tools.built("compose")` (version
  5), `tools.built("oldest-compose")` (2.24) or `None`; `docker=False`. A test verifies a host by
  `known_hosts`, `hashed_known_hosts` or `fingerprints`, or all hosts by the bed's
  `host_authority`. Faults: `kill_sessions`, `block_ssh`, `reset_ssh`, `unblock_ssh`, `slow_login`,
  `fill_disk`, `free_disk`, `fill_home`, `free_home`, and `wrap_docker` with a script that fails,
  waits, or only records the calls for `docker_calls`.
- `kamal_proxy_image()` is the name of kamal-proxy's image in ghcr.io.
- `emulate_arm64()` (the fixture is `arm64_busybox`) lets all machines run programs of arm64.

These are used together with the bed:

- `with delayed(host.ip, 22, milliseconds=25) as link` (in `bed.delay`) is a slow connection to an
  address, at `link.port` of 127.0.0.1. `link.cut()` resets all its connections. `freeze()` delivers
  nothing until `thaw()`.
- `with Load(url) as load` (in `bed.load`) sends requests to an app all the time, and reports
  `load.failed`, `load.versions` and `load.longest_gap_ms()`.
- `Shop(bed).push("2", "slow-start")` (in `bed.shop`) is an app with versions that work or fail.

Every machine can be paused, switched off and on, and removed. It can run every program of the
machine that runs the tests. Containers on the machines can resolve the names of the bed: ghcr.io,
registry.acme.test, builder. A component that was not installed raises `Unavailable`. A test says
which components it needs with
`@pytest.mark.needs("packages", "engine", "buildkit", "qemu", "compose",
"oldest-compose", "kamal-proxy", "engine-bookworm", "engine-forky")`.
"""

from __future__ import annotations

from bed.command import CommandFailed, Completed
from bed.errors import BedError, Unavailable
from bed.hosts import Host, HostOptions
from bed.machines import Builder, Machine, Runner
from bed.registry import HtpasswdRegistry, Registry, Request
from bed.testbed import Bed

__all__ = [
    "Bed",
    "BedError",
    "Builder",
    "CommandFailed",
    "Completed",
    "Host",
    "HostOptions",
    "HtpasswdRegistry",
    "Machine",
    "Registry",
    "Request",
    "Runner",
    "Unavailable",
]

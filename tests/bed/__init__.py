"""The test bed: real components for the tests, from Debian's packages and Go modules alone.

What a test finds in a `Bed`, or as a fixture of the same name:

- `registry` is ghcr.io: TLS, tokens with rights, faults that are forced, a log of requests.
  `htpasswd_registry` is registry.acme.test, with a user and a password. Both tell tags, digests
  and manifests.
- `runner` builds, `add_runner(name, containerd_store=..., disk="64m")` gives it a brother. Its
  engine stops and starts (`stop_engine`, `start_engine`). After `add_buildkit_image()` buildx's
  docker-container driver works there, with a real BuildKit.
- `builder` runs a real buildkitd for the remote driver, at `builder.endpoint`.
- `host`, `hosts`, `add_host()`, `add_hosts(8)` are servers with SSH, mostly with Docker. Options:
  `disk="64m"`, `behind=another_host` (reached through it alone), `engine="bookworm"` (Docker
  20.10) or `"forky"` (28), `compose=tools.built("compose")` (version 5),
  `tools.built("oldest-compose")` (2.24) or `None`; `docker=False`. They are known by
  `known_hosts`, `hashed_known_hosts`, `fingerprints`, or all of them by the bed's
  `host_authority`. Faults: `kill_sessions`, `block_ssh`, `reset_ssh`, `unblock_ssh`, `slow_login`,
  `fill_disk`, `free_disk`, `fill_home`, `free_home`, and `wrap_docker` with a script that fails,
  waits or only lets `docker_calls` tell what was asked.
- `kamal_proxy_image()` is the name of kamal-proxy's image in ghcr.io.
- `emulate_arm64()` (the fixture is `arm64_busybox`) lets all of them run programs of arm64.

Beside the bed:

- `with delayed(host.ip, 22, milliseconds=25) as link` (of `bed.delay`) is a slow line to an
  address, at `link.port` of 127.0.0.1. `link.cut()` resets all its connections, `freeze()` lets
  nothing through until `thaw()`.
- `with Load(url) as load` (of `bed.load`) asks an app all the time, and tells `load.failed`,
  `load.versions` and `load.longest_gap_ms()`.
- `Shop(bed).push("2", "slow-start")` (of `bed.shop`) is an app in versions that work or fail.

Every machine can be paused, switched off and on, and removed, and runs any program of this one.
Containers on machines know the names of the bed: ghcr.io, registry.acme.test, builder.
A component that was not installed raises `Unavailable`; a test says which ones it needs with
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

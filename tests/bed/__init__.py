"""The test bed: real components for the tests, from Debian's packages and Go modules alone.

What a test finds in a `Bed`, or as a fixture of the same name:

- `registry` is ghcr.io: TLS, tokens with rights, faults that are forced, a log of requests.
  `htpasswd_registry` is registry.acme.test, with a user and a password. Both tell tags, digests
  and manifests.
- `runner` builds, `add_runner(name, containerd_store=..., disk="64m")` gives it a brother. Its
  engine stops and starts (`stop_engine`, `start_engine`). After `add_buildkit_image()` buildx's
  docker-container driver works there, with a real BuildKit.
- `builder` runs a real buildkitd for the remote driver, at `builder.endpoint`.
- `host`, `hosts`, `add_host()` are servers with SSH, mostly with Docker.
- `emulate_arm64()` (the fixture is `arm64_busybox`) lets all of them run programs of arm64.

Every machine can be paused, switched off and on, and removed, and runs any program of this one.
Containers on machines know the names of the bed: ghcr.io, registry.acme.test, builder.
A component that was not installed raises `Unavailable`; a test says which ones it needs with
`@pytest.mark.needs("packages", "engine", "buildkit", "qemu")`.
"""

from __future__ import annotations

from bed.command import CommandFailed, Completed
from bed.errors import BedError, Unavailable
from bed.machines import Builder, Host, Machine, Runner
from bed.registry import HtpasswdRegistry, Registry, Request
from bed.testbed import Bed

__all__ = [
    "Bed",
    "BedError",
    "Builder",
    "CommandFailed",
    "Completed",
    "Host",
    "HtpasswdRegistry",
    "Machine",
    "Registry",
    "Request",
    "Runner",
    "Unavailable",
]

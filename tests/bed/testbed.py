"""The whole bed: engine, registry, runner and hosts, which start and stop together."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bed import debian, emulation, engine, kamal_proxy, keys, lease, removal
from bed.errors import BedError
from bed.hosts import Host, HostWithoutDocker
from bed.machines import Builder, ContainerdRunner, Machine, Runner, build_image
from bed.registry import HTPASSWD_NAME, NAME, HtpasswdRegistry, Registry

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from typing_extensions import Self, Unpack

    from bed.hosts import HostOptions

# Machines mostly wait for engines. More of them at once would only wait longer.
AT_ONCE = 8


class Bed:
    """Real components on a private network: ghcr.io, a runner and hosts.

    A context manager. Entering it takes seconds. Raises Unavailable, with what a person can do,
    when this machine cannot run the bed, and BedError when something breaks. With `kept` the bed
    outlives this process, until `python -m bed down`.
    """

    registry: Registry
    runner: Runner

    def __init__(self, hosts: int = 1, *, kept: bool = False) -> None:
        self._wanted = hosts
        self._kept = kept
        self._lease: lease.Lease | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self.hosts: list[Host] = []
        # The images of the shop that are in the registry, by version and fault: see `bed.shop`.
        self.pushed: dict[tuple[str, str], str] = {}
        self._builder: Builder | None = None
        self._htpasswd_registry: HtpasswdRegistry | None = None
        self._kamal_proxy_image = ""

    def open(self) -> Self:
        """Start everything. After a failure, everything that was started is removed."""
        debian.install_packages()
        self.programs = debian.unpack_engine()
        removal.remove_stale(self.programs)
        own = not engine.is_running(self.programs)
        if own:
            engine.need_root()
        self._lease = lease.new(own_engine=own, owner=0 if self._kept else os.getpid())
        self.engine = engine.Engine(self.programs, self._lease)
        try:
            self._keeper = None if self._kept else removal.keep(self._lease)
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __enter__(self) -> Self:
        return self.open() if self._lease is None else self

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self.close()

    def close(self) -> None:
        """Stop and remove everything. A second call does nothing."""
        removal.remove(self.lease, self.programs)
        self.engine.reap()
        if self._keeper:
            self._keeper.communicate()

    @property
    def lease(self) -> lease.Lease:
        if self._lease is None:
            raise BedError("the bed is not up: use it in a `with` block")
        return self._lease

    @property
    def work(self) -> Path:
        """The folder that has the same path on the runner and here."""
        return self.lease.root / "work"

    @property
    def authority(self) -> Path:
        """The certificate that signed that of ghcr.io. Every machine of the bed trusts it."""
        return self.lease.root / "ca.crt"

    @property
    def host(self) -> Host:
        """The first host."""
        return self.hosts[0]

    @property
    def host_authority(self) -> str:
        """The public key that signed the keys of the hosts, for `@cert-authority * KEY`."""
        text = (self.lease.root / "host_authority.pub").read_text(encoding="utf-8")
        return " ".join(text.split()[:2])

    def add_host(self, *, docker: bool = True, **options: Unpack[HostOptions]) -> Host:
        """Add a host. Its name is its number: `h2` after `h1`."""
        [host] = self.add_hosts(1, docker=docker, **options)
        return host

    def add_hosts(
        self, number: int, *, docker: bool = True, **options: Unpack[HostOptions]
    ) -> list[Host]:
        """Add equal hosts. They start side by side."""
        kind = Host if docker else HostWithoutDocker
        first = len(self.hosts) + 1
        added = [kind(self.engine, f"h{first + each}", **options) for each in range(number)]
        self.hosts += added
        _together([host.start for host in added])
        return added

    def add_runner(self, name: str, *, containerd_store: bool = False, disk: str = "") -> Runner:
        """Add a runner with its own engine, on a small `disk` when wanted, such as `64m`."""
        kind = ContainerdRunner if containerd_store else Runner
        runner = kind(self.engine, name)
        runner.disk = disk
        runner.start()
        return runner

    @property
    def builder(self) -> Builder:
        """A machine with a real buildkitd for buildx's remote driver, started on first use.

        Raises Unavailable when BuildKit was not built.
        """
        if self._builder is None:
            builder = Builder(self.engine, "builder")
            builder.start()
            self._builder = builder
        return self._builder

    @property
    def htpasswd_registry(self) -> HtpasswdRegistry:
        """A second registry, with user and password, started on first use."""
        if self._htpasswd_registry is None:
            registry = HtpasswdRegistry(self.engine, HTPASSWD_NAME)
            registry.start()
            self._htpasswd_registry = registry
        return self._htpasswd_registry

    def kamal_proxy_image(self) -> str:
        """Return the image of kamal-proxy in ghcr.io, by digest. It is pushed on first use.

        Raises Unavailable when kamal-proxy was not built.
        """
        self._kamal_proxy_image = self._kamal_proxy_image or kamal_proxy.push(self)
        return self._kamal_proxy_image

    def emulate_arm64(self) -> Path:
        """Let every machine run programs of arm64. Returns the path of a static busybox for arm64.

        A second call only returns the path. Raises Unavailable when the kernel does not allow it.
        """
        emulation.start(self.lease)
        return emulation.folder() / "busybox-arm64"

    def _start(self) -> None:
        root = self.lease.root
        self.work.mkdir()
        _together(
            (
                self._start_engine,
                lambda: keys.make_authority(root),
                lambda: keys.make_ssh_key(root / "deploy"),
                lambda: keys.make_ssh_key(root / "host_authority"),
            )
        )
        self.registry = Registry(self.engine, NAME)
        self.runner = Runner(self.engine, "runner")
        self.hosts = [Host(self.engine, f"h{number + 1}") for number in range(self._wanted)]
        machines: list[Machine] = [self.registry, self.runner, *self.hosts]
        _together([machine.start for machine in machines])

    def _start_engine(self) -> None:
        self.engine.start()
        build_image(self.engine)


def _together(tasks: Sequence[Callable[[], object]]) -> None:
    """Run all tasks at once, and wait for all. Raises the first error, in order of the tasks."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(task) for task in tasks]:
            done.result()

"""The bed as pytest fixtures. One bed serves a whole run of the tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from bed import Bed, Unavailable
from bed.kube import programs
from bed.kube.cluster import Cluster
from bed.kube.node import Images
from bed.tools import is_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bed import Builder, Host, HtpasswdRegistry, Registry, Runner


T = TypeVar("T")


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    """The bed. A test is skipped, with the reason, on a machine that cannot run the bed."""
    up = Bed()
    have(up.open)
    with up:
        yield up


@pytest.fixture
def registry(bed: Bed) -> Iterator[Registry]:
    """The bed's ghcr.io, without faults and with an empty log of requests."""
    bed.registry.clear_requests()
    yield bed.registry
    bed.registry.clear_faults()


@pytest.fixture
def runner(bed: Bed) -> Runner:
    """The runner of the bed."""
    return bed.runner


@pytest.fixture(scope="session")
def containerd_runner(bed: Bed) -> Runner:
    """A runner whose engine has the containerd image store, the default of Docker 29."""
    return bed.add_runner("containerd-runner", containerd_store=True)


@pytest.fixture
def host(bed: Bed) -> Host:
    """The first host of the bed. All tests share it, so name what you start after your test."""
    return bed.host


@pytest.fixture
def builder(bed: Bed) -> Builder:
    """A machine with a real buildkitd, for `docker buildx create --driver remote`."""
    return have(lambda: bed.builder)


@pytest.fixture
def htpasswd_registry(bed: Bed) -> Iterator[HtpasswdRegistry]:
    """registry.acme.test, with one user; without faults and with an empty log of requests."""
    registry = have(lambda: bed.htpasswd_registry)
    registry.clear_requests()
    yield registry
    registry.clear_faults()


@pytest.fixture
def arm64_busybox(bed: Bed) -> Path:
    """A static program of arm64. From now on, every machine of the bed can run it."""
    return have(bed.emulate_arm64)


@pytest.fixture(scope="module")
def kube() -> Iterator[Cluster]:
    """A Kubernetes with one real node, which behaves as every other does.

    It starts within seconds, and takes a part of a processor as long as it runs.
    """
    yield from _kube(Cluster())


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Cluster]:
    """A Kubernetes with two real nodes. One that is not heard of is soon lost."""
    yield from _kube(Cluster(nodes=2, quick_loss=True))


@pytest.fixture(scope="module")
def old_kube() -> Iterator[Cluster]:
    """A Kubernetes 1.33 with one real node. Such a test needs `kubebed-1.33`."""
    yield from _kube(Cluster(version=programs.OLD))


@pytest.fixture(scope="module")
def kube_beside_the_bed(bed: Bed) -> Iterator[Cluster]:
    """A Kubernetes whose node pulls from the bed's ghcr.io, and which the bed's runner reaches."""
    for cluster in _kube(Cluster(images=Images(bed.registry.ip, bed.authority))):
        bed.runner.reach(cluster.subnet)
        yield cluster


def _kube(cluster: Cluster) -> Iterator[Cluster]:
    have(cluster.open)
    with cluster:
        yield cluster


@pytest.fixture
def namespace(kube: Cluster) -> Iterator[str]:
    """A new namespace of the cluster; its registry and its API server have no faults."""
    with kube.namespace() as name:
        yield name
    kube.registry.clear_faults()
    kube.faults.clear_faults()


def have(start: Callable[[], T]) -> T:
    """Return the started component, or skip with the reason why this machine cannot run it."""
    try:
        return start()
    except Unavailable as reason:
        if _must_work() and not is_allowed(str(reason)):
            pytest.fail(f"this must work on this machine: {reason}", pytrace=False)
        pytest.skip(str(reason))


def _must_work() -> bool:
    """Return whether a skip would hide a fault. This is so in CI, as root, on Debian."""
    debian = Path("/etc/debian_version").is_file()
    return os.environ.get("CI") == "true" and os.geteuid() == 0 and debian

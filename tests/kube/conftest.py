"""What the tests of kubectl-set-image on a real cluster begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.kube.cluster import Cluster
from bed.plugin import have
from kube.app import App

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


CLUSTER = pytest.StashKey[Cluster]()


@pytest.fixture(scope="module")
def kube(request: pytest.FixtureRequest) -> Cluster:
    """A Kubernetes that all files of this folder share. It stops with the last of their tests."""
    folder = request.node.parent
    if CLUSTER not in folder.stash:
        folder.stash[CLUSTER] = have(Cluster().open)
        folder.addfinalizer(lambda: _close(folder))
    found: Cluster = folder.stash[CLUSTER]
    return found


def _close(folder: pytest.Collector) -> None:
    folder.stash[CLUSTER].close()
    del folder.stash[CLUSTER]


@pytest.fixture
def app(kube: Cluster, tmp_path: Path) -> Iterator[App]:
    """A namespace of its own, with nothing in it yet."""
    with kube.namespace() as namespace:
        yield App(kube, namespace, tmp_path)

"""What the tests of kubectl-set-image on a real cluster begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kube.app import App

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed.kube.cluster import Cluster


@pytest.fixture
def app(kube: Cluster, tmp_path: Path) -> Iterator[App]:
    """A namespace of its own, with nothing in it yet."""
    with kube.namespace() as namespace:
        yield App(kube, namespace, tmp_path)

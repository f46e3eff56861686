from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kube_api import KubeApi
from ship.kube.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def api(tmp_path: Path) -> Iterator[KubeApi]:
    with KubeApi(tmp_path / "s") as server:
        yield server


@pytest.fixture
def slept() -> list[float]:
    """How long a client has waited, without waiting."""
    return []


@pytest.fixture
def client(api: KubeApi, slept: list[float]) -> Iterator[Client]:
    found = Client(api.path, slept.append)
    yield found
    found.close()

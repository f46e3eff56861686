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
def client(api: KubeApi) -> Iterator[Client]:
    found = Client(api.path, lambda _: None)
    yield found
    found.close()

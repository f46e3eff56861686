from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from kube_api import KubeApi
from ship.kube.client import Client
from ship.runner import cancel
from unit.ship.kubectl_set_image.step_bed import Bed

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


@pytest.fixture
def bed(api: KubeApi, tmp_path: Path) -> Bed:
    return Bed(api, tmp_path)


@pytest.fixture
def listens() -> Iterator[None]:
    """Signals are heard as in a real step."""
    before = {each: signal.getsignal(each) for each in cancel.SIGNALS}
    cancel.listen()
    yield
    for each, handler in before.items():
        signal.signal(each, handler)

"""A cluster of Kubernetes 1.33, which says some things in other words and shows other fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kube.app import ABSENT, App

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed.kube.cluster import Cluster

pytestmark = [
    pytest.mark.needs("packages", "engine", "engine-forky", "kubebed", "kubebed-1.33"),
    pytest.mark.test_all,
]
ROLLED_BACK = 4


@pytest.fixture
def old_app(old_kube: Cluster, tmp_path: Path) -> Iterator[App]:
    with old_kube.namespace() as namespace:
        yield App(old_kube, namespace, tmp_path)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_good_image_is_rolled_out(old_app: App, kind: str) -> None:
    old_app.create(kind)
    done = old_app.update(old_app.image("ok2"), workload=f"{kind.lower()}/web")
    assert done.code == 0, done.log
    assert done.outputs["status"] == "updated"


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
@pytest.mark.parametrize(
    ("tag", "cause"),
    [
        ("crash", "crashed"),
        ("", "image-not-found"),
        ("nocmd", "command-not-found"),
        ("empty", "no-command"),
        ("arm-index", "wrong-architecture"),
        ("arm-plain", "wrong-architecture"),
    ],
)
def test_the_cause_is_named_and_what_ran_before_comes_back(
    old_app: App, kind: str, tag: str, cause: str
) -> None:
    old_app.create(kind)
    image = old_app.image(tag) if tag else ABSENT
    done = old_app.update(f"app={image}", workload=f"{kind.lower()}/web")
    assert done.code == ROLLED_BACK, done.log
    assert done.outputs["cause"] == cause
    assert old_app.images(kind) == {"app": old_app.image("ok")}

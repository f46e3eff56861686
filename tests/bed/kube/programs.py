"""The programs of a cluster: Kubernetes, which is built here, and what runs its containers.

Standard library only, because the set-up builds this before any environment exists.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from bed import cache, debian, tools
from bed.errors import Unavailable

KUBERNETES = "k8s.io/kubernetes"
VERSION = re.compile(rf"^\s*{re.escape(KUBERNETES)} (v1\.(\d+)\.\d+)$", re.MULTILINE)
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet",
         "kubectl")  # fmt: skip
CURRENT = "kubebed"
OLD = "kubebed-1.33"
# Debian's containerd and runc of this suite: a current kubelet wants a containerd 2.
SUITE = "forky"
NETWORK_PLUGINS = Path("/usr/lib/cni")


class Programs(NamedTuple):
    """Where the programs of a cluster are: Kubernetes, and the engine of its nodes."""

    kubernetes: Path
    engine: Path

    @property
    def kubectl(self) -> Path:
        return self.kubernetes / "kubectl"


def find(name: str = CURRENT) -> Programs:
    """Return the programs of a version: `kubebed` or `kubebed-1.33`.

    Raises Unavailable with what a person can do.
    """
    if not is_built(name):
        raise Unavailable(f"{name} is not built: run python3 tests/bed/setup.py {name}")
    if not NETWORK_PLUGINS.is_dir():
        raise Unavailable("there are no network plugins: run python3 tests/bed/setup.py packages")
    return Programs(_folder(name), debian.unpack_other_engine(SUITE).bin)


def is_built(name: str) -> bool:
    return _folder(name).is_dir()


def build(name: str) -> None:
    """Build Kubernetes from its Go modules: 25 minutes of one core when nothing is built yet.

    Raises Unavailable when the proxy cannot be reached or refuses a version.
    """
    found = VERSION.search((_source(name) / "go.mod").read_text(encoding="utf-8"))
    if not found:
        raise Unavailable(f"{_source(name)}/go.mod does not name a version of {KUBERNETES}")
    version, minor = found.groups()
    stamp = "-X k8s.io/component-base/version."
    flags = f"{stamp}gitVersion={version} {stamp}gitMajor=1 {stamp}gitMinor={minor}"
    tools.build_own(_source(name), _folder(name), f"{KUBERNETES}@{version}", flags, PARTS)


def _source(name: str) -> Path:
    return Path(__file__).with_name(name)


def _folder(name: str) -> Path:
    """Return the folder of the built programs, which follows from all that they are made of."""
    source = _source(name)
    digest = hashlib.sha256(tools.go_version(source).encode())
    for file in ("main.go", "go.mod", "go.sum"):
        digest.update((source / file).read_bytes())
    return cache.folder() / "go" / f"{name}-{digest.hexdigest()[:12]}"

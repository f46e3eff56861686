"""The folder that keeps downloads and builds between runs, and locks between processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def folder() -> Path:
    """Return the cache folder, which is outside the checkout. Create it when it is missing."""
    own = os.environ.get("GEN_WORKFLOW_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    path = Path(own or f"{base}/gen-workflow").expanduser().absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the lock of this name, so that other processes wait. It ends with its holder."""
    with (folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

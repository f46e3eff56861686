"""Where downloads and builds are kept between runs, and locks that two runs share."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def folder() -> Path:
    """Return the cache folder, outside the checkout; made when missing."""
    own = os.environ.get("GEN_WORKFLOW_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    path = Path(own or f"{base}/gen-workflow").expanduser().absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the lock of this name against every other process; a dead holder frees it."""
    with (folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

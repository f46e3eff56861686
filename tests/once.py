"""Makes once in a run of the tests what all its workers need and what takes long to make.

Each worker collects all tests, so what their parameters are made from would be made in each.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

T = TypeVar("T")

_FOLDER = "GEN_WORKFLOW_TEST_RUN"


def have_folder(config: pytest.Config) -> None:
    """Make the folder of a run; workers inherit its name, and it is gone after the run."""
    if not hasattr(config, "workerinput"):
        os.environ[_FOLDER] = mkdtemp(prefix="gen-workflow-run-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(_FOLDER)))


def folder() -> Path:
    """Return the folder that all workers of the run share."""
    return Path(os.environ[_FOLDER])


def once(name: str, make: Callable[[], T]) -> T:
    """Return what a function makes in the first worker that asks; the others wait for it."""
    file = folder() / name
    with file.with_suffix(".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not file.exists():
            made = pickle.dumps(make())
            file.write_bytes(made)
        found: T = pickle.loads(file.read_bytes())  # noqa: S301 - of this very run
    return found

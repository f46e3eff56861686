"""What the tests of the generator share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

COMMAND = Path(sys.executable).with_name("gen-workflow")
SPEC = """\
image: .
deploy:
  ssh: vps
  run: {ports: ["8080:8080"], env: [GREETING]}
  health: /health
rollback: false
"""
PAGE = "https://github.com/gen-workflow/gen-workflow/blob/main/docs/errors.md"


def see(*anchors: str) -> str:
    """Return the lines below a message that link to these headings."""
    return "".join(f"see: {PAGE}#{anchor}\n" for anchor in anchors)


class Ended(NamedTuple):
    """A process that ended."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Return what a person's processes have; some machines turn compiled modules off."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | more


class Repository:
    """A repository with a spec, and the command line run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec = folder / "gen-workflow.yml"
        self.workflow = folder / ".github" / "workflows" / "ci-cd.yml"
        self.spec.write_text(SPEC)
        (folder / "Dockerfile").write_text("FROM scratch\n")

    def run(self, *argv: str, command: Path = COMMAND) -> Ended:
        done = subprocess.run(
            (str(command), *argv),
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)

"""Starting programs for the bed: text in, text out, and an error that shows what was said."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from bed.errors import BedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Completed = subprocess.CompletedProcess[str]


class CommandFailed(BedError):  # noqa: N818 - reads as what happened
    """A program of the bed ended with an error; `result` holds what it printed."""

    def __init__(self, result: Completed) -> None:
        self.result = result
        command = shlex.join(result.args)
        said = "\n".join(part for part in (result.stdout, result.stderr) if part).rstrip()
        super().__init__(f"exit code {result.returncode} from `{command}`:\n{said}")


def run(
    *argv: str,
    input: str | None = None,  # noqa: A002 - the word that subprocess uses
    check: bool = True,
    timeout: float | None = 120,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Completed:
    """Run a program to its end. `env` is added to ours; raises CommandFailed if `check`."""
    result = subprocess.run(
        argv,
        # Nothing of the bed may wait for a person's keyboard.
        **({"stdin": subprocess.DEVNULL} if input is None else {"input": input}),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=timeout,
        env={**os.environ, **(env or {})},
        cwd=cwd,
    )
    if check and result.returncode:
        raise CommandFailed(result)
    return result

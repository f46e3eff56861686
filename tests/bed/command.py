"""Starts programs for the bed: text in, text out, and an error that shows the output."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from bed.errors import BedError
from bed.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Completed = subprocess.CompletedProcess[str]


class CommandFailed(BedError):  # noqa: N818 - reads as what happened
    """A program of the bed failed. `result` has its output."""

    def __init__(self, result: Completed) -> None:
        self.result = result
        command = shlex.join(result.args)
        said = "\n".join(part for part in (result.stdout, result.stderr) if part).rstrip()
        super().__init__(f"exit code {result.returncode} from `{command}`:\n{said}")


def run(
    *argv: str,
    input: str | None = None,  # noqa: A002 - the word that subprocess uses
    check: bool = True,
    timeout: float | None = HANG_SECONDS,
    env: Mapping[str, str] | None = None,
    whole_env: bool = False,
    cwd: Path | None = None,
) -> Completed:
    """Run a program until it ends. With `check` it can raise.

    `env` is added to our environment, or with `whole_env` is all that the program gets.
    """
    result = subprocess.run(
        argv,
        # No program of the bed may wait for input from a keyboard.
        **({"stdin": subprocess.DEVNULL} if input is None else {"input": input}),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=timeout,
        env={**({} if whole_env else os.environ), **(env or {})},
        cwd=cwd,
    )
    if check and result.returncode:
        raise CommandFailed(result)
    return result

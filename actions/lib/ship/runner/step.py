"""The step that runs: what it knows of the run, and how it starts programs and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ship.runner.context import Context
    from ship.runner.process import Runner
    from ship.runner.workflow_commands import Workflow

# What GitHub calls the machines of its runners.
PLATFORMS = {"X64": "linux/amd64", "ARM64": "linux/arm64", "X86": "linux/386", "ARM": "linux/arm"}


class Step(NamedTuple):
    """What every action is given; `workflow` is how it talks to the runner of GitHub.

    `new_runner` loads what starts programs, which takes 4 ms that a dry run need not pay.
    """

    env: Mapping[str, str]
    context: Context
    new_runner: Callable[[], Runner]
    workflow: Workflow

    @property
    def runner(self) -> Runner:
        """What starts programs."""
        return self.new_runner()

    @property
    def platform(self) -> str:
        """The platform of the runner; empty when it does not say."""
        return PLATFORMS.get(self.env.get("RUNNER_ARCH", ""), "")

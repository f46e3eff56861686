"""The step that runs: what it knows of the run, and how it starts programs and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.context import Context
    from ship.runner.process import Runner
    from ship.runner.workflow_commands import Workflow

# What GitHub calls the machines of its runners.
PLATFORMS = {"X64": "linux/amd64", "ARM64": "linux/arm64", "X86": "linux/386", "ARM": "linux/arm"}


class Step(NamedTuple):
    """What every action is given; `workflow` is how it talks to the runner of GitHub."""

    env: Mapping[str, str]
    context: Context
    runner: Runner
    workflow: Workflow

    @property
    def platform(self) -> str:
        """The platform of the runner; empty when it does not say."""
        return PLATFORMS.get(self.env.get("RUNNER_ARCH", ""), "")

"""The forms of a deploy for tests that go through all of them, and through all of their phases."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bed.deploys import served
from bed.shop import PORT
from bed.waiting import wait_until
from ship.runner.context import Context
from ship.ssh_deploy.inputs import read_inputs
from ship.ssh_deploy.plan import plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bed import Host
    from bed.step import RunningStep

KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----"
IMAGE = "ghcr.io/acme/shop@sha256:" + "0" * 64
COMPOSE = """\
services:
  web:
    image: ghcr.io/acme/shop
    ports: ["8080:8080"]
    entrypoint: ["/bin/busybox"]
    command: ["sh", "/bin/serve"]
    restart: unless-stopped
"""
# Commands run in the image, whose own entry point takes none.
COMMANDS = {
    "options": "--entrypoint=/bin/busybox",
    "command": "sh /bin/serve",
    "before": "true",
    "after": "true",
}
FORMS: dict[str, dict[str, str]] = {
    "run": COMMANDS,
    "proxy": {**COMMANDS, "volumes": "", "strategy": "proxy", "proxy-image": IMAGE},
    "compose": {
        "compose": "compose.yml", "ports": "", "volumes": "", "env": "", "candidate": "",
        "before": "web: true", "after": "web: true",
    },
}  # fmt: skip


def phases(form: str, more: Mapping[str, str] | None = None) -> list[str]:
    """Return the phases of a form, as its plan has them."""
    inputs = {
        "host": "h1", "user": "deploy", "ssh-key": KEY, "known-hosts": "h1 ssh-ed25519 AAAA",
        "image": IMAGE, "ports": f"{PORT}:{PORT}", "health": "/health",
        **FORMS[form], **(more or {}),
    }  # fmt: skip
    env = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in inputs.items()}
    with TemporaryDirectory() as folder:
        (Path(folder) / "compose.yml").write_text(COMPOSE)
        context = Context(repository="acme/shop", workspace=folder)
        return [phase.name for phase in plan(read_inputs(env, context), context).phases]


def await_phase(step: RunningStep, phase: str) -> None:
    """Wait until the phase has begun on a host; a step that is over has nothing left to disturb."""
    wait_until(
        lambda: f"{phase}: " in step.log() or step.process.poll() is not None,
        f"{phase} has begun",
        seen=step.log,
    )


def await_settled(hosts: Sequence[Host]) -> None:
    """Wait until each host serves one version, and goes on to."""
    good = 0

    def settled() -> bool:
        nonlocal good
        good = good + 1 if all(served(host) in ("1", "2") for host in hosts) else 0
        return good == 10

    wait_until(settled, "each host serves a version", seen=lambda: [served(host) for host in hosts])

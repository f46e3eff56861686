"""Deploys to hosts of a bed through the real shell step, and reads the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bed.hosts import Host
from bed.http import body
from bed.machines import DOCKER
from bed.shop import PORT
from bed.step import Run, RunningStep, StepResult, run_action, start_action
from bed.waiting import HANG_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


# With characters that a shell, JSON or a log could misread.
SECRET = "gr33ting-s3cret with 'quotes' and $(id)"


class Deploy:
    """Deploys to hosts with correct inputs, except for those that a test changes."""

    def __init__(self, hosts: Host | Sequence[Host], workspace: Path) -> None:
        self._hosts: list[Host] = [hosts] if isinstance(hosts, Host) else list(hosts)
        self.workspace = workspace

    def inputs(self, image: str, **changes: str) -> dict[str, str]:
        first = self._hosts[0]
        given = {
            "host": "\n".join(host.ip for host in self._hosts),
            "user": first.user,
            "ssh-key": first.private_key,
            "known-hosts": "".join(host.known_hosts for host in self._hosts),
            "image": image,
            "ports": f"{PORT}:{PORT}",
            "env": "GREETING",
            "volumes": "state:/state",
            "health": "/health",
            "health-timeout": "30",
            # Two containers of the app can share the volume.
            "candidate": "" if changes.keys() & {"compose", "script"} else "always",
        }
        return {**given, **{name.replace("_", "-"): value for name, value in changes.items()}}

    def __call__(self, image: str, **changes: str) -> StepResult:
        return self.run(self.inputs(image, **changes))

    def run(
        self,
        inputs: Mapping[str, str],
        *,
        env: Mapping[str, str] | None = None,
        run: Run | None = None,
        timeout: float = HANG_SECONDS,
    ) -> StepResult:
        env = {"GREETING": SECRET, **(env or {})}
        return run_action(
            "ssh-deploy", inputs, env=env, workspace=self.workspace, run=run, timeout=timeout
        )

    def start(self, image: str, **changes: str) -> RunningStep:
        return self.begin(self.inputs(image, **changes))

    def begin(self, inputs: Mapping[str, str]) -> RunningStep:
        env = {"GREETING": SECRET}
        return start_action("ssh-deploy", inputs, env=env, workspace=self.workspace)


# A host that serves a version, and deploys to it.
Serving = tuple[Host, Deploy]


def served(host: Host, path: str = "/", port: int = PORT) -> str:
    """Return what a host answers now, or an empty text when nothing answers."""
    return body(f"http://{host.ip}:{port}{path}")


def await_served(host: Host, version: str) -> None:
    """Wait until a host serves a version."""
    wait_until(
        lambda: served(host) == version,
        f"version {version!r} is served",
        seen=lambda: f"{served(host)!r} on {told_by(host)}",
    )


def told_by(host: Host) -> str:
    """Return the containers of a host and their logs, for the report of a failed test."""
    lines = [host.name, host.docker("ps", "-a", "--no-trunc").stdout]
    for name in containers(host):
        said = host.docker("logs", "--tail", "20", name, check=False)
        lines.append(f"{name}:\n{said.stdout}{said.stderr}")
    return "\n".join(lines)


def await_log(step: RunningStep, words: str) -> None:
    """Wait until a step has printed something."""
    wait_until(
        lambda: words in step.log() or step.process.poll() is not None,
        f"the step has printed {words!r}",
        seen=step.log,
    )
    assert words in step.log(), step.log()


def containers(host: Host) -> dict[str, str]:
    """Return the containers of a host and their states."""
    lines = host.docker("ps", "-a", "--format", "{{.Names}} {{.State}}").stdout.splitlines()
    return dict(sorted(line.split(" ", 1) for line in lines))


# Says that `prune_once_before` has pruned.
PRUNED = "/tmp/pruned"


def prune_once_before(host: Host, command: str, what: str = "system prune -af") -> None:
    """Prune everything, as a cron job does, just before a command of Docker that begins so.

    A test ends this with `unwrap_docker`, and removes the file PRUNED.
    """
    prune = f"{DOCKER}/bin/docker {what} >&2"
    once = f"[ -e {PRUNED} ] || {{ : >{PRUNED}; {prune}; }}"
    host.wrap_docker(f'case "$*" in "{command}"*) {once} ;; esac')


# A step may end before its session on the host. The session then still sends commands to the proxy
# and Docker, and would disturb the next test. Each part of it holds the lock while it lives.
CLEAN = """\
for lock in "$1"/.gen-workflow/*/lock; do
  [ ! -e "$lock" ] || flock --wait 60 "$lock" true
done
"$2" ps -aq | xargs -r "$2" rm -fv
"$2" volume prune -af
"$2" network prune -f
rm -rf "$1/.gen-workflow"
"""


def clean(host: Host) -> None:
    """Remove everything that deploys left on a host, when the last of them has ended."""
    host.run("sh", "-ec", CLEAN, "-", f"/home/{host.user}", f"{DOCKER}/bin/docker")

"""The scripts under real shells, with a stand-in for Docker that can be slow at any command."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from ship import remote_script
from ship.remote_script import Phase

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = [pytest.param(("dash",), id="dash"), pytest.param(("bash",), id="bash")]
SHELLS += [pytest.param(("busybox", "sh"), id="busybox")]
# Containers are files that hold `running` or `stopped`.
DOCKER = """#!/bin/sh
cd {folder}
echo "$*" >>calls
case "$*" in "$(cat slow)"*) echo never >slow; : >reached; sleep 1 ;; esac
case "$1 $2" in
  'container inspect')
    for last; do :; done
    [ -e "box/$last" ] || exit 1
    case "$*" in
      *Running*) [ "$(cat "box/$last")" = running ] && echo true || echo false ;;
      *RestartCount*) echo "$(cat "box/$last" | sed 's/stopped/exited/') 0 healthy" ;;
      *Config.Image*) echo image ;;
    esac ;;
  'create '*) echo stopped >box/app.next ;;
  'start '*) [ -e "box/$2" ] && echo running >"box/$2" ;;
  'stop '*) echo stopped >"box/$4" ;;
  'rename '*) mv "box/$2" "box/$3" ;;
  'rm '*) for last; do :; done; rm -f "box/$last" ;;
esac
"""
PARAMETERS = {
    "NAME": "app",
    "IMAGE": "image",
    "HEALTH_PATH": "",
    "HEALTH_TIMEOUT": "5",
    "FLAGS": "",
    "PUBLISH": "",
    "RESTART": "no",
    "STOP_TIMEOUT": "1",
    "ADDRESS": "127.0.0.1",
    "HEALTH_HOST_PORT": "",
}
SWITCH = Phase("switch", "", "", PARAMETERS)
# What the switch tells Docker to do, in order; it is cut off in the middle of each.
STEPS = ["create", "stop", "start app.next", "container inspect --format {{.State.Status}}"]


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "box").mkdir()
        (folder / "slow").write_text("never")
        (folder / "docker").write_text(DOCKER.format(folder=folder))
        (folder / "docker").chmod(0o755)
        (folder / "box" / "app").write_text("running\n")

    @property
    def boxes(self) -> dict[str, str]:
        return {p.name: p.read_text().strip() for p in sorted((self.folder / "box").iterdir())}

    def start(self, shell: tuple[str, ...]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            (*shell, "-s"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": f"{self.folder}:/usr/bin:/bin"},
            start_new_session=True,
        )
        assert process.stdin
        process.stdin.write(remote_script.text(SWITCH, "m").reveal().encode())
        process.stdin.flush()
        return process


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_switch_ends_with_the_new_one_under_the_name(
    machine: Machine, shell: tuple[str, ...]
) -> None:
    process = machine.start(shell)
    assert process.stdout
    assert process.stdout.read().decode().splitlines()[-1] == "m end 0"
    process.communicate(timeout=5)
    assert machine.boxes == {"app": "running", "app.previous": "stopped"}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_client_that_dies_in_the_middle_leaves_the_old_one_running(
    machine: Machine, shell: tuple[str, ...], step: str
) -> None:
    (machine.folder / "slow").write_text(step)
    process = machine.start(shell)
    deadline = time.monotonic() + 10
    while not (machine.folder / "reached").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # A dead client reads nothing any more: each word to it is a signal for the script.
    for pipe in (process.stdout, process.stderr, process.stdin):
        assert pipe
        pipe.close()
    assert process.wait(timeout=15) == 143
    assert machine.boxes == {"app": "running"}


@pytest.mark.parametrize("shell", SHELLS)
def test_names_are_set_right_even_when_the_client_dies_meanwhile(
    machine: Machine, shell: tuple[str, ...]
) -> None:
    (machine.folder / "slow").write_text("rename app app.previous")
    process = machine.start(shell)
    while not (machine.folder / "reached").exists():
        time.sleep(0.01)
    for pipe in (process.stdout, process.stderr, process.stdin):
        assert pipe
        pipe.close()
    process.wait(timeout=30)
    assert machine.boxes == {"app": "running", "app.previous": "stopped"}

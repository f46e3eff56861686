"""What a deploy takes beside its work: how often it starts the client of Docker, and its waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from script_host import ACME, COMMON, PHASES, PROGRAM, WANTED, ScriptHost
from ship.ssh_deploy.run.plan import plan_run
from ship.ssh_deploy.run.ports import Port

if TYPE_CHECKING:
    from pathlib import Path

# Each start takes 30 to 60 ms on a small host. Of these, 14 are the work: the pull, the candidate,
# the switch, what starts with the host, and the names. The others look at what is there.
MOST_CALLS = 34
WITH_A_PATH = WANTED._replace(ports=(Port("", "80", "8080", "tcp"),), health="/up")


@pytest.fixture
def script_host(tmp_path: Path) -> ScriptHost:
    host = ScriptHost(tmp_path)
    host.make("repository", "Acme/App")
    curl = tmp_path / "bin" / "curl"
    curl.write_text("#!/bin/sh\nprintf 200\n")
    curl.chmod(0o755)
    host.functions = f'sleep() {{ echo "$1" >>{tmp_path}/slept; command sleep "$1"; }}\n'
    return host


def test_a_deploy_starts_dockers_client_no_more_often_than_it_has_to(
    script_host: ScriptHost,
) -> None:
    facts = script_host.run(*PHASES, program=plan_run(COMMON, WITH_A_PATH, ACME))
    assert "committed yes" in facts
    # A format may have several lines.
    calls = [line for line in script_host.calls if not line.startswith("=")]
    assert len(calls) <= MOST_CALLS, "\n".join(calls)


def test_a_deploy_that_goes_well_waits_no_whole_second(script_host: ScriptHost) -> None:
    assert "committed yes" in script_host.run(*PHASES, program=plan_run(COMMON, WITH_A_PATH, ACME))
    slept = (script_host.folder / "slept").read_text().split()
    assert slept
    assert max(map(float, slept)) < 1


@pytest.mark.parametrize(("config", "asked"), [('{"currentContext": "far"}', 1), ("{}", 0)])
def test_the_context_of_docker_is_asked_for_when_the_configuration_names_one(
    script_host: ScriptHost, config: str, asked: int
) -> None:
    folder = script_host.folder / "home" / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(config)
    assert "committed yes" in script_host.run(*PHASES, program=PROGRAM)
    assert script_host.calls.count("context show") == asked

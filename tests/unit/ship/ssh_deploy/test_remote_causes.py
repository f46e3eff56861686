"""What Docker and an app say when a deploy fails, and the cause that the host reports."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from script_host import ACME, COMMON, DASH_FIRST, PHASES, PROGRAM, WANTED, ScriptHost
from ship.runner.command import Secret
from ship.ssh_deploy.run.plan import plan_run
from ship.ssh_deploy.run.ports import Port

if TYPE_CHECKING:
    from pathlib import Path

    from ship.ssh_deploy.run.inputs import RunForm

PORTS = (Port("", "80", "8080", "tcp"),)
WARNING = (
    "WARNING: Error loading config file: open /home/deploy/.docker/config.json: permission denied"
)
DOWN = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?"
DENIED = "error from registry: denied"


@pytest.fixture(params=DASH_FIRST)
def script_host(request: pytest.FixtureRequest, tmp_path: Path) -> ScriptHost:
    return ScriptHost(tmp_path, request.param)


def let_docker_fail(host: ScriptHost, command: str, words: str, code: int = 1) -> None:
    """Let a command of Docker print words to its standard error, and end so."""
    docker = host.folder / "bin" / "docker"
    docker.rename(docker.with_name("docker-as-before"))
    (host.folder / "words").write_text(f"{words}\n")
    text = f"""#!/bin/sh
case "$*" in
  {shlex.quote(command)}*) cat {host.folder}/words >&2; [ {code} = 0 ] || exit {code} ;;
esac
exec docker-as-before "$@"
"""
    docker.write_text(text)
    docker.chmod(0o755)


def let_curl_say(host: ScriptHost, text: str) -> None:
    curl = host.folder / "bin" / "curl"
    curl.write_text(f"#!/bin/sh\nprintf '{text}'\n")
    curl.chmod(0o755)


def test_a_login_of_the_host_that_is_refused_is_told_as_that(script_host: ScriptHost) -> None:
    folder = script_host.folder / "home" / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text('{"auths": {"ghcr.io": {}}}')
    let_docker_fail(script_host, "pull", DENIED)
    wanted = WANTED._replace(login=WANTED.login._replace(host_first=True))
    facts = script_host.run(*PHASES, program=plan_run(COMMON, wanted, ACME))
    assert "failure pull-denied-to-host" in facts, facts
    assert f"detail ghcr.io: {DENIED}" in facts


@pytest.mark.parametrize(
    ("command", "words", "code", "detail"),
    [
        ("version", f"{WARNING}\n{DOWN}", "docker-down", DOWN),
        (
            "version",
            f"{WARNING}\npermission denied while trying to connect to the Docker daemon socket",
            "docker-denied",
            "permission denied while trying to connect to the Docker daemon socket",
        ),
        ("pull", f"{WARNING}\nunexpected EOF", "pull", "unexpected EOF"),
        # The login that the registry misses is in the configuration that cannot be read.
        ("pull", f"{WARNING}\n{DENIED}", "docker-config", f"{WARNING} {DENIED}"),
        ("pull", DENIED, "pull-denied", DENIED),
        (
            "pull",
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            "no-platform",
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
        ),
        # The words of the containerd store, which hold `not found`.
        (
            "pull",
            "no match for platform in manifest sha256:0123: not found",
            "no-platform",
            "no match for platform in manifest sha256:0123: not found",
        ),
        (
            "start app.candidate",
            'exec: "/app": exec format error: unknown',
            "exec-format",
            'exec: "/app": exec format error: unknown',
        ),
        (
            "create",
            "dash: 1: docker: Argument list too long",
            "too-long",
            "dash: 1: docker: Argument list too long",
        ),
    ],
)
def test_the_words_of_docker_give_the_cause(
    script_host: ScriptHost, command: str, words: str, code: str, detail: str
) -> None:
    let_docker_fail(script_host, command, words)
    facts = script_host.run(*PHASES)
    assert f"failure {code}" in facts, facts
    assert f"detail {detail}" in [fact.strip() for fact in facts]
    assert script_host.boxes == {"app": "running"}


def test_a_configuration_that_cannot_be_read_stops_no_deploy(script_host: ScriptHost) -> None:
    let_docker_fail(script_host, "", WARNING, code=0)
    facts = script_host.run(*PHASES)
    assert "committed yes" in facts, facts


@pytest.mark.parametrize(
    "wanted",
    [WANTED._replace(health="/up", ports=PORTS), WANTED._replace(health_command="true")],
)
def test_a_path_or_a_command_decides_and_not_the_healthcheck(
    script_host: ScriptHost, wanted: RunForm
) -> None:
    script_host.make("health", "unhealthy")
    let_curl_say(script_host, "200")
    facts = script_host.run(*PHASES, program=plan_run(COMMON, wanted, ACME))
    assert "committed yes" in facts, facts


def test_without_both_the_healthcheck_decides(script_host: ScriptHost) -> None:
    script_host.make("health", "unhealthy")
    facts = script_host.run(*PHASES)
    assert "detail its HEALTHCHECK says unhealthy" in facts, facts


def test_a_variable_that_is_too_long_for_linux_is_named_by_the_host(
    script_host: ScriptHost,
) -> None:
    program = PROGRAM._replace(environment={"LONG": Secret("x" * 128 * 1024)})
    facts = script_host.run(*PHASES, program=program)
    assert "failure too-long" in facts, facts

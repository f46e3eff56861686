"""Which builder is used, and the names of engines that buildx cannot use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles import Log, ScriptedRunner
from ship.build_push.buildx import output
from ship.build_push.buildx.builder import Choice, choose, not_made
from ship.runner.process import Finished
from ship.runner.step import Step
from unit.ship.build_push.given import context, read

if TYPE_CHECKING:
    from pathlib import Path

ATTACHED = Choice(reasons=("provenance", "several platforms"))
IMAGE = "Error response from daemon: no such image: docker.io/moby/buildkit:buildx-stable-1"


# What podman 4.3 and Docker's client 28 with buildx 0.13 and 0.29 print.
@pytest.mark.parametrize(
    ("said", "reported", "next_act"),
    [
        ("Error: unknown flag: --metadata-file\nSee 'podman buildx build --help'",
         "the command `docker` of this runner is Podman", "remove podman-docker"),
        (("Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.\nError: "
          "unknown flag: --name\nSee 'podman buildx --help'"), "is Podman", "podman-docker"),
        ("Error: unrecognized command `podman buildx inspect`\nTry 'podman buildx --help'",
         "is Podman", "Docker Engine"),
        (('Error: template: info:1:7: executing "info" at <.DriverStatus>: can\'t evaluate field '
          "DriverStatus in type *define.Info"), "is Podman", "Docker Engine"),
        (('#0 building with "default" instance using docker-container driver\n\n'
          f"#1 [internal] booting buildkit\n#1 ERROR: {IMAGE}\nERROR: {IMAGE}"),
         f"as Podman has none, and buildx could not start one in a container: {IMAGE}",
         "DOCKER_HOST"),
        (("ERROR: could not create a builder instance with TLS data loaded from environment. "
          "Please use `docker context create <context-name>` to create a context"),
         "over TLS with certificates that variables name", "`endpoint: engine`"),
        ("ERROR: open /certs/client/ca.pem: no such file or directory",
         "cannot be read: /certs/client/ca.pem (no such file or directory)", "DOCKER_CERT_PATH"),
        (("Failed to initialize: unable to resolve docker endpoint: open /certs/client/ca.pem: no "
          "such file or directory"), "/certs/client/ca.pem", "a volume of both"),
        (('error during connect: Get "https://localhost:2376/v1.50/info": tls: failed to verify '
          "certificate: x509: certificate is valid for docker, not localhost"),
         ("do not agree on TLS: tls: failed to verify certificate: x509: certificate is valid for "
         "docker, not localhost"), "must name the host"),
        (('error during connect: Get "https://localhost:2375/v1.50/info": http: server gave HTTP '
          "response to HTTPS client"), "do not agree on TLS: HTTP response", "port 2375"),
        ("Error response from daemon: Client sent an HTTP request to an HTTPS server.",
         "do not agree on TLS: HTTP request to an HTTPS server", "port 2376"),
    ],
)  # fmt: skip
def test_an_engine_that_does_not_fit_is_named(said: str, reported: str, next_act: str) -> None:
    [problem] = output.failed(Finished(1, "", said)).problems
    assert reported in problem.what
    assert next_act in problem.hint
    assert "\n" not in problem.what


@pytest.mark.parametrize(
    ("said", "reported"),
    [
        ("ERROR: could not create a builder instance with TLS data loaded from environment.",
         "makes no builder from variables. A builder is needed for provenance, several platforms"),
        ("Error: unknown flag: --name\nSee 'podman buildx --help'",
         "has no buildx. A builder is needed for provenance"),
        ("#1 [internal] booting buildkit\nERROR: toomanyrequests: You have reached your limit",
         "no builder could be started for provenance, several platforms: toomanyrequests"),
    ],
)  # fmt: skip
def test_a_builder_that_cannot_be_made_says_what_needs_it(said: str, reported: str) -> None:
    [problem] = not_made(Finished(1, "", said), ATTACHED).problems
    assert reported in problem.what


@pytest.mark.parametrize(
    "said",
    [
        'ERROR: process "open key.pem: no such file" did not complete successfully: exit code: 1',
        "ERROR: failed to solve: x/y:1: tls: failed to verify certificate: x509: unknown authority",
    ],
)
def test_what_a_build_or_a_registry_says_of_tls_is_not_about_the_engine(said: str) -> None:
    [problem] = output.failed(Finished(1, "", said)).problems
    assert "engine" not in problem.what


INSPECTED = "Name: mine\nDriver: {0}\n\nNodes:\n"


@pytest.mark.parametrize(
    ("given", "said", "driver"),
    [
        ({}, [], "docker"),
        ({"builder": "mine"}, [INSPECTED.format("remote")], "remote"),
        ({"builder": "mine"}, [INSPECTED.format("docker")], "docker"),
        ({"builder": "tcp://b:1"}, [], "remote"),
        ({"provenance": "true"}, ["[]"], "docker-container"),
        ({"provenance": "true"}, ['[["driver-type","io.containerd.snapshotter.v1"]]'], "docker"),
    ],
)
def test_the_driver_of_the_builder_is_known_where_nothing_is_pushed(
    workspace: Path, tmp_path: Path, given: dict[str, str], said: list[str], driver: str
) -> None:
    runner = ScriptedRunner(*(Finished(0, each, "") for each in said))
    step = Step({}, context(workspace), lambda: runner, Log(tmp_path).workflow)
    assert choose(read(workspace, push="false", **given), str(tmp_path), step).driver == driver


def test_the_builder_of_a_step_before_is_asked_for_its_driver(
    workspace: Path, tmp_path: Path
) -> None:
    runner = ScriptedRunner(Finished(0, INSPECTED.format("docker-container"), ""))
    step = Step({"BUILDX_BUILDER": "b"}, context(workspace), lambda: runner, Log(tmp_path).workflow)
    assert choose(read(workspace), str(tmp_path), step) == Choice(), "it pushes without an answer"
    assert not runner.ran
    chosen = choose(read(workspace, push="false"), str(tmp_path), step)
    assert chosen == Choice(driver="docker-container")

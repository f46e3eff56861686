"""Engines that buildx cannot use, or can make no builder on: they are called by their name."""

from __future__ import annotations

import pytest

from ship.build_push.buildx import output
from ship.build_push.buildx.builder import Choice, not_made
from ship.runner.process import Finished

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
         f"has no BuildKit, which is so with Podman, and buildx could not start one in a container: {IMAGE}",
         "DOCKER_HOST"),
        (("ERROR: could not create a builder instance with TLS data loaded from environment. Please "
          "use `docker context create <context-name>` to create a context for current environment"),
         "over TLS with certificates that variables name", "`endpoint: engine`"),
        ("ERROR: open /certs/client/ca.pem: no such file or directory",
         "cannot be read: /certs/client/ca.pem (no such file or directory)", "DOCKER_CERT_PATH"),
        (("Failed to initialize: unable to resolve docker endpoint: open /certs/client/ca.pem: no "
          "such file or directory"), "/certs/client/ca.pem", "a volume of both"),
        (('error during connect: Get "https://localhost:2376/v1.50/info": tls: failed to verify '
          "certificate: x509: certificate is valid for docker, not localhost"),
         "do not agree on TLS: tls: failed to verify certificate: x509: certificate is valid for "
         "docker, not localhost", "must name the host"),
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
         "no builder could be started: ERROR: toomanyrequests"),
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

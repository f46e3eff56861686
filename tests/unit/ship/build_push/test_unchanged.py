from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles import Answers, HttpRegistry, Log, ScriptedRunner
from ship.build_push.content.unchanged import Search
from ship.build_push.facts import Found
from ship.build_push.inputs import read_inputs
from ship.images.reference import DIGEST
from ship.images.registry.client import Client
from ship.runner.context import Context
from ship.runner.errors import UserError
from ship.runner.step import Step

if TYPE_CHECKING:
    from pathlib import Path

THERE = "sha256:" + "a" * 64
BASE = "sha256:" + "b" * 64
ANSWERS: Answers = {
    "HEAD /v2/acme/base/manifests/1": [(200, {"Docker-Content-Digest": BASE}, "")],
    "HEAD /v2/acme/latest/manifests/latest": [(200, {"Docker-Content-Digest": BASE}, "")],
    "HEAD /v2/acme/app/manifests/content-": [(200, {"Docker-Content-Digest": THERE}, "")],
    "GET /v2/": [(200, {}, "")],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return folder


def look(
    workspace: Path, env: dict[str, str] | None = None, **inputs: str
) -> tuple[Found, str, list[str]]:
    """Return what was found, the log, and what the registry was asked."""
    log = Log(workspace.parent)
    with HttpRegistry(ANSWERS) as server:
        dockerfile = workspace / "Dockerfile"
        dockerfile.write_text(dockerfile.read_text().replace("REGISTRY", server.address))
        given = {"image": f"{server.address}/acme/app", "push": "false", "skip-unchanged": "true"}
        given |= {name.replace("_", "-"): value.replace("REGISTRY", server.address)
                  for name, value in inputs.items()}  # fmt: skip
        variables = {f"INPUT_{n.upper().replace('-', '_')}": value for n, value in given.items()}
        variables |= {"RUNNER_ARCH": "X64", **(env or {})}
        context = Context(repository="Acme/App", workspace=str(workspace))
        step = Step(variables, context, ScriptedRunner, log.workflow)
        want = read_inputs(variables, context)
        with Client(lambda _: None, {}, back_off=()) as client:
            found = Search(want, client, step).found()[want.images[0].key]
    return found, log.text, server.asked


def address(workspace: Path, env: dict[str, str] | None = None, **inputs: str) -> str:
    return look(workspace, env, **inputs)[0].address


def test_what_is_there_is_found(workspace: Path) -> None:
    found, log, _ = look(workspace)
    assert found.digest == THERE
    assert found.address.startswith("content-")
    assert DIGEST.fullmatch(found.digest)
    assert "files: 1 with" in log


def test_the_digest_of_a_base_image_is_asked_for_once(workspace: Path) -> None:
    dockerfile = "FROM REGISTRY/acme/base:1 AS a\nFROM REGISTRY/acme/base:1\nCOPY --from=a / /\n"
    (workspace / "Dockerfile").write_text(dockerfile)
    found, log, asked = look(workspace)
    assert found.digest == THERE
    assert f"acme/base:1: {BASE}" in log
    assert asked.count("HEAD /v2/acme/base/manifests/1") == 1


def test_two_spellings_of_a_base_image_are_asked_for_once_and_pinned(workspace: Path) -> None:
    (workspace / "Dockerfile").write_text(
        "FROM REGISTRY/acme/base:1 AS a\nFROM REGISTRY/acme/latest\n"
        "COPY --from=a / /\nCOPY --from=REGISTRY/acme/latest:latest / /\n"
    )
    found, log, asked = look(workspace)
    [named, latest] = found.contexts
    assert (named.partition("/")[2], latest.partition("/")[2]) == ("acme/base:1", "acme/latest")
    assert found.contexts[named] == f"docker-image://{named}@{BASE}"
    assert asked.count("HEAD /v2/acme/latest/manifests/latest") == 1
    assert f"for at most 15 s: {named}, {latest}:latest\n" in log


def test_a_build_context_that_is_an_image_is_pinned(workspace: Path) -> None:
    with_tools = (workspace / "Dockerfile").read_text() + "COPY --from=tools / /\n"
    (workspace / "Dockerfile").write_text(with_tools)
    found, _, _ = look(workspace, build_contexts="tools=docker-image://REGISTRY/acme/base:1")
    assert found.contexts["tools"].endswith(f"/acme/base:1@{BASE}")


def test_an_image_that_shall_be_built_anyway_is_addressed_and_not_looked_for(
    workspace: Path,
) -> None:
    found, _, asked = look(workspace, no_cache="true")
    assert (bool(found.address), found.digest) == (True, "")
    assert not [each for each in asked if "content-" in each]


@pytest.mark.parametrize(
    ("dockerfile", "ignored", "env", "inputs", "doubt"),
    [
        pytest.param("FROM REGISTRY/acme/none:1\n", "", {}, {}, "no registry returned", id="base"),
        pytest.param("FROM REGISTRY/acme/no:1\n", "", {}, {}, "has no such image)", id="why"),
        pytest.param(
            "# syntax=REGISTRY/docker/dockerfile:1.2\nFROM scratch\n", "", {}, {},
            "write `# syntax=docker/dockerfile:1`", id="old frontend",
        ),
        pytest.param("FROM $X\n", "", {}, {}, "line 1 of the Dockerfile", id="variable"),
        pytest.param(
            "FROM scratch\nADD https://example.com/x /\n", "", {}, {}, "line 2", id="download"
        ),
        pytest.param("FROM scratch\n", "a|b*\n", {}, {}, "is not supported", id="pattern"),
        pytest.param(
            "FROM scratch\n", "", {"EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": "p"}, {},
            "may replace the images", id="policy",
        ),
        pytest.param(
            "FROM REGISTRY/acme/base:$TARGETARCH\n", "", {}, {"builder": "far"},
            "TARGETARCH is not known before the build", id="builder",
        ),
        pytest.param(
            "FROM scratch\n", "", {}, {"build_contexts": "x=https://example.com/x.git"},
            "no registry returned a digest for x", id="remote context",
        ),
    ],
)  # fmt: skip
def test_in_doubt_an_image_is_built_and_has_no_address(  # noqa: PLR0917 - the table's columns
    workspace: Path,
    dockerfile: str,
    ignored: str,
    env: dict[str, str],
    inputs: dict[str, str],
    doubt: str,
) -> None:
    (workspace / "Dockerfile").write_text(dockerfile)
    (workspace / ".dockerignore").write_text(ignored)
    found, log, _ = look(workspace, env, **inputs)
    assert found == Found()
    assert "::notice::app is built, because it may have changed: " in log
    assert doubt in log


def test_paths_that_match_nothing_are_an_error(workspace: Path) -> None:
    with pytest.raises(UserError, match="matches nothing"):
        look(workspace, paths="src")


def test_the_platform_counts_however_it_is_given(workspace: Path) -> None:
    reported = [
        address(workspace),
        address(workspace, {"RUNNER_ARCH": "ARM64"}),
        address(workspace, builder="far"),
        address(workspace, {"DOCKER_DEFAULT_PLATFORM": "linux/riscv64"}),
    ]
    assert len(set(reported)) == len(reported)
    assert address(workspace, platforms="linux/amd64") == reported[0]
    assert address(workspace, platforms="linux/arm64", builder="far") == reported[1]


def test_the_name_and_the_builder_of_an_image_do_not_change_the_address(workspace: Path) -> None:
    assert address(workspace, tags="x\ny", cache="auto", pull="true") == address(workspace)


def test_secrets_count_by_their_names(workspace: Path) -> None:
    first = address(workspace, secrets="A=one")
    assert address(workspace, secrets="A=two") == first
    assert address(workspace, secrets="B=one") != first

"""Builders, caches, platforms and what is attached to an image, on real BuildKits."""

from __future__ import annotations

import re
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from bed.deploys import await_log
from bed.shop import Shop
from bed.step import BUILDS, Run, StepResult, run_action, start_action
from bed.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Builder, HtpasswdRegistry, Registry, Runner

pytestmark = pytest.mark.needs("packages", "engine", "buildkit")

REPOSITORY = "Acme/Builders"
PATH = "acme/builders"
# Asserted where a builder is made, so it is the right word where none is.
OWN_BUILDER = "The action starts a new builder for"
REGISTRY_CACHE = f"{OWN_BUILDER} the registry cache."
DESCRIPTION = "Sells things to people"
EVENT = {
    "repository": {"full_name": REPOSITORY, "description": DESCRIPTION, "default_branch": "main"},
    "head_commit": {"id": Run().sha, "timestamp": "2026-11-20T10:11:12Z"},
}
PULL_REQUEST = {"pull_request": {"head": {"repo": {"full_name": REPOSITORY}}}}
# Writes the one file that BuildKit asks a scanner for; see its docs/attestations/sbom-protocol.md.
SCANNER = """\
FROM scratch
COPY busybox /bin/busybox
COPY scan /bin/scan
ENTRYPOINT ["/bin/busybox", "sh", "/bin/scan"]
"""
# The head of a program for a processor that nothing here emulates (IBM's s390x).
FOREIGN = b"\x7fELF\x02\x02\x01" + bytes(9) + b"\x00\x02\x00\x16" + bytes(44)
# Docker's client, for which the clock of the engine is a day ahead.
TOMORROW = """\
#!/bin/sh
PATH=${PATH#*:}
[ "$1 $3" != "info {{.SystemTime}}" ] || exec date --utc --date tomorrow +%FT%TZ
exec docker "$@"
"""
# Docker's client, as in a job whose runner has an engine over TLS.
OVER_TLS = """\
#!/bin/sh
PATH=${PATH#*:}
export DOCKER_HOST=tcp://127.0.0.1:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$CERTS"
exec docker "$@"
"""
# An authority, and a certificate of it that is good for both ends.
CERTIFICATES = """\
mkdir "$1" && cd "$1"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem
openssl req -newkey rsa:2048 -nodes -subj /CN=engine -keyout key.pem -out engine.csr
echo 'subjectAltName=IP:127.0.0.1' >names
openssl x509 -req -days 2 -in engine.csr -CA ca.pem -CAkey ca.key -extfile names -out cert.pem
"""
SCAN = """\
echo '{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
"predicate": {"spdxVersion": "SPDX-2.3", "name": "scanned"}}' \
>"$BUILDKIT_SCAN_DESTINATION/scan.spdx.json"
"""


@pytest.fixture(autouse=True)
def rights(registry: Registry) -> Iterator[None]:
    # BuildKit asks for the right to read where it knows that a layer is, as in other tests' images.
    owned = (f"{PATH}:pull,push", f"{PATH}/*:pull,push")
    registry.allow(Run().token, *owned, "acme/*:pull")
    registry.allow("", f"{PATH}:pull")
    yield
    registry.revoke(Run().token)
    registry.revoke("")


@pytest.fixture
def workspace(bed: Bed, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = bed.work / f"builders-{abs(hash(request.node.name))}"
    Shop.write_context(folder)
    (folder / "serve").write_text(f"# {request.node.name} {time.time_ns()}\n")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def own(runner: Runner) -> Runner:
    """A runner on which buildx can make a builder in a container."""
    runner.add_buildkit_image()
    return runner


# The home whose Docker configuration a step before has changed.
ROOT = "/root"


def build(on: Runner, workspace: Path, home: str = "", **inputs: str) -> StepResult:
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    run = Run(repository=REPOSITORY, event=EVENT)
    return run_action("build-push", given, workspace=workspace, run=run, env=own_home(home), on=on)


def check(on: Runner, workspace: Path, home: str = "", **inputs: str) -> StepResult:
    """Build for a pull request."""
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    run = Run(
        repository=REPOSITORY, event_name="pull_request", ref="refs/pull/7/merge",
        event=PULL_REQUEST,
    )  # fmt: skip
    return run_action("build-push", given, workspace=workspace, run=run, env=own_home(home), on=on)


def own_home(home: str) -> dict[str, str]:
    return {"HOME": home} if home else {}


def leftovers(on: Runner) -> str:
    """Return what a builder of ours would leave: its name, its container, its volume, its file."""
    return "".join(
        on.run("sh", "-c", command, check=False).stdout
        for command in (
            "docker buildx ls | grep ship-",
            "docker ps -a --format '{{.Names}}' | grep buildkit",
            "docker volume ls -q | grep buildkit",
            "find /root/.docker /tmp -name 'ship-*' 2>/dev/null",
        )
    )


def manifests(registry: Registry, reference: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = registry.manifest(PATH, reference)["manifests"]
    return found


# Several platforms


@pytest.mark.needs("packages", "engine", "buildkit", "qemu")
def test_two_platforms_make_an_index_of_two_and_leave_no_builder(
    own: Runner, registry: Registry, workspace: Path, arm64_busybox: Path
) -> None:
    shutil.copy("/bin/busybox", workspace / "busybox-amd64")
    shutil.copy(arm64_busybox, workspace / "busybox-arm64")
    (workspace / "Dockerfile").write_text(
        "FROM scratch\nARG TARGETARCH\nCOPY busybox-$TARGETARCH /bin/busybox\n"
        'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox uname -m >/machine"]\n'
    )
    step = build(own, workspace, platforms="linux/amd64,linux/arm64")
    assert step.code == 0, step.log
    assert f"{OWN_BUILDER} several platforms." in step.log
    found = manifests(registry, step.outputs["digest"])
    assert [each["platform"]["architecture"] for each in found] == ["amd64", "arm64"]
    index = registry.manifest(PATH, step.outputs["digest"])
    assert index["annotations"]["org.opencontainers.image.description"] == DESCRIPTION
    assert registry.digest(PATH, "main") == step.outputs["digest"]
    assert "| linux/amd64, linux/arm64 |" in step.summary
    assert leftovers(own) == ""
    said = own.docker(
        "run", "--rm", "--platform=linux/arm64", step.outputs["image"],
        "/bin/busybox", "cat", "/machine",
    )  # fmt: skip
    assert said.stdout.strip() == "aarch64"


def test_platforms_that_were_pushed_by_digest_are_merged_into_one_image(
    own: Runner, registry: Registry, workspace: Path
) -> None:
    (workspace / "Dockerfile").write_text("FROM scratch\nARG TARGETARCH\nCOPY serve /$TARGETARCH\n")
    given = {"skip_unchanged": "true", "provenance": "max"}

    def merged(**changes: str) -> tuple[StepResult, list[StepResult]]:
        steps = [
            build(own, workspace, platforms=f"linux/{name}", push_by_digest="true", **changes)
            for name in ("amd64", "arm64")
        ]
        assert [step.code for step in steps] == [0, 0], steps[0].log + steps[1].log
        images = [step.outputs["image"] for step in steps]
        lines = f"linux/amd64={images[0]}\nlinux/arm64={images[1]}\n"
        return build(own, workspace, merge=lines, **changes), steps

    first, parts = merged()
    assert first.code == 0, first.log
    assert f"{OWN_BUILDER} a push without a tag." in parts[0].log
    assert BUILDS not in first.log
    found = manifests(registry, first.outputs["digest"])
    assert [each["platform"]["architecture"] for each in found] == ["amd64", "arm64"]
    assert [each["digest"] for each in found] == [step.outputs["digest"] for step in parts]
    index = registry.manifest(PATH, first.outputs["digest"])
    assert index["annotations"]["org.opencontainers.image.description"] == DESCRIPTION
    assert registry.digest(PATH, "main") == first.outputs["digest"]
    assert "| linux/amd64, linux/arm64 |" in first.summary

    second, _ = merged(**given)
    assert second.code == 0, second.log
    kinds = [each["platform"]["architecture"] for each in manifests(registry, "main")]
    assert sorted(kinds) == ["amd64", "arm64", "unknown", "unknown"], "with what is attached"
    third, parts = merged(**given)
    assert [step.outputs["built"] for step in (*parts, third)] == ["false"] * 3
    assert third.outputs["digest"] == second.outputs["digest"]
    assert leftovers(own) == ""


def test_a_platform_that_cannot_run_is_named_as_the_cause(own: Runner, workspace: Path) -> None:
    (workspace / "foreign").write_bytes(FOREIGN)
    (workspace / "foreign").chmod(0o755)
    (workspace / "Dockerfile").write_text('FROM scratch\nCOPY foreign /\nRUN ["/foreign"]\n')
    step = check(own, workspace, platforms="linux/s390x,linux/amd64")
    assert step.code == 1
    assert "cannot run programs of another platform" in step.errors[0]
    assert "setup-qemu-action" in step.errors[0]
    assert leftovers(own) == ""


# What is attached


def test_provenance_and_sbom_are_attached_when_asked_for(
    own: Runner, registry: Registry, workspace: Path, bed: Bed
) -> None:
    scanner = bed.work / "scanner"
    Shop.write_context(scanner)
    (scanner / "Dockerfile").write_text(SCANNER)
    (scanner / "scan").write_text(SCAN)
    made = build(own, scanner, image=f"ghcr.io/{PATH}/scanner", tags="1")
    assert made.code == 0, made.log
    step = build(own, workspace, provenance="max", sbom=made.outputs["image"])
    assert step.code == 0, step.log
    assert f"{OWN_BUILDER} provenance, an SBOM." in step.log
    image, attached = manifests(registry, step.outputs["digest"])
    assert image["platform"]["architecture"] == "amd64"
    assert attached["annotations"]["vnd.docker.reference.digest"] == image["digest"]
    layers = registry.manifest(PATH, attached["digest"])["layers"]
    kinds = {layer["annotations"]["in-toto.io/predicate-type"] for layer in layers}
    assert "https://spdx.dev/Document" in kinds
    assert any("slsa.dev/provenance" in kind for kind in kinds)


def test_a_scanner_that_cannot_be_pulled_is_named(own: Runner, workspace: Path) -> None:
    step = build(own, workspace, sbom=f"ghcr.io/{PATH}/no-scanner:1")
    assert step.code == 1
    assert f"there is no image ghcr.io/{PATH}/no-scanner:1" in step.errors[0]
    assert "`sbom`" in step.errors[0]
    assert leftovers(own) == ""


def test_an_engine_that_can_attach_by_itself_needs_no_builder(
    containerd_runner: Runner, registry: Registry, workspace: Path
) -> None:
    step = build(containerd_runner, workspace, provenance="true", annotations="team=shop")
    assert step.code == 0, step.log
    assert OWN_BUILDER not in step.log
    image, attached = manifests(registry, step.outputs["digest"])
    assert attached["platform"] == {"architecture": "unknown", "os": "unknown"}
    assert image["digest"] != step.outputs["digest"], "the digest is that of the index"
    assert registry.manifest(PATH, step.outputs["digest"])["annotations"]["team"] == "shop"


# The classic one is in test_build_push.py.
@pytest.mark.parametrize(
    "store", [pytest.param("classic", marks=pytest.mark.test_all), "containerd"]
)
def test_a_plain_image_stays_plain_on_every_engine(
    runner: Runner, containerd_runner: Runner, registry: Registry, workspace: Path, store: str
) -> None:
    step = build(containerd_runner if store == "containerd" else runner, workspace)
    assert step.code == 0, step.log
    assert "manifests" not in registry.manifest(PATH, step.outputs["digest"])
    assert OWN_BUILDER not in step.log


# The cache


def test_the_cache_of_the_registry_serves_a_builder_that_knows_nothing(
    own: Runner, registry: Registry, workspace: Path
) -> None:
    first = build(own, workspace, cache="auto")
    assert first.code == 0, first.log
    assert REGISTRY_CACHE in first.log
    assert "buildcache" in registry.tags(PATH)
    second = build(own, workspace, cache="auto")
    assert "2 of 2 steps" in second.summary
    assert second.outputs["digest"] == first.outputs["digest"]

    cached = registry.digest(PATH, "buildcache")
    (workspace / "serve").write_text("changed")
    registry.clear_requests()
    checked = check(own, workspace, cache="auto")
    assert checked.code == 0, checked.log
    assert [request for request in registry.requests() if request.method == "PUT"] == []
    assert registry.digest(PATH, "buildcache") == cached, "a pull request only reads it"
    assert leftovers(own) == ""


def test_each_image_has_a_cache_of_its_own(
    containerd_runner: Runner, registry: Registry, workspace: Path
) -> None:
    for name in ("api", "web"):
        (workspace / name).mkdir()
        (workspace / name / "Dockerfile").write_text(f"FROM scratch\nCOPY . /{name}\n")
    step = build(containerd_runner, workspace, images="api: api\nweb: web", cache="auto")
    assert step.code == 0, step.log
    assert OWN_BUILDER not in step.log
    for name in ("api", "web"):
        assert "buildcache" in registry.tags(f"{PATH}/{name}")


def test_a_cache_that_cannot_be_written_is_a_warning(
    containerd_runner: Runner, registry: Registry, workspace: Path
) -> None:
    registry.fault(f"PUT /v2/{PATH}/manifests/buildcache", status=403, code="DENIED")
    step = build(containerd_runner, workspace, cache="auto")
    assert step.code == 0, step.log
    assert "The cache of builders could not be written: " in step.log
    assert registry.digest(PATH, "main") == step.outputs["digest"]


def test_a_builder_that_cannot_be_had_costs_the_cache_and_not_the_build(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    given = {"cache": "auto", "builder_image": f"ghcr.io/{PATH}/no-buildkit:1"}
    step = build(runner, workspace, **given)
    assert step.code == 0, step.log
    assert "The build continues without the registry cache: no builder could be started" in step.log
    assert registry.digest(PATH, "main") == step.outputs["digest"]
    assert leftovers(runner) == ""


# The builder


def test_a_builder_that_cannot_be_had_is_an_error_where_it_is_needed(
    runner: Runner, workspace: Path
) -> None:
    given = {"platforms": "linux/amd64,linux/arm64", "cache": "auto"}
    step = build(runner, workspace, builder_image=f"ghcr.io/{PATH}/no-buildkit:1", **given)
    assert step.code == 1
    assert "no builder could be started" in step.errors[0]
    assert "name a mirror of moby/buildkit in `builder-image`" in step.errors[0]
    assert leftovers(runner) == ""


def test_a_buildkit_at_an_address_builds(
    runner: Runner, registry: Registry, workspace: Path, builder: Builder
) -> None:
    step = build(runner, workspace, builder=builder.endpoint, cache="auto")
    assert step.code == 0, step.log
    assert registry.digest(PATH, "main") == step.outputs["digest"]
    uploads = [r for r in registry.requests() if r.method == "PUT" and "/blobs/" in r.path]
    assert {request.user_agent.partition("/")[0] for request in uploads} == {"buildkit"}
    assert leftovers(runner) == ""


@pytest.mark.test_all
def test_an_address_with_no_buildkit_is_named(runner: Runner, workspace: Path) -> None:
    step = check(runner, workspace, builder="tcp://127.0.0.1:1")
    assert step.code == 2
    assert "input `builder`: there is no BuildKit at 'tcp://127.0.0.1:1'" in step.errors[0]
    assert leftovers(runner) == ""


def test_the_builder_of_a_step_before_is_used(
    own: Runner, registry: Registry, workspace: Path, builder: Builder
) -> None:
    create = ("docker", "buildx", "create", "--use", "--name", "mine", "--driver", "remote")
    own.run(*create, builder.endpoint)
    try:
        step = build(own, workspace, ROOT, cache="auto", provenance="true")
        named = check(own, workspace, ROOT, builder="mine")
        missing = check(own, workspace, ROOT, builder="nobody")
    finally:
        own.docker("buildx", "rm", "mine")
    assert step.code == 0, step.log
    assert OWN_BUILDER not in step.log
    assert len(manifests(registry, step.outputs["digest"])) == 2
    assert (named.code, missing.code) == (0, 1), named.log
    assert "buildx has no builder with this name" in missing.errors[0]


@pytest.mark.parametrize(
    "makes", [False, pytest.param(True, marks=pytest.mark.test_all)], ids=["engine", "builder"]
)
def test_what_was_tested_on_the_runner_is_what_is_pushed(
    own: Runner, registry: Registry, workspace: Path, builder: Builder, *, makes: bool
) -> None:
    """The recipe of the README: build, test, push."""
    if makes:
        create = ("docker", "buildx", "create", "--use", "--name", "mine", "--driver", "remote")
        own.run(*create, builder.endpoint)
    try:
        built = build(own, workspace, ROOT, push="false")
        image = f"ghcr.io/{PATH}:{built.outputs['tag']}"
        tested = own.docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", image)
        # It is in no registry, so this is the image of the engine.
        run = ("run", "--rm", "--entrypoint", "/bin/busybox", image, "cat", "/bin/serve")
        said = own.docker(*run).stdout
        pushed = build(own, workspace, ROOT)
    finally:
        if makes:
            own.docker("buildx", "rm", "mine")
    assert (built.code, pushed.code) == (0, 0), built.log + pushed.log
    assert said == (workspace / "serve").read_text()
    assert f"the engine of this runner has builders as ghcr.io/{PATH}:main, {image}" in built.log
    assert "| 2 of 2 steps |" in pushed.summary
    own.docker("image", "rm", "--force", image)
    own.docker("pull", "--quiet", pushed.outputs["image"])
    form = ("image", "inspect", "--format", "{{json .RootFS.Layers}}", pushed.outputs["image"])
    assert own.docker(*form).stdout == tested.stdout
    assert registry.digest(PATH, "main") == pushed.outputs["digest"]


@pytest.mark.test_all
def test_a_builder_that_a_killed_run_has_left_is_removed_by_the_next(
    own: Runner, workspace: Path
) -> None:
    dockerfile = workspace / "Dockerfile"
    before = dockerfile.read_text()
    dockerfile.write_text(before + 'RUN ["/bin/busybox", "sleep", "3600"]\n')
    given = {"provenance": "true", "push": "false"}
    run = Run(repository=REPOSITORY, event=EVENT)
    running = start_action("build-push", given, workspace=workspace, run=run, on=own)
    await_log(running, '"sleep", "3600"')
    running.signal(signal.SIGKILL)
    running.process.wait(PATIENCE_SECONDS)
    running.result()
    assert "buildkit_ship-" in leftovers(own)
    dockerfile.write_text(before)
    env = {"RUNNER_ENVIRONMENT": "self-hosted"}
    young = run_action("build-push", given, workspace=workspace, run=run, env=env, on=own)
    assert young.code == 0, young.log
    left = leftovers(own).split()
    assert [name for name in left if "buildkit_ship-" in name] == left, "another job may use it"
    own.write("/tmp/tomorrow/docker", TOMORROW, mode="755")
    path = own.run("sh", "-c", "echo /tmp/tomorrow:$PATH").stdout.strip()
    env = {**env, "PATH": path}
    old = run_action("build-push", given, workspace=workspace, run=run, env=env, on=own)
    assert old.code == 0, old.log
    for name in left:
        assert re.search(
            f"remove the (container|volume) {name}, which a killed run has left", old.log
        )
    assert leftovers(own) == ""


@pytest.fixture
def over_tls(own: Runner, bed: Bed) -> Iterator[dict[str, str]]:
    """The engine of the runner over TLS, as docker:dind gives it to a runner in Kubernetes."""
    certs = bed.work / "certs"
    own.run("sh", "-ec", CERTIFICATES, "-", str(certs))
    own.stop_engine()
    tls = [
        f"--tls{each}={certs}/{each.replace('cacert', 'ca')}.pem"
        for each in ("cacert", "cert", "key")
    ]
    hosts = ("--host=unix:///var/run/docker.sock", "--host=tcp://127.0.0.1:2376", "--tlsverify")
    own.run(
        "setsid",
        "-f",
        "sh",
        "-c",
        'exec dockerd "$@" >>/var/log/dockerd.log 2>&1',
        "-",
        *hosts,
        *tls,
    )
    own.run("sh", "-c", "until docker version >/dev/null 2>&1; do sleep 0.2; done")
    # Variables in the environment of a program would reach the engine of the bed too.
    own.write("/tmp/tls/docker", OVER_TLS, mode="755")
    path = own.run("sh", "-c", "echo /tmp/tls:$PATH").stdout.strip()
    yield {"PATH": path, "CERTS": str(certs), "HOME": ROOT}
    own.stop_engine()
    own.start_engine()
    shutil.rmtree(certs)


@pytest.mark.test_all
def test_an_engine_over_tls_builds_and_takes_a_builder_of_a_step_before(
    own: Runner, registry: Registry, workspace: Path, over_tls: dict[str, str]
) -> None:
    def step(certs: str = "", **inputs: str) -> StepResult:
        run = Run(repository=REPOSITORY, event=EVENT)
        env = {**over_tls, **({"CERTS": certs} if certs else {})}
        return run_action("build-push", inputs, workspace=workspace, run=run, env=env, on=own)

    plain = step()
    assert plain.code == 0, plain.log
    refused = step(provenance="true")
    assert refused.code == 1
    assert "A builder is needed for provenance" in refused.errors[0]
    assert "`docker context create engine`" in refused.errors[0]
    lost = step("/nothing")
    assert "the certificates of the engine cannot be read: /nothing/" in lost.errors[0]
    # What docker/setup-buildx-action does with `endpoint: engine`.
    docker = ("env", f"CERTS={over_tls['CERTS']}", f"PATH={over_tls['PATH']}", "docker")
    own.run(*docker, "context", "create", "engine")
    own.run(*docker, "buildx", "create", "--use", "--name", "mine", "engine")
    try:
        attached = step(provenance="true")
    finally:
        own.run(*docker, "buildx", "rm", "mine")
        own.run(*docker, "context", "rm", "engine")
    assert attached.code == 0, attached.log
    assert len(manifests(registry, attached.outputs["digest"])) == 2


def test_a_cancelled_build_removes_its_builder(own: Runner, workspace: Path) -> None:
    dockerfile = workspace / "Dockerfile"
    line = 'RUN ["/bin/busybox", "sleep", "3600"]\n'
    dockerfile.write_text(dockerfile.read_text() + line)
    given = {"provenance": "true"}
    run = Run(repository=REPOSITORY, event=EVENT)
    running = start_action("build-push", given, workspace=workspace, run=run, on=own)
    await_log(running, '"sleep", "3600"')
    # SIGINT alone: it does not wait for the SIGTERM that comes 7.5 s later.
    running.signal(signal.SIGINT)
    assert running.process.wait(PATIENCE_SECONDS) == 130, running.log()
    assert leftovers(own) == ""
    assert running.result().outputs["image"] == ""


MIRROR = """\
[registry."ghcr.io"]
  mirrors = ["{}"]
"""
# Each form in which a Dockerfile takes an image, and one name in two spellings.
TAKES = """\
ARG VERSION=1
FROM ghcr.io/{path}/base:${{VERSION}} AS base
FROM --platform=$BUILDPLATFORM ghcr.io/{path}/base AS latest
FROM base
COPY --from=latest /main /latest
COPY --from=ghcr.io/{path}/base:1 /main /copied
COPY --from=named /main /named
RUN --mount=from=ghcr.io/{path}/base:latest,target=/a ["/bin/busybox", "cp", "/a/main", "/run"]
"""


@pytest.mark.test_all
def test_a_mirror_that_lags_behind_does_not_keep_an_old_base_image(
    own: Runner, htpasswd_registry: HtpasswdRegistry, workspace: Path
) -> None:
    mirror = htpasswd_registry
    (workspace / "buildkitd.toml").write_text(MIRROR.format(mirror.name))
    (workspace / "base").mkdir()
    shutil.copy(workspace / "busybox", workspace / "base")
    (workspace / "base" / "Dockerfile").write_text(
        "FROM scratch\nCOPY busybox /bin/busybox\nCOPY main /main\n"
        'ONBUILD RUN ["/bin/busybox", "cp", "/main", "/triggered"]\n'
    )
    (workspace / "Dockerfile").write_text(TAKES.format(path=PATH))
    create = ("docker", "buildx", "create", "--name", "lagging", "--driver", "docker-container")
    own.run(*create, "--config", str(workspace / "buildkitd.toml"))
    login = ("docker", "login", mirror.name, "-u", mirror.user, "--password-stdin")
    own.run(*login, input=mirror.password)

    def base(version: str, *registries: str) -> None:
        (workspace / "base" / "main").write_text(version)
        names = "\n".join(f"{each}/{PATH}/base" for each in registries)
        pushed = build(own, workspace, ROOT, image=names, context="base", tags="1\nlatest")
        assert pushed.code == 0, pushed.log

    def app() -> StepResult:
        named = f"named=docker-image://ghcr.io/{PATH}/base:1"
        given = {"builder": "lagging", "paths": "Dockerfile", "build_contexts": named}
        step = build(own, workspace, ROOT, tags="on-base", **given)
        assert step.code == 0, step.log
        return step

    try:
        base("old", "ghcr.io", mirror.name)
        assert app().outputs["built"] == "true"
        base("new", "ghcr.io")
        patched, again = app(), app()
    finally:
        own.docker("logout", mirror.name)
        own.docker("buildx", "rm", "lagging")
    assert (patched.outputs["built"], again.outputs["built"]) == ("true", "false"), patched.log
    cat = ("cat", "/main", "/latest", "/copied", "/named", "/run", "/triggered")
    shown = own.docker("run", "--rm", again.outputs["image"], "/bin/busybox", *cat)
    assert shown.stdout == "new" * 6


# Further inputs


def test_an_agent_a_named_context_and_an_argument_reach_the_build(
    runner: Runner, workspace: Path, bed: Bed
) -> None:
    (workspace / "extra").mkdir()
    (workspace / "extra" / "file").write_text("from elsewhere")
    (workspace / "Dockerfile").write_text(
        "FROM scratch AS base\nCOPY busybox /bin/busybox\nARG WHAT\n"
        'RUN --mount=type=ssh ["/bin/busybox", "sh", "-c", "[ -S $SSH_AUTH_SOCK ]"]\n'
        "COPY --from=extra file /file\nENV WHAT=$WHAT\nFROM base AS unused\nRUN false\n"
    )
    socket = f"{bed.work}/agent"
    agent = runner.popen("ssh-agent", "-D", "-a", socket)
    try:
        runner.run("sh", "-c", f"until [ -S {socket} ]; do sleep 0.1; done")
        run = Run(repository=REPOSITORY, event=EVENT)
        given = {
            "ssh": "default", "build-contexts": "extra=extra", "build-args": "WHAT=a b $(id)",
            "target": "base", "pull": "true", "no-cache": "true",
        }  # fmt: skip
        env = {"SSH_AUTH_SOCK": socket}
        step = run_action("build-push", given, workspace=workspace, run=run, env=env, on=runner)
    finally:
        runner.run("pkill", "-x", "ssh-agent", check=False)
        agent.communicate(timeout=PATIENCE_SECONDS)
    assert step.code == 0, step.log
    image = step.outputs["image"]
    shown = runner.docker("run", "--rm", image, "/bin/busybox", "sh", "-c", "cat /file; echo $WHAT")
    assert shown.stdout == "from elsewherea b $(id)\n"


@pytest.mark.test_all
def test_the_clock_of_reproducible_builds_is_that_of_tags_labels_and_image(
    own: Runner, registry: Registry, workspace: Path
) -> None:
    given = {"tags": "{{date 'YYYYMMDD'}}", "provenance": "false", "cache": "auto"}
    digests = set()
    for _ in range(2):
        run = Run(repository=REPOSITORY)
        env = {"SOURCE_DATE_EPOCH": "1578616200"}
        step = run_action("build-push", given, workspace=workspace, run=run, env=env, on=own)
        assert step.code == 0, step.log
        digests.add(step.outputs["digest"])
        time.sleep(1)
        # The same files, written a moment later.
        (workspace / "serve").write_text((workspace / "serve").read_text())
    assert len(digests) == 1
    assert step.outputs["version"] == "20200110"
    assert "org.opencontainers.image.created=2020-01-10T00:30:00.000Z" in step.outputs["labels"]
    assert registry.digest(PATH, "20200110") in digests


def test_the_runner_gets_the_image_where_it_asks(runner: Runner, workspace: Path, bed: Bed) -> None:
    file = bed.work / "artifacts"
    run = Run(repository=REPOSITORY)
    env = {"GITHUB_ARTIFACTS": str(file)}
    step = run_action("build-push", {}, workspace=workspace, run=run, env=env, on=runner)
    assert step.code == 0, step.log
    assert file.read_text() == f"{step.outputs['image']}\n"


# Another registry


def test_a_registry_with_a_password_takes_the_image(
    runner: Runner, htpasswd_registry: HtpasswdRegistry, workspace: Path
) -> None:
    there = htpasswd_registry
    image = f"{there.name}/team/app"
    given = {"image": image, "username": there.user, "password": there.password}
    step = build(runner, workspace, **given)
    assert step.code == 0, step.log
    assert BUILDS in step.log
    assert there.digest("team/app", "main") == step.outputs["digest"]
    assert step.outputs["image"] == f"{image}@{step.outputs['digest']}"
    again = build(runner, workspace, skip_unchanged="true", **given)
    third = build(runner, workspace, skip_unchanged="true", **given)
    assert (again.outputs["built"], third.outputs["built"]) == ("true", "false")


def test_a_wrong_password_is_reported_before_the_build(
    runner: Runner, htpasswd_registry: HtpasswdRegistry, workspace: Path
) -> None:
    image = f"{htpasswd_registry.name}/team/app"
    step = build(runner, workspace, image=image, username="alice", password="wr0ng")
    assert step.code == 2
    assert (
        f"`password`: {htpasswd_registry.name} refuses the login of 'alice', for team/app (401"
        in step.errors[0]
    )
    assert BUILDS not in step.log, "nothing was built"
    assert "wr0ng" not in step.shown


def test_the_login_of_a_step_before_goes_before_the_token_of_the_job(
    runner: Runner, registry: Registry, workspace: Path
) -> None:
    """Such as for a private base image of another owner, and a push to it."""
    theirs = "other/shop"
    registry.allow("ghp_other", f"{theirs}:pull,push")
    runner.run("docker", "login", "ghcr.io", "-u", "o", "--password-stdin", input="ghp_other")
    try:
        first = build(runner, workspace, ROOT, image=f"ghcr.io/{theirs}", tags="base")
        (workspace / "Dockerfile").write_text(f"FROM ghcr.io/{theirs}:base\n")
        second = build(runner, workspace, ROOT, image=f"ghcr.io/{theirs}", tags="app", pull="true")
    finally:
        runner.docker("logout", "ghcr.io")
        registry.revoke("ghp_other")
    assert (first.code, second.code) == (0, 0), first.log + second.log
    refused = build(runner, workspace, pull="true")
    assert f"refused access to the base image ghcr.io/{theirs}:base" in refused.errors[0]


def test_a_password_is_for_its_own_registry_and_ghcr_has_the_token_of_the_job(
    runner: Runner, registry: Registry, htpasswd_registry: HtpasswdRegistry, workspace: Path
) -> None:
    there = htpasswd_registry
    names = f"{there.name}/team/each\nghcr.io/{PATH}"
    step = build(runner, workspace, image=names, username=there.user, password=there.password)
    assert step.code == 0, step.log
    assert registry.digest(PATH, "main") == there.digest("team/each", "main")


def test_an_image_goes_to_two_registries_at_once(
    runner: Runner, registry: Registry, htpasswd_registry: HtpasswdRegistry, workspace: Path
) -> None:
    there = htpasswd_registry
    runner.run(
        "docker", "login", there.name, "-u", there.user, "--password-stdin", input=there.password
    )
    try:
        images = f"ghcr.io/{PATH}\n{there.name}/team/both"
        step = build(runner, workspace, ROOT, image=images)
    finally:
        runner.docker("logout", there.name)
    assert step.code == 0, step.log
    digest = step.outputs["digest"]
    for tag in ("main", "sha-0123456789ab"):
        assert registry.digest(PATH, tag) == there.digest("team/both", tag) == digest
    assert len(step.outputs["tags"].splitlines()) == 4


# The machine


def test_a_full_disk_is_reported(bed: Bed, workspace: Path) -> None:
    full = bed.add_runner("full", disk="24m")
    try:
        size = 40 * 1024 * 1024
        (workspace / "serve").write_bytes(b"\0" * size)
        step = build(full, workspace)
    finally:
        full.remove()
    assert step.code == 1, step.log
    assert "the disk of the runner is full" in step.errors[0]
    assert step.outputs["image"] == ""


@pytest.mark.test_all
def test_an_engine_that_is_gone_is_reported(bed: Bed, workspace: Path) -> None:
    alone = bed.add_runner("alone")
    try:
        alone.stop_engine()
        step = build(alone, workspace)
        attached = build(alone, workspace, provenance="true")
    finally:
        alone.remove()
    for each in (step, attached):
        assert each.code == 1
        assert "the Docker engine of the runner cannot be used" in each.errors[0]
        assert not re.search(r"Traceback", each.log)

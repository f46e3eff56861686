"""The bed itself: what the other tests stand on is real, refuses what it should, and goes away."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from bed import (
    Bed,
    BedError,
    Builder,
    CommandFailed,
    Machine,
    Unavailable,
    emulation,
    lease,
    tools,
)
from bed.traces import processes, traces
from bed.waiting import PATIENCE_SECONDS, uptime_ms, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bed import Host, HtpasswdRegistry, Registry, Runner

pytestmark = pytest.mark.needs("packages", "engine")

TESTS = Path(__file__).parents[1]
TOKEN = "ghs_the_bed"
DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
COPY index.html /www/index.html
ENTRYPOINT ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
"""
UP_SECONDS = 60
T = TypeVar("T")


@pytest.fixture
def image(bed: Bed, registry: Registry) -> Iterator[str]:
    """An image on the runner, under a new name of ghcr.io, with a token that may push it."""
    registry.allow(TOKEN, "acme/*:pull,push")
    log_in(bed.runner, TOKEN)
    name = f"acme/{uuid.uuid4().hex}"
    context = bed.work / name
    context.mkdir(parents=True)
    shutil.copy("/bin/busybox", context)
    (context / "index.html").write_text(name)
    (context / "Dockerfile").write_text(DOCKERFILE)
    bed.runner.docker("build", "--quiet", "--tag", f"ghcr.io/{name}:1", str(context))
    yield f"ghcr.io/{name}:1"
    bed.runner.docker("rmi", "--force", f"ghcr.io/{name}:1")


def log_in(runner: Runner, token: str) -> None:
    runner.run("docker", "login", "ghcr.io", "-u", "any", "--password-stdin", input=token)


def repository(image: str) -> str:
    return image.removeprefix("ghcr.io/").removesuffix(":1")


def test_an_image_pushed_by_the_runner_is_pulled_by_digest_and_served_by_a_host(
    bed: Bed, runner: Runner, host: Host, registry: Registry, image: str
) -> None:
    runner.docker("push", image)
    digest = registry.digest(repository(image), "1")
    assert registry.tags(repository(image)) == ["1"]
    assert any(request.method == "PUT" for request in registry.requests())

    pinned = f"{image.removesuffix(':1')}@{digest}"
    script = f"""\
docker login ghcr.io -u any --password-stdin >/dev/null 2>&1
docker pull -q {pinned}
docker run -d --rm --init --name bed-check -p 18080:8080 {pinned}
rm -r ~/.docker
"""
    known, key = bed.work / "known_hosts", bed.work / "key"
    known.write_text(host.known_hosts)
    key.write_text(host.private_key)
    key.chmod(0o600)
    checked = ("-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={known}")
    ssh = ("ssh", "-o", "BatchMode=yes", *checked, "-i", str(key), f"deploy@{host.name}")
    runner.run(*ssh, f'read -r token; printf %s "$token" | {{ {script} }}', input=f"{TOKEN}\n")

    served = subprocess.run(
        ("curl", "-fsS", "--retry", "9", "--retry-connrefused", f"http://{host.ip}:18080/"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    host.docker("rm", "-f", "bed-check")
    assert served.stdout == repository(image)


@pytest.mark.test_all
def test_ssh_refuses_a_host_that_shows_another_key(bed: Bed, host: Host) -> None:
    assert host.ssh("id", "-nG").stdout.split() == ["deploy", "docker"]
    other = bed.lease.root / "machines" / host.name / "other"
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other), check=True)
    public = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    known = bed.work / "wrong_known_hosts"
    known.write_text(f"{host.ip} {public}\n")
    refused = subprocess.run(
        ("ssh", "-F", "none", "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes",
         "-o", "StrictHostKeyChecking=yes", f"deploy@{host.ip}", "true"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 255
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in refused.stderr


@pytest.mark.test_all
def test_a_fault_of_the_registry_is_seen_by_docker_and_then_gone(
    runner: Runner, registry: Registry, image: str
) -> None:
    registry.fault(
        "POST /v2/*/blobs/uploads/",
        status=403, code="DENIED", message="permission_denied: write_package", times=9,
    )  # fmt: skip
    with pytest.raises(CommandFailed, match="denied: permission_denied: write_package"):
        runner.docker("push", image)
    assert 403 in {request.status for request in registry.requests()}
    registry.clear_faults()
    runner.docker("push", image)


@pytest.mark.test_all
def test_a_dropped_connection_is_logged_with_status_zero(
    runner: Runner, registry: Registry, image: str
) -> None:
    registry.fault("PUT /v2/*/manifests/*", status=0, times=1)
    with pytest.raises(CommandFailed, match="EOF"):
        runner.docker("push", image)
    assert 0 in {request.status for request in registry.requests()}


@pytest.mark.test_all
def test_the_registry_gets_every_accept_header_of_a_client(runner: Runner, image: str) -> None:
    runner.docker("push", image)
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    url = f"http://ghcr.io:8080/v2/{repository(image)}/manifests/1"
    accepts = ("-H", "Accept: text/plain", "-H", f"Accept: {kind}")
    assert kind in runner.run("curl", "-fsSI", *accepts, url).stdout


@pytest.mark.test_all
def test_a_token_without_the_right_may_not_push_and_an_unknown_one_not_log_in(
    runner: Runner, registry: Registry, image: str
) -> None:
    registry.allow("ghs_reader", "acme/*:pull")
    log_in(runner, "ghs_reader")
    with pytest.raises(CommandFailed, match="denied: requested access to the resource is denied"):
        runner.docker("push", image)
    registry.revoke("ghs_reader")
    with pytest.raises(CommandFailed, match="denied: denied"):
        log_in(runner, "ghs_reader")


@pytest.mark.test_all
def test_buildx_pushes_through_either_image_store(bed: Bed, registry: Registry, image: str) -> None:
    other = bed.add_runner("containerd", containerd_store=True)
    try:
        log_in(other, TOKEN)
        for number, runner in enumerate((bed.runner, other)):
            tag = f"{image.removesuffix(':1')}:{number}"
            context = str(bed.work / repository(image))
            runner.docker("buildx", "build", "--push", "--tag", tag, context)
    finally:
        other.remove()
    assert registry.tags(repository(image)) == ["0", "1"]
    tree = registry.manifest(repository(image), "1")
    assert tree["schemaVersion"] == 2


@pytest.fixture
def own_builder(bed: Bed) -> Iterator[str]:
    """The name of a builder of buildx's docker-container driver on the runner."""
    bed.runner.add_buildkit_image()
    create = ("docker", "buildx", "create", "--driver", "docker-container", "--bootstrap")
    name = bed.runner.run(*create).stdout.strip()
    yield name
    bed.runner.docker("buildx", "rm", name)


@pytest.mark.test_all
@pytest.mark.needs("packages", "engine", "buildkit")
def test_a_builder_of_its_own_runs_builds_and_pushes_to_ghcr(
    bed: Bed, runner: Runner, registry: Registry, image: str, own_builder: str
) -> None:
    known = runner.docker("buildx", "inspect", own_builder).stdout
    version = tools.buildkit_folder().name.removeprefix("buildkit-")
    assert re.search(rf"BuildKit[^:]*: +{version}\n", known), "not the engine's own"
    build(bed, image, "--builder", own_builder, run="nslookup ghcr.io >/name")
    assert registry.tags(repository(image)) == ["1"]
    agents = {request.user_agent for request in registry.requests() if request.method == "PUT"}
    assert agents == {"buildkit/" + ".".join(version.split(".")[:2])}


@pytest.mark.test_all
@pytest.mark.needs("packages", "engine", "buildkit")
def test_a_builder_on_another_machine_runs_builds_and_pushes_to_ghcr(
    bed: Bed, runner: Runner, registry: Registry, image: str, builder: Builder
) -> None:
    created = runner.docker("buildx", "create", "--driver", "remote", builder.endpoint)
    try:
        knows = "nslookup ghcr.io && nslookup builder"
        build(bed, image, "--builder", created.stdout.strip(), run=knows)
    finally:
        runner.docker("buildx", "rm", created.stdout.strip())
    assert registry.tags(repository(image)) == ["1"]
    assert "linux/amd64" in builder.run("buildctl", "debug", "workers").stdout
    cached = builder.run("buildctl", "du").stdout
    assert len(cached.splitlines()) > 3, "it was built there"


@pytest.mark.test_all
@pytest.mark.needs("packages", "engine", "buildkit")
def test_a_runner_with_the_other_image_store_has_builders_too_but_none_without_buildkit(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = bed.add_runner("other", containerd_store=True)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(tools, "buildkit_folder", lambda: Path("/nowhere"))
            with pytest.raises(Unavailable, match="BuildKit is not built"):
                other.add_buildkit_image()
        for _ in range(2):
            other.add_buildkit_image()
        create = ("buildx", "create", "--driver", "docker-container", "--bootstrap")
        assert other.docker(*create).returncode == 0
        assert not list(bed.work.glob("tmp*"))
    finally:
        other.remove()


@pytest.mark.test_all
@pytest.mark.needs("packages", "engine", "buildkit", "qemu")
def test_an_image_of_two_processors_is_built_and_runs_on_both(
    bed: Bed, runner: Runner, image: str, own_builder: str, arm64_busybox: Path
) -> None:
    context = bed.work / repository(image)
    shutil.copy("/bin/busybox", context / "busybox-amd64")
    shutil.copy(arm64_busybox, context / "busybox-arm64")
    platforms = ("--platform", "linux/amd64,linux/arm64")
    build(bed, image, "--builder", own_builder, *platforms,
          run="uname -m >/built-on", busybox="busybox-$TARGETARCH")  # fmt: skip
    listed = bed.registry.manifest(repository(image), "1")["manifests"]
    made = {each["platform"]["architecture"] for each in listed} - {"unknown"}
    assert made == {"amd64", "arm64"}

    for processor, name in (("amd64", "x86_64"), ("arm64", "aarch64")):
        start = ("docker", "run", "--rm", "--pull=always", f"--platform=linux/{processor}")
        inside = ("--entrypoint=/bin/busybox", image, "sh", "-c", "cat /built-on; uname -m")
        assert runner.run(*start, *inside).stdout.split() == [name, name]


@pytest.mark.test_all
@pytest.mark.needs("packages", "engine", "qemu")
def test_what_else_runs_foreign_programs_is_left_alone(bed: Bed, arm64_busybox: Path) -> None:
    rules = bed.lease.root / "binfmt"
    other = rules / f"{bed.lease.prefix}-other"
    (rules / "register").write_text(f":{other.name}:E::{other.name}::/bin/true:")
    try:
        assert processor_of(arm64_busybox) == "aarch64"
        emulation.stop(bed.lease)
        assert not (rules / bed.lease.prefix).exists()
        assert other.exists()
        for _ in range(2):
            bed.emulate_arm64()
        assert processor_of(arm64_busybox) == "aarch64"
    finally:
        other.write_text("-1")


def processor_of(busybox: Path) -> str:
    """Return what a busybox says of the processor it runs on."""
    command = (str(busybox), "uname", "-m")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def build(bed: Bed, image: str, *options: str, run: str = "true", busybox: str = "busybox") -> None:
    """Build and push an image that runs a command of busybox's shell while it is built."""
    context = bed.work / repository(image)
    shell = f'RUN ["/bin/busybox", "sh", "-c", "{run}"]'
    lines = ("FROM scratch", "ARG TARGETARCH", f"COPY {busybox} /bin/busybox", shell)
    (context / "Dockerfile").write_text("".join(f"{line}\n" for line in lines))
    bed.runner.docker("buildx", "build", *options, "--push", "--tag", image, str(context))


@pytest.mark.test_all
def test_a_registry_with_passwords_takes_the_right_one_only(
    runner: Runner, htpasswd_registry: HtpasswdRegistry, image: str
) -> None:
    there = f"{htpasswd_registry.name}/acme/app:1"
    runner.docker("tag", image, there)
    login = ("docker", "login", htpasswd_registry.name, "-u", htpasswd_registry.user)
    with pytest.raises(CommandFailed, match="401 Unauthorized"):
        runner.run(*login, "--password-stdin", input="wrong")
    with pytest.raises(CommandFailed, match="no basic auth credentials"):
        runner.docker("push", there)
    assert htpasswd_registry.tags("acme/app") == []

    runner.run(*login, "--password-stdin", input=htpasswd_registry.password)
    try:
        pushed = runner.docker("push", there).stdout
    finally:
        runner.docker("logout", htpasswd_registry.name)
        runner.docker("rmi", there)
    assert {request.status for request in htpasswd_registry.requests()} >= {201, 401}
    assert htpasswd_registry.tags("acme/app") == ["1"]
    assert str(htpasswd_registry.digest("acme/app", "1")) in pushed
    assert "config" in htpasswd_registry.manifest("acme/app", "1")


@pytest.mark.test_all
@pytest.mark.parametrize(
    ("request_line", "status", "times"),
    [
        pytest.param("GET /token", 503, 2, id="the token endpoint is down twice"),
        pytest.param("GET /token", 0, 2, id="the token endpoint drops two connections"),
        pytest.param("POST /v2/acme/x/blobs/uploads/", 429, 2, id="too many requests twice"),
        pytest.param("POST /v2/acme/x/blobs/uploads/", 500, 1, id="an error of its own once"),
        pytest.param("PUT /v2/acme/x/manifests/1", 0, 1, id="a manifest's connection drops"),
    ],
)
def test_a_fault_comes_as_often_as_was_asked(
    runner: Runner, registry: Registry, request_line: str, status: int, times: int
) -> None:
    registry.fault(request_line, status=status, times=times)
    seen = [ask(runner, request_line) for _ in range(times + 1)]
    assert seen[:times] == [status] * times
    # Whoever shows no token gets one without rights, and is asked for a better one.
    assert seen[times] == (200 if "/token" in request_line else 401)
    assert [request.status for request in registry.requests()] == seen


@pytest.mark.test_all
def test_a_fault_for_all_requests_comes_until_it_is_cleared(
    runner: Runner, registry: Registry
) -> None:
    registry.fault("*", status=503)
    asked = ("GET /token", "HEAD /v2/x/blobs/1", "PUT /v2/x/manifests/1")
    assert [ask(runner, each) for each in asked] == [503] * 3
    registry.clear_faults()
    assert ask(runner) == 401


@pytest.mark.test_all
def test_a_slow_registry_answers_as_always_but_late(runner: Runner, registry: Registry) -> None:
    registry.fault("GET /v2/", delay=2, times=1)
    begun = uptime_ms()
    assert ask(runner, limit=PATIENCE_SECONDS) == 401
    assert uptime_ms() - begun >= 2000


@pytest.mark.test_all
@pytest.mark.needs("packages", "engine", "buildkit")
def test_buildkit_survives_faults_that_pass_and_shows_one_that_stays(
    bed: Bed, registry: Registry, image: str, own_builder: str
) -> None:
    registry.fault("POST /v2/*/blobs/uploads/", status=429, code="TOOMANYREQUESTS", times=2)
    registry.fault("PUT /v2/*/manifests/*", status=0, times=1)
    build(bed, image, "--builder", own_builder)
    assert registry.tags(repository(image)) == ["1"]
    assert {0, 429} <= {request.status for request in registry.requests()}

    registry.fault("PUT /v2/*/manifests/*", status=403, code="DENIED", message="not yours")
    with pytest.raises(CommandFailed, match=r"failed to push .*: denied: not yours"):
        build(bed, image, "--builder", own_builder)


def ask(runner: Runner, request_line: str = "GET /v2/", limit: float = 10) -> int:
    """Return the status that ghcr.io answers on the runner; 0 when it does not."""
    method, _, path = request_line.partition(" ")
    kind = ("--head",) if method == "HEAD" else ("-X", method)
    shown = ("-o", "/dev/null", "-w", "%{http_code}", "--max-time", str(limit))
    asked = runner.run("curl", "-sS", *shown, *kind, f"https://ghcr.io{path}", check=False)
    return int(asked.stdout)


@pytest.mark.test_all
def test_a_registry_that_hangs_or_is_gone_comes_back_with_what_it_had(
    runner: Runner, registry: Registry, image: str
) -> None:
    runner.docker("push", image)
    registry.pause()
    try:
        assert ask(runner, limit=1) == 0
    finally:
        registry.unpause()
    assert ask(runner) == 401

    registry.power_off()
    try:
        with pytest.raises(CommandFailed, match=r"no such host|server misbehaving"):
            runner.docker("push", image)
    finally:
        registry.power_on()
    assert registry.tags(repository(image)) == ["1"]
    runner.docker("push", image)


@pytest.mark.test_all
def test_a_runner_with_a_small_disk_runs_out_of_it(bed: Bed) -> None:
    small = bed.add_runner("small", disk="64m")
    try:
        context = bed.work / "small"
        context.mkdir()
        (context / "Dockerfile").write_text("FROM scratch\nCOPY big /\n")
        (context / "big").write_bytes(b"small")
        small.docker("build", str(context))
        (context / "big").write_bytes(os.urandom(80 << 20))
        with pytest.raises(CommandFailed, match="no space left on device"):
            small.docker("build", str(context))
    finally:
        small.remove()


@pytest.mark.test_all
def test_an_engine_that_is_gone_comes_back_with_its_images(runner: Runner, image: str) -> None:
    runner.stop_engine()
    try:
        with pytest.raises(CommandFailed, match="Cannot connect to the Docker daemon"):
            runner.docker("version")
    finally:
        runner.start_engine()
    assert runner.docker("image", "inspect", image).returncode == 0


@pytest.mark.test_all
def test_a_machine_that_was_switched_off_comes_back_as_it_was(
    runner: Runner, host: Host, image: str
) -> None:
    host.write("/root/kept", "on its disk")
    for machine in (runner, host):
        machine.power_off()
        machine.power_on()
    assert runner.docker("image", "inspect", image).returncode == 0
    assert host.run("cat", "/root/kept").stdout == "on its disk"
    assert host.ssh("docker", "ps", "-q").returncode == 0


class Broken(Machine):
    """A machine with a service that does not exist."""

    services = ("nothing",)


@pytest.mark.test_all
def test_a_machine_that_does_not_start_tells_why_and_leaves_its_name_free(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        with pytest.raises(BedError, match="start_nothing: not found"):
            Broken(bed.engine, "broken").start()
    monkeypatch.setattr(tools, "buildkit_folder", lambda: Path("/nowhere"))
    for _ in range(2):
        with pytest.raises(Unavailable, match="BuildKit is not built"):
            Builder(bed.engine, "broken").start()
    Machine(bed.engine, "broken").start()
    Machine(bed.engine, "broken").remove()


@pytest.mark.test_all
@pytest.mark.parametrize("network", ["default", "own"])
def test_a_container_on_a_machine_knows_the_names_of_the_bed(
    runner: Runner, htpasswd_registry: HtpasswdRegistry, image: str, network: str
) -> None:
    if network == "own":
        runner.docker("network", "create", network)
    inside = ("docker", "run", "--rm", f"--network={network}", "--entrypoint=/bin/busybox", image)
    for name in ("ghcr.io", htpasswd_registry.name):
        assert f"Name:\t{name}" in runner.run(*inside, "nslookup", name).stdout
    nowhere = runner.run(*inside, "nslookup", "nowhere.example", check=False)
    assert nowhere.returncode == 1, "an unknown name is refused at once"
    if network == "own":
        runner.docker("network", "rm", network)


@pytest.mark.test_all
def test_a_user_outside_the_group_reaches_the_host_but_not_its_engine(host: Host) -> None:
    host.add_user_without_docker("visitor")
    assert host.ssh("whoami", user="visitor").stdout == "visitor\n"
    refused = host.ssh("docker", "ps", user="visitor", check=False)
    assert "permission denied" in refused.stderr


@pytest.mark.test_all
def test_a_host_can_be_frozen_and_its_sessions_killed(host: Host) -> None:
    host.pause()
    frozen = ("-o", "ServerAliveInterval=1", "-o", "ConnectTimeout=1")
    try:
        command = ("ssh", "-F", "none", *frozen, "-o", "BatchMode=yes", f"deploy@{host.ip}", "true")
        assert subprocess.run(command, capture_output=True, check=False).returncode == 255
    finally:
        host.unpause()
    assert host.ssh("true").returncode == 0

    with ThreadPoolExecutor() as pool:
        session = pool.submit(host.ssh, "touch /tmp/in; sleep 60", check=False)
        wait_for(lambda: host.run("test", "-e", "/tmp/in", check=False).returncode == 0)
        host.kill_sessions()
        assert session.result(10).returncode == 255
    assert host.ssh("true").returncode == 0


@pytest.mark.test_all
def test_a_host_without_docker_says_so(bed: Bed) -> None:
    plain = bed.add_host(docker=False)
    missing = plain.ssh("docker", "ps", check=False)
    assert missing.returncode == 127


@pytest.mark.test_all
def test_the_runner_sees_checkout_and_work_folder_at_our_own_paths(
    bed: Bed, runner: Runner
) -> None:
    (bed.work / "here").write_text("from outside")
    reported = runner.run(
        "sh", "-c", 'cat here; echo "$WHERE"; echo >there', cwd=bed.work, env={"WHERE": "in"}
    )
    assert reported.stdout == "from outsidein\n"
    assert (bed.work / "there").exists()
    assert runner.run("test", "-f", str(Path(__file__)), check=False).returncode == 0
    assert runner.run("touch", str(TESTS / "x"), check=False).returncode == 1


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.test_all),
        pytest.param(signal.SIGTERM, marks=pytest.mark.test_all),
        signal.SIGKILL,
    ],
)
def test_nothing_is_left_however_the_owner_of_a_bed_ends(bed: Bed, end: signal.Signals) -> None:
    """A second bed beside the first, ended while its machines are starting."""
    code = "import bed; bed.Bed().open(); raise SystemExit('it was not stopped')"
    owner = subprocess.Popen(
        (sys.executable, "-c", code),
        env={**os.environ, "PYTHONPATH": str(TESTS)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    [second] = wait_for(lambda: [x for x in lease.leases() if x.owner == owner.pid])
    wait_for(lambda: any((second.root / "machines").glob("*")) and processes(second))
    owner.send_signal(end)
    owner.wait(UP_SECONDS)
    assert_gone(second)
    assert bed.host.ssh("true").returncode == 0


EVERY_PART = """\
import time
from bed import Bed
bed = Bed(hosts=0).open()
bed.emulate_arm64()
bed.builder, bed.htpasswd_registry
bed.add_runner("small", disk="64m")
print(bed.lease.id, flush=True)
time.sleep(600)
"""


@pytest.mark.test_all
@pytest.mark.needs("packages", "engine", "buildkit", "qemu")
def test_no_part_that_was_asked_for_is_left_of_a_bed_whose_owner_is_killed(
    bed: Bed, arm64_busybox: Path
) -> None:
    owner = subprocess.Popen(
        (sys.executable, "-c", EVERY_PART),
        env={**os.environ, "PYTHONPATH": str(TESTS)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert owner.stdout
        name = owner.stdout.readline().strip()
        [second] = [found for found in lease.leases() if found.id == name]
        rule = bed.lease.root / "binfmt" / second.prefix
        assert rule.exists()
        assert second.folder in Path("/proc/mounts").read_text()
    finally:
        owner.kill()
        owner.communicate()
    assert_gone(second)
    assert not rule.exists()
    assert processor_of(arm64_busybox) == "aarch64", "the first bed keeps its own"


def assert_gone(ended: lease.Lease) -> None:
    """Wait until a bed was removed, and see that nothing of it is left on this machine."""
    wait_for(lambda: ended.id not in {found.id for found in lease.leases()})
    wait_until(lambda: not traces(ended), "nothing is left", seen=lambda: traces(ended))


def wait_for(what: Callable[[], T]) -> T:
    """Return the first answer that is not empty."""
    return wait_until(what, "the bed has come so far, or has gone", seconds=UP_SECONDS)

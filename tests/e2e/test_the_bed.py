"""The bed itself: what the other tests stand on is real, refuses what it should, and goes away."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from bed import Bed, CommandFailed, lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bed import Host, Registry, Runner

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


def test_a_dropped_connection_is_logged_with_status_zero(
    runner: Runner, registry: Registry, image: str
) -> None:
    registry.fault("PUT /v2/*/manifests/*", status=0, times=1)
    with pytest.raises(CommandFailed, match="EOF"):
        runner.docker("push", image)
    assert 0 in {request.status for request in registry.requests()}


def test_the_registry_is_told_every_accept_header_of_a_client(runner: Runner, image: str) -> None:
    runner.docker("push", image)
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    url = f"http://ghcr.io:8080/v2/{repository(image)}/manifests/1"
    accepts = ("-H", "Accept: text/plain", "-H", f"Accept: {kind}")
    assert kind in runner.run("curl", "-fsSI", *accepts, url).stdout


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


def test_a_user_outside_the_group_reaches_the_host_but_not_its_engine(host: Host) -> None:
    host.add_user_without_docker("visitor")
    assert host.ssh("whoami", user="visitor").stdout == "visitor\n"
    refused = host.ssh("docker", "ps", user="visitor", check=False)
    assert "permission denied" in refused.stderr


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


def test_a_host_without_docker_says_so(bed: Bed) -> None:
    plain = bed.add_host(docker=False)
    missing = plain.ssh("docker", "ps", check=False)
    assert missing.returncode == 127


def test_the_runner_sees_checkout_and_work_folder_at_our_own_paths(
    bed: Bed, runner: Runner
) -> None:
    (bed.work / "here").write_text("from outside")
    told = runner.run(
        "sh", "-c", 'cat here; echo "$WHERE"; echo >there', cwd=bed.work, env={"WHERE": "in"}
    )
    assert told.stdout == "from outsidein\n"
    assert (bed.work / "there").exists()
    assert runner.run("test", "-f", str(Path(__file__)), check=False).returncode == 0
    assert runner.run("touch", str(TESTS / "x"), check=False).returncode == 1


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_the_owner_of_a_bed_ends(bed: Bed, end: signal.Signals) -> None:
    """A second bed beside the first, ended while its machines are starting."""
    code = "import bed; bed.Bed().open(); raise SystemExit('it was not stopped')"
    owner = subprocess.Popen(
        (sys.executable, "-c", code),
        env={**os.environ, "PYTHONPATH": str(TESTS)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    [second] = wait_for(lambda: [x for x in lease.leases() if x.owner == owner.pid])
    wait_for(lambda: any((second.root / "machines").glob("*")) and processes_of(second))
    owner.send_signal(end)
    owner.wait(UP_SECONDS)
    wait_for(lambda: second.id not in {found.id for found in lease.leases()})

    wait_for(lambda: not processes_of(second))
    assert not second.root.exists()
    assert not Path("/sys/class/net", second.bridge).exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{second.prefix}"))
    assert bed.host.ssh("true").returncode == 0


def processes_of(found: lease.Lease) -> list[str]:
    """Return the command lines of an engine and its helpers."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode()
            if found.id in line:
                lines.append(line)
    return lines


def wait_for(what: Callable[[], T]) -> T:
    """Return the first answer that is not empty."""
    end = time.monotonic() + UP_SECONDS
    while not (found := what()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found

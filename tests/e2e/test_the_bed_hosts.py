"""The bed's hosts: who may reach them, which keys they show, and how they are made to fail."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from bed import BedError, CommandFailed, tools
from bed.http import body
from bed.shop import PORT, TOKEN, Shop
from bed.waiting import PATIENCE_SECONDS, uptime_ms, wait_until

if TYPE_CHECKING:
    from bed import Bed, Host

pytestmark = pytest.mark.needs("packages", "engine")


def ssh(bed: Bed, target: str, *options: str, known: str) -> subprocess.CompletedProcess[str]:
    """Ask a host for its name over SSH, with a host key that has to be among the known ones."""
    argv = ssh_command(bed, target, *options, known=known, command="hostname")
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def ssh_command(bed: Bed, target: str, *options: str, known: str, command: str) -> tuple[str, ...]:
    folder = bed.work / f"ssh-{time.monotonic_ns()}"
    folder.mkdir()
    (folder / "known_hosts").write_text(known)
    settings = f"""\
User deploy
BatchMode yes
IdentityFile {bed.lease.root}/deploy
StrictHostKeyChecking yes
UserKnownHostsFile {folder}/known_hosts
GlobalKnownHostsFile /dev/null
UpdateHostKeys no
ConnectTimeout 2
"""
    (folder / "config").write_text(settings)
    return ("ssh", "-F", str(folder / "config"), *options, target, command)


@pytest.mark.test_all
def test_a_host_behind_another_is_reached_through_it_alone(bed: Bed, host: Host) -> None:
    hidden = bed.add_host(behind=host)
    try:
        known = host.known_hosts + hidden.known_hosts
        for _ in range(2):
            assert "timed out" in ssh(bed, hidden.ip, known=known).stderr
            for name in (hidden.name, hidden.ip):
                through = ssh(bed, name, "-J", host.ip, known=known)
                assert through.stdout == f"{hidden.name}\n", through.stderr
            hidden.power_off()
            hidden.power_on()
            known = host.known_hosts + hidden.known_hosts
    finally:
        hidden.remove()


@pytest.mark.test_all
def test_a_host_without_docker_can_be_behind_another_too(bed: Bed, host: Host) -> None:
    hidden = bed.add_host(docker=False, behind=host)
    known = host.known_hosts + hidden.known_hosts
    assert ssh(bed, hidden.ip, known=known).returncode == 255
    assert ssh(bed, hidden.ip, "-J", host.ip, known=known).returncode == 0
    hidden.remove()


@pytest.mark.test_all
@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("ED25519", "ssh-ed25519"), ("ECDSA", "ecdsa-sha2-nistp256"), ("RSA", "rsa-sha2-512")],
)
def test_a_host_has_a_key_of_every_type(bed: Bed, host: Host, kind: str, algorithm: str) -> None:
    chosen = ("-v", "-o", f"HostKeyAlgorithms={algorithm}")
    for known in (host.known_hosts, host.hashed_known_hosts):
        shown = ssh(bed, host.ip, *chosen, known=known)
        assert shown.stdout == f"{host.name}\n", shown.stderr
        assert f" {host.fingerprints[kind]}" in shown.stderr
    assert {line[:3] for line in host.hashed_known_hosts.splitlines()} == {"|1|"}


@pytest.mark.test_all
def test_a_host_is_known_by_the_authority_that_signed_its_key(bed: Bed, host: Host) -> None:
    known = f"@cert-authority * {bed.host_authority}\n"
    assert ssh(bed, host.ip, known=known).stdout == f"{host.name}\n"
    other = f"@cert-authority * {' '.join((bed.lease.root / 'deploy.pub').read_text().split()[:2])}"
    refused = ssh(bed, host.ip, known=f"{other}\n")
    assert refused.returncode == 255
    assert "Host key verification failed" in refused.stderr


@pytest.mark.test_all
def test_eight_hosts_start_side_by_side_and_are_eight(bed: Bed) -> None:
    hosts = bed.add_hosts(8)
    try:
        assert len({host.ip for host in hosts}) == 8
        for host in hosts:
            assert host.ssh("hostname; docker ps -q").stdout == f"{host.name}\n"
    finally:
        for host in hosts:
            host.remove()


@pytest.mark.test_all
def test_compose_is_there_for_the_user_in_the_version_of_the_engine(host: Host) -> None:
    said = host.ssh("docker", "compose", "version", "--short").stdout
    assert said.startswith("2.")


@pytest.mark.test_all
@pytest.mark.needs("packages", "engine", "compose")
def test_a_host_has_another_compose_or_none(bed: Bed) -> None:
    newer = bed.add_host(compose=tools.built("compose"))
    without = bed.add_host(compose=None)
    try:
        said = newer.ssh("docker", "compose", "version", "--short").stdout
        assert said.strip() == tools.source_folder("compose").name.removeprefix("compose-v")
        newer.write("/home/deploy/compose.yml", "services: {app: {image: x}}", owner="deploy")
        assert "image: x" in newer.ssh("docker", "compose", "config").stdout
        refused = without.ssh("docker", "compose", "version", check=False)
        assert refused.returncode
        assert "compose" in refused.stderr
        assert without.ssh("docker", "buildx", "version").returncode == 0
    finally:
        newer.remove()
        without.remove()


@pytest.mark.test_all
@pytest.mark.parametrize(
    ("suite", "docker", "compose"),
    [
        pytest.param("bookworm", "20.10.", "2.26.",
                     marks=pytest.mark.needs("packages", "engine", "engine-bookworm")),
        pytest.param("forky", "28.", "2.40.",
                     marks=pytest.mark.needs("packages", "engine", "engine-forky")),
    ],
)  # fmt: skip
def test_a_host_has_another_docker(bed: Bed, suite: str, docker: str, compose: str) -> None:
    image = Shop(bed).push("1", "healthcheck")
    other = bed.add_host(engine=suite)
    try:
        shown = "{{.Client.Version}} {{.Server.Version}}"
        client, server = other.ssh("docker", "version", "--format", f"'{shown}'").stdout.split()
        assert client.startswith(docker)
        assert server.startswith(docker)
        assert other.ssh("docker", "compose", "version", "--short").stdout.startswith(compose)
        other.run("docker", "login", "ghcr.io", "-u", "any", "--password-stdin", input=TOKEN)
        service = f"services: {{app: {{image: '{image}', ports: ['18080:{PORT}'], init: true}}}}"
        other.write("/root/compose.yml", service)
        other.run("docker", "compose", "--file=/root/compose.yml", "up", "--detach", "--wait")
        assert body(f"http://{other.ip}:18080/") == "1"
    finally:
        other.remove()


@pytest.mark.test_all
def test_the_link_to_a_host_is_lost_and_comes_back(bed: Bed, host: Host) -> None:
    session = subprocess.Popen(
        ssh_command(bed, host.ip, known=host.known_hosts, command="sleep 2; echo done; sleep 60"),
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert session.stdout
    wait_until(lambda: host.run("pgrep", "-x", "sleep", check=False).stdout, "it sleeps")
    host.block_ssh()
    try:
        assert "timed out" in ssh(bed, host.ip, known=host.known_hosts).stderr
        assert session.poll() is None
        host.unblock_ssh()
        assert session.stdout.readline() == "done\n"
        host.reset_ssh()
        assert "Connection refused" in ssh(bed, host.ip, known=host.known_hosts).stderr
    finally:
        host.unblock_ssh()
    host.kill_sessions()
    assert session.wait(PATIENCE_SECONDS) == 255
    session.stdout.close()
    assert ssh(bed, host.ip, known=host.known_hosts).returncode == 0


@pytest.mark.test_all
def test_a_login_takes_as_long_as_the_test_asks(host: Host) -> None:
    host.slow_login(1.5)
    begun = uptime_ms()
    host.ssh("true")
    assert uptime_ms() - begun > 1500
    host.slow_login(0)
    host.ssh("true")


@pytest.mark.test_all
def test_a_disk_and_a_home_are_full_until_they_are_freed(bed: Bed, host: Host) -> None:
    with pytest.raises(BedError, match="add it with disk="):
        host.fill_disk()
    small = bed.add_host(disk="16m")
    try:
        write = ("dd", "if=/dev/zero", "of=/var/lib/docker/own", "bs=1M")
        small.fill_disk(leave="3M")
        small.run(*write, "count=2")
        with pytest.raises(CommandFailed, match="No space left on device"):
            small.run(*write, "count=4")
        small.free_disk()
        small.run(*write, "count=4")

        small.fill_home()
        kept = "head -c 9999 /dev/zero >new"
        assert "No space left on device" in small.ssh(kept, check=False).stderr
        small.free_home()
        small.ssh(kept)
    finally:
        small.remove()


FAULTY = """
case $1 in
  rename) echo "no such container" >&2; exit 1 ;;
  version) sleep 1 ;;
esac
"""


def test_docker_on_a_host_fails_and_waits_as_a_script_says(host: Host) -> None:
    host.wrap_docker(FAULTY)
    try:
        refused = host.ssh("docker rename a 'b\nc' ''", check=False)
        assert (refused.returncode, refused.stderr) == (1, "no such container\n")
        begun = uptime_ms()
        host.ssh("docker", "version")
        assert uptime_ms() - begun >= 1000
        host.docker("version")
        assert host.docker_calls() == [["rename", "a", "b\nc", ""], ["version"]]
    finally:
        host.unwrap_docker()
    assert "No such container" in host.ssh("docker", "rename", "a", "b", check=False).stderr

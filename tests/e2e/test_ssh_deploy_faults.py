"""Every fault that can be forced gives its cause and the next act, and the service serves on."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bed.deploys import Deploy, await_log, await_served, clean, containers, served
from bed.shop import PORT, Shop
from bed.waiting import wait_until
from ship.ssh_deploy.advice import CAUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bed import Bed, Host

pytestmark = pytest.mark.needs("packages", "engine")
DISK = "200m"


@pytest.fixture(scope="module")
def machine(bed: Bed) -> Host:
    return bed.add_host(disk=DISK)


@pytest.fixture
def host(bed: Bed, machine: Host, shop: Shop, tmp_path: Path) -> Iterator[Host]:
    """A host that serves version 1, whatever was before."""
    if served(machine) != "1" or set(containers(machine)) - {"shop", "shop.previous"}:
        clean(machine)
        first = Deploy(machine, tmp_path)(shop.push("1"))
        assert first.code == 0, first.log
    yield machine
    bed.registry.clear_faults()
    machine.unwrap_docker()


class Fault(NamedTuple):
    """A fault, the cause that the error names, and the next act."""

    arrange: Callable[[Bed, Host], AbstractContextManager[object]]
    reported: str
    hint: str
    result: str = "refused"
    changes: dict[str, str] = {}  # noqa: RUF012 - read only
    version: tuple[str, str] = ("2", "")


def docker(script: str) -> Callable[[Bed, Host], AbstractContextManager[object]]:
    """Let a Docker command of the host go wrong."""

    @contextmanager
    def arranged(_: Bed, host: Host) -> Iterator[None]:
        host.wrap_docker(script)
        try:
            yield
        finally:
            host.unwrap_docker()

    return arranged


def registry(
    match: str, status: int, code: str = "DENIED", message: str = "denied"
) -> Callable[[Bed, Host], AbstractContextManager[object]]:
    """Let the registry answer with an error."""

    @contextmanager
    def arranged(bed: Bed, _: Host) -> Iterator[None]:
        bed.registry.fault(match, status=status, code=code, message=message, times=99)
        try:
            yield
        finally:
            bed.registry.clear_faults()

    return arranged


@contextmanager
def nothing(_: Bed, __: Host) -> Iterator[None]:
    yield


@contextmanager
def engine_stopped(_: Bed, host: Host) -> Iterator[None]:
    host.stop_engine()
    try:
        yield
    finally:
        host.start_engine()
        await_served(host, "1")


@contextmanager
def disk_full(_: Bed, host: Host) -> Iterator[None]:
    host.fill_disk()
    try:
        yield
    finally:
        host.free_disk()


@contextmanager
def home_full(_: Bed, host: Host) -> Iterator[None]:
    host.fill_home()
    try:
        yield
    finally:
        host.free_home()


@contextmanager
def home_read_only(_: Bed, host: Host) -> Iterator[None]:
    host.run("rm", "-rf", "/home/deploy/.gen-workflow")
    host.run("touch", "/home/deploy/.gen-workflow")
    try:
        yield
    finally:
        host.run("rm", "-f", "/home/deploy/.gen-workflow")


@contextmanager
def sshd_stopped(_: Bed, host: Host) -> Iterator[None]:
    host.reset_ssh()
    try:
        yield
    finally:
        host.unblock_ssh()


@contextmanager
def no_logins(_: Bed, host: Host) -> Iterator[None]:
    host.run("sh", "-c", "echo 'Maintenance until 5 pm' >/etc/nologin")
    try:
        yield
    finally:
        host.run("rm", "/etc/nologin")


@contextmanager
def docker_config_of_root(bed: Bed, host: Host) -> Iterator[None]:
    """As after `sudo docker login`, on a host whose engine does not answer."""
    folder = "/home/deploy/.docker"
    host.run("install", "-d", "-o", "root", "-m", "700", folder)
    try:
        with engine_stopped(bed, host):
            yield
    finally:
        host.run("rm", "-rf", folder)


FAULTS = {
    "the engine is stopped": Fault(
        engine_stopped, "the Docker engine of the host does not answer", "systemctl start docker"
    ),
    "the disk of images is full": Fault(disk_full, "the disk of the host is full", "system df"),
    "the home has no room": Fault(home_full, "the disk of the host is full", "free space on the"),
    "the home cannot be written": Fault(
        home_read_only,
        "the deploy cannot write its lock and its history to",
        "let the user write to its home",
    ),
    "the line is reset": Fault(sshd_stopped, "no connection to", "check that the host is up"),
    "logins are forbidden for now": Fault(
        no_logins, "does not let the user log in at the moment", "run the job again"
    ),
    "the configuration of Docker belongs to root": Fault(
        docker_config_of_root,
        "the Docker engine of the host does not answer (Cannot connect",
        "systemctl start docker",
    ),
    "the app listens on another port": Fault(
        nothing,
        "GET /health gave no answer",
        "listens on 0.0.0.0",
        changes={"ports": f"{PORT}:{PORT + 1}"},
    ),
    "the registry forbids": Fault(
        registry("GET /v2/acme/shop/manifests/*", 403),
        "the registry does not let the host pull the image",
        "packages: read",
    ),
    "the registry is broken": Fault(
        registry("GET /v2/acme/shop/manifests/*", 503, "UNAVAILABLE", "try later"),
        "the host could not pull the image",
        "check that the host can reach the registry",
    ),
    "the token is refused": Fault(
        nothing,
        "the registry does not let the host pull the image",
        "packages: read",
        changes={"registry-password": "ghp_wrong"},
    ),
    "the image is gone": Fault(
        nothing,
        "the registry has no such image",
        "check that an earlier step has pushed it",
        changes={"image": f"ghcr.io/acme/shop@sha256:{'0' * 64}"},
    ),
    "the registry is unknown": Fault(
        nothing,
        "the host could not pull the image",
        "check that the host can reach the registry",
        changes={
            "image": f"registry.invalid/acme/shop@sha256:{'0' * 64}",
            "replaces": "ghcr.io/acme/shop",
        },
    ),
    "the pull breaks off": Fault(
        docker('case $1 in pull) echo "unexpected EOF" >&2; exit 1 ;; esac'),
        "the host could not pull the image (unexpected EOF)",
        "check that the host can reach the registry",
    ),
    "the pull fills the disk": Fault(
        docker('case $1 in pull) echo "write: no space left on device" >&2; exit 1 ;; esac'),
        "the disk of the host is full",
        "system df",
    ),
    "the candidate is not made": Fault(
        docker('case "$*" in *create*candidate*) echo "bad mount" >&2; exit 1 ;; esac'),
        "Docker could not start the container (bad mount)",
        "Docker's message",
    ),
    "the candidate does not start": Fault(
        docker('case "$*" in start*candidate*) echo "OCI runtime error" >&2; exit 1 ;; esac'),
        "Docker could not start the container (OCI runtime error)",
        "Docker's message",
    ),
    "the program of the image is missing": Fault(
        nothing,
        "Docker could not start the container",
        "Docker's message",
        changes={"options": "--entrypoint=/nowhere"},
    ),
    "the candidate ends": Fault(
        nothing, "it ended with exit code 3", "must keep running", version=("3", "ends")
    ),
    "the candidate is sick": Fault(
        nothing, "GET /health gave status 404", "has the path", version=("3", "sick")
    ),
    "the candidate runs out of memory": Fault(
        nothing,
        "it ended with exit code 137",
        "raise `memory`",
        changes={
            "options": "--entrypoint=/bin/busybox --memory-swap=6m",
            "memory": "6m",
            "command": "sh -c 'x=y; while :; do x=$x$x; done'",
        },
    ),
    "the old one cannot be stopped": Fault(
        docker('case "$1 $*" in stop*shop) echo "cannot kill" >&2; exit 1 ;; esac'),
        "Docker could not stop the running container (cannot kill)",
        "Docker's log",
        result="rolled-back",
    ),
    "the new one does not start": Fault(
        docker('case "$*" in "start shop.next") echo "cgroup error" >&2; exit 1 ;; esac'),
        "Docker could not start the container (cgroup error)",
        "Docker's message",
        result="rolled-back",
    ),
    "the new one is sick on the real port": Fault(
        nothing,
        "GET /health gave status 404",
        "has the path",
        result="rolled-back",
        version=("3", "sick-when-real"),
    ),
    "the port is taken on one address": Fault(
        nothing,
        "the host cannot publish the port 127.0.0.1:22: a program of the user root already listens",
        "publish another port",
        # By sshd, on all addresses.
        changes={"ports": f"{PORT}:{PORT}\n127.0.0.1:22:{PORT}"},
    ),
}


# One of each kind: the engine, the disk, the login, the image, the candidate, the stop, the switch.
IN_EVERY_RUN = (
    "the engine is stopped", "the home has no room", "logins are forbidden for now",
    "the old one cannot be stopped",
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in IN_EVERY_RUN else pytest.mark.test_all)
        for name in FAULTS
    ],
)
def test_a_fault_has_a_cause_and_a_next_act(
    bed: Bed, host: Host, shop: Shop, deploy: Deploy, name: str
) -> None:
    fault = FAULTS[name]
    image = shop.push(*fault.version)
    host.docker("rmi", image, check=False)
    host.docker("run", "--rm", "-v", "state:/state", "--entrypoint=/bin/busybox", shop.push("1"),
                "rm", "-f", "/state/seen")  # fmt: skip
    with fault.arrange(bed, host):
        result = deploy.run({**deploy.inputs(image, health_timeout="6"), **fault.changes})
    assert result.code in (1, 2), result.log
    assert fault.reported in result.errors[0], result.errors[0]
    assert fault.hint in result.errors[0], result.errors[0]
    assert result.outputs["result"] == fault.result
    await_served(host, "1")
    assert "shop.candidate" not in containers(host)
    assert "shop.next" not in containers(host)


# What the state of the host, its engine and the registry can end a deploy with.
OF_THE_SURROUNDINGS = {
    "disk", "docker-down", "no-image", "no-state", "port-taken", "proxy-image", "pull",
    "pull-denied", "start", "stop",
}  # fmt: skip


def test_each_cause_that_is_in_the_surroundings_has_a_fault() -> None:
    reported = [fault.reported for fault in FAULTS.values()]
    found = {code for code, (cause, _) in CAUSES.items() if any(is_of(cause, t) for t in reported)}
    assert found >= OF_THE_SURROUNDINGS
    assert "compose" not in found, "a cause without a fault is seen to have none"


def is_of(cause: str, reported: str) -> bool:
    """Return whether what an error says is a cause, which has `{}` where the host's words stand."""
    words = cause.partition(" ({})")[0]
    return bool(re.search(re.escape(words).replace(r"\{\}", ".+"), reported)) or reported in words


@pytest.mark.test_all
def test_a_host_that_hangs_and_a_line_that_is_dead_are_found_out(
    bed: Bed, host: Host, shop: Shop, tmp_path: Path
) -> None:
    other = bed.add_host()
    both = Deploy([host, other], tmp_path)
    step = both.start(shop.push("3", "sick"), health_timeout="900")
    await_log(step, f"[{other.ip}] starting the candidate")
    await_log(step, f"[{host.ip}] starting the candidate")
    host.pause()
    other.block_ssh()
    try:
        result = step.result(200)
    finally:
        host.unpause()
        other.unblock_ssh()
    assert result.code == 1, result.log
    assert result.log.count("the connection to the host was lost in the middle") >= 2
    await_served(host, "1")
    # Nothing is left once the hosts have noticed that the client is gone.
    host.kill_sessions()
    other.kill_sessions()
    for each in (host, other):
        wait_until(
            lambda each=each: "shop.candidate" not in containers(each),  # type: ignore[misc] # bound now
            f"the candidate on {each.name} is gone",
        )


def test_a_shell_that_is_killed_on_the_host_is_no_lost_connection(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    step = deploy.start(shop.push("3", "sick"), health_timeout="60")
    await_log(step, "starting the candidate")
    host.run("pkill", "-9", "-u", host.user, "-xf", "sh -s")
    result = step.result()
    assert result.code == 1
    assert "the shell on the host ended with exit code 137" in result.errors[0]
    assert served(host) == "1"
    assert deploy(shop.push("2")).code == 0


@pytest.mark.test_all
def test_a_slow_login_is_waited_for(host: Host, shop: Shop, deploy: Deploy) -> None:
    host.slow_login(4)
    try:
        result = deploy(shop.push("2"))
    finally:
        host.slow_login(0)
    assert result.code == 0, result.log

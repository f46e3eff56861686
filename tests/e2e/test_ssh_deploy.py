"""ssh-deploy through its real shell step, against a real host: sshd, Docker, a registry."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.deploys import SECRET, Deploy, Serving, await_log, await_served, containers, served
from bed.shop import PORT, Shop
from bed.step import run_action
from bed.waiting import wait_until

if TYPE_CHECKING:
    from bed import Bed, Host

pytestmark = pytest.mark.needs("packages", "engine")

# What a deploy says when it has been let in.
FIRST_PHASE = "look: check that Docker answers"


def test_a_first_version_serves_with_its_environment(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    image = shop.push("1")
    result = deploy(image)
    assert result.code == 0, result.log
    assert served(host) == "1"
    assert served(host, "/greeting") == SECRET
    assert result.outputs["result"] == "deployed"
    assert result.outputs["image"] == image
    assert result.outputs["previous-image"] == ""
    assert json.loads(result.outputs["hosts"])[0]["result"] == "deployed"
    assert containers(host) == {"shop": "running"}
    assert f"| deployed | {image} |" in result.summary.replace("\\", "")
    assert FIRST_PHASE in result.log


@pytest.mark.parametrize(
    ("fault", "reported"),
    [
        ("sick", "GET /health gave status 404"),
        ("ends", "it ended with exit code 3"),
    ],
)
def test_a_candidate_that_is_not_healthy_never_touches_the_service(
    serving: Serving, shop: Shop, fault: str, reported: str
) -> None:
    host, deploy = serving
    before = host.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "shop").stdout
    result = deploy(shop.push("3", fault), health_timeout="6")
    assert result.code == 1
    assert f"not healthy: {reported}; the service was not touched" in result.errors[0]
    assert "shop 3 says" in result.summary, "the dead container's last words"
    assert result.outputs["result"] == "refused"
    assert result.outputs["image"] == shop.push("1")
    assert containers(host) == {"shop": "running"}
    after = host.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "shop").stdout
    assert after == before


def test_a_version_that_fails_on_the_real_port_is_rolled_back(serving: Serving, shop: Shop) -> None:
    host, deploy = serving
    result = deploy(shop.push("3", "sick-when-real"), health_timeout="6")
    assert result.code == 1
    assert "the previous version serves again" in result.errors[0]
    assert "shop 3 says" in result.summary
    assert result.outputs["result"] == "rolled-back"
    assert result.outputs["image"] == shop.push("1")
    assert served(host) == "1"
    assert containers(host) == {"shop": "running"}


def test_a_cancelled_switch_brings_the_old_version_back(serving: Serving, shop: Shop) -> None:
    host, deploy = serving
    step = deploy.start(shop.push("3", "sick-when-real"), health_timeout="60")
    await_log(step, "starting the new shop")
    step.cancel()
    result = step.result()
    assert result.code == 130, result.log
    assert result.outputs["result"] == "rolled-back"
    assert "the previous version serves again" in result.errors[0]
    assert served(host) == "1"


def test_a_version_that_was_not_found_healthy_is_never_kept(serving: Serving, shop: Shop) -> None:
    host, deploy = serving
    step = deploy.start(shop.push("3", "sick-when-real"), health_timeout="60")
    await_log(step, "starting the new shop")
    host.run("pkill", "-9", "-u", host.user, "-x", "sh")  # as when the host loses its power
    result = step.result()
    assert result.outputs["result"] == "unknown", result.log
    assert result.outputs["image"] == ""
    after = deploy(shop.push("4", "sick"), health_timeout="6")
    assert after.outputs["result"] == "refused"
    await_served(host, "1")
    assert containers(host) == {"shop": "running"}


def test_what_a_login_script_prints_is_no_fact(serving: Serving, shop: Shop) -> None:
    host, deploy = serving
    host.write("/home/deploy/.bashrc", "echo serving the shop since 1999\n", owner=host.user)
    try:
        result = deploy(shop.push("3", "ends"))
    finally:
        host.run("rm", "/home/deploy/.bashrc")
    assert result.outputs["result"] == "refused"
    assert result.outputs["image"] == shop.push("1")
    assert "it ended with exit code 3" in result.errors[0], (
        "a last line without an end is kept apart"
    )
    assert "cannot reach the database" in result.summary


def test_a_start_that_fails_late_brings_the_old_version_back(serving: Serving, shop: Shop) -> None:
    host, deploy = serving
    # An address that the host does not have: no look at who listens can tell.
    result = deploy(shop.push("2"), ports=f"{PORT}:{PORT}\n203.0.113.9:8081:{PORT}")
    assert result.code == 1
    assert result.outputs["result"] == "rolled-back"
    await_served(host, "1")


def test_the_next_version_replaces_it_and_the_old_one_is_kept(serving: Serving, shop: Shop) -> None:
    host, deploy = serving
    result = deploy(shop.push("2"))
    assert result.code == 0, result.log
    assert served(host) == "2"
    assert result.outputs["previous-image"] == shop.push("1")
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}


@pytest.mark.test_all
@pytest.mark.parametrize("cut", ["the client is killed", "the connection is cut"])
def test_the_host_brings_the_old_version_back_by_itself(
    serving: Serving, shop: Shop, cut: str
) -> None:
    host, deploy = serving
    step = deploy.start(shop.push("3", "sick-when-real"), health_timeout="60")
    await_log(step, "starting the new shop")
    if cut == "the client is killed":
        step.process.kill()
    else:
        host.kill_sessions()
    result = step.result()
    assert result.code != 0
    await_served(host, "1")
    assert cut == "the client is killed" or "connection to the host was lost" in result.errors[0]
    after = deploy(shop.push("2"))
    assert after.code == 0, after.log
    assert served(host) == "2"
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}


@pytest.mark.test_all
@pytest.mark.parametrize(
    ("fault", "end"), [("slow-start", ("deployed", "3")), ("sick-when-real", ("rolled-back", "1"))]
)
def test_a_home_that_fills_in_the_switch_changes_nothing_of_its_end(
    serving: Serving, shop: Shop, fault: str, end: tuple[str, str]
) -> None:
    host, deploy = serving
    step = deploy.start(shop.push("3", fault), health_timeout="15")
    await_log(step, "starting the new shop")
    host.fill_home()
    try:
        result = step.result()
        assert result.outputs["result"] == end[0], result.log
        await_served(host, end[1])
    finally:
        host.free_home()
    after = deploy(shop.push("2"))
    assert after.code == 0, after.log
    assert served(host) == "2"


@pytest.mark.test_all
def test_a_deploy_killed_after_its_switch_is_put_right_by_the_next(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    deploy(shop.push("1"))
    host.docker("rename", "shop", "shop.next")
    result = deploy(shop.push("2"))
    assert result.code == 0, result.log
    assert "shop.next is the only container left and becomes shop" in result.log
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}
    assert served(host) == "2"


@pytest.mark.test_all
def test_the_kept_version_never_starts_by_itself(host: Host, shop: Shop, deploy: Deploy) -> None:
    deploy(shop.push("1"), restart="always")
    deploy(shop.push("2"), restart="always")
    host.restart_engine()
    await_served(host, "2")
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}


@pytest.mark.test_all
def test_an_engine_that_restarts_in_the_switch_does_not_keep_the_sick_version(
    serving: Serving, shop: Shop
) -> None:
    host, deploy = serving
    step = deploy.start(shop.push("3", "sick-when-real"), health_timeout="20")
    await_log(step, "starting the new shop")
    host.restart_engine()
    result = step.result()
    assert result.code == 1, result.log
    await_served(host, "1")
    assert result.outputs["result"] == "rolled-back", result.log
    assert containers(host) == {"shop": "running"}


def test_a_container_that_its_stop_would_delete_is_refused(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    image = shop.push("1")
    deploy(image)
    host.docker("rm", "-f", "shop")
    host.docker("run", "-d", "--rm", "--name", "shop", image)
    result = deploy(shop.push("2"), adopt="true")
    assert result.code == 2
    assert "the running container shop was started with --rm" in result.errors[0]
    assert containers(host) == {"shop": "running"}


def test_a_foreign_container_is_never_removed(host: Host, shop: Shop, deploy: Deploy) -> None:
    image = shop.push("1")
    deploy(image)
    host.docker("run", "-d", "--name", "shop.next", image)
    result = deploy(shop.push("2"))
    assert result.code == 2
    assert f"the container shop.next (image {image}) on the host was not" in result.errors[0]
    assert containers(host) == {"shop": "running", "shop.next": "running"}


def test_a_user_without_a_shell_is_named(host: Host, shop: Shop, deploy: Deploy) -> None:
    host.run("usermod", "--shell", "/usr/sbin/nologin", host.user)
    try:
        result = deploy(shop.push("1"))
    finally:
        host.run("usermod", "--shell", "/bin/bash", host.user)
    assert result.code == 2
    assert "did not run the script" in result.errors[0]


SLOW_AGENT = """#!/usr/bin/python3
import os, socket, sys, time
path = sys.argv[-1]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
time.sleep(0.5)
os.unlink(path)
os.execv("/usr/bin/ssh-agent", sys.argv)
"""


def test_an_agent_that_does_not_listen_yet_is_waited_for(
    shop: Shop, deploy: Deploy, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ssh-agent").write_text(SLOW_AGENT)
    (tmp_path / "bin" / "ssh-agent").chmod(0o755)
    result = run_action(
        "ssh-deploy",
        deploy.inputs(shop.push("1")),
        env={"GREETING": "x"},
        machine={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"},
        workspace=tmp_path,
    )
    assert result.code == 0, result.log


def test_another_key_of_the_host_is_refused_with_both_fingerprints(
    bed: Bed, host: Host, shop: Shop, deploy: Deploy
) -> None:
    other = (bed.authority.parent / "deploy.pub").read_text()
    result = deploy(shop.push("1"), known_hosts=f"{host.ip} {other}")
    seen = host.run("ssh-keygen", "-lf", "/bed/ssh_host_ed25519_key.pub").stdout.split()[1]
    assert result.code == 2
    assert f"seen ED25519 {seen}" in result.errors[0]
    assert "expected" in result.errors[0]
    assert FIRST_PHASE not in result.log
    assert containers(host) == {}


def test_a_host_without_docker_is_named(bed: Bed, shop: Shop, tmp_path: Path) -> None:
    bare = bed.add_host(docker=False)
    result = Deploy(bare, tmp_path)(shop.push("1"))
    assert result.code == 2
    assert (
        "there is no `docker` command on the host; the service was not touched" in result.errors[0]
    )


def test_a_user_who_may_not_use_docker_is_named(host: Host, shop: Shop, deploy: Deploy) -> None:
    host.add_user_without_docker("guest")
    result = deploy(shop.push("1"), user="guest")
    assert result.code == 2
    assert "the user may not use Docker on the host" in result.errors[0]


def test_a_taken_port_is_named_with_its_holder(host: Host, shop: Shop, deploy: Deploy) -> None:
    image = shop.push("1")
    deploy(image, name="other")
    result = deploy(image)
    assert result.code == 2
    assert f"publish the port {PORT}: the container other already uses it" in result.errors[0]
    assert containers(host) == {"other": "running"}


def test_a_port_that_a_program_holds_is_named(host: Host, shop: Shop, deploy: Deploy) -> None:
    deploy(shop.push("1"))
    before = containers(host)
    image = shop.push("2")
    for address in ("", "127.0.0.1:"):
        result = deploy(image, ports=f"{address}22:{PORT}", replaces=str(PORT))
        assert result.code == 2
        assert (
            f"publish the port {address}22: a program of the user root already listens on "
            "0.0.0.0:22" in result.errors[0]
        )
        assert containers(host) == before


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"registry_password": "ghp_wrong"}, "the registry does not let the host pull the image"),
        ({"image": f"ghcr.io/acme/shop@sha256:{'0' * 64}"}, "the registry has no such image"),
        ({"networks": "nowhere"}, "there is no Docker network nowhere on the host"),
    ],
)
def test_what_is_wrong_before_the_switch_is_named(
    host: Host, shop: Shop, deploy: Deploy, change: dict[str, str], reported: str
) -> None:
    inputs = deploy.inputs(shop.push("5")) | {k.replace("_", "-"): v for k, v in change.items()}
    host.docker("image", "prune", "-af")
    result = run_action("ssh-deploy", inputs, env={"GREETING": "x"}, workspace=deploy.workspace)
    assert result.code == 2, result.log
    assert reported in result.errors[0]
    assert containers(host) == {}


def test_nothing_is_left_on_the_runner(host: Host, shop: Shop, deploy: Deploy) -> None:
    step = deploy.start(shop.push("1"))
    await_log(step, "starting the candidate")
    temp = step.temp
    assert {"ssh", "ssh-agent"} <= programs(temp)
    step.process.kill()
    step.result()
    wait_until(lambda: not programs(temp), "all programs have ended", seen=lambda: programs(temp))
    # A kill -9 leaves the folder with the client's configuration, which holds no secret.
    left = [text for text in map(text_in, Path("/tmp").glob("ship-*")) if host.ip in text]
    assert left
    assert not any("PRIVATE KEY" in text for text in left)
    assert "PRIVATE KEY" in host.private_key
    assert deploy(shop.push("1")).code == 0


def text_in(folder: Path) -> str:
    """Return all that is in the files of a folder, which may be another test's and go meanwhile."""
    with contextlib.suppress(OSError):
        return "".join(path.read_text() for path in folder.iterdir() if path.is_file())
    return ""


def programs(temp: Path) -> set[str]:
    """Return the names of the programs that a step has started and that still run."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"RUNNER_TEMP={temp}" in (folder / "environ").read_text(errors="replace"):
                found.add((folder / "comm").read_text().strip())
    return found

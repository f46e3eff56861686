from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from ship import remote_script
from ship.command import Secret
from ship.context import Context
from ship.deploy_advice import CAUSES
from ship.errors import UserError
from ship.remote_script import Facts, Phase
from ship.ssh import Target, configuration
from ship.ssh_deploy import Inputs, plan, read_inputs

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = "ghcr.io/acme/app@sha256:" + "c" * 64
KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----"
ACME = Context(repository="Acme/App", sha="0123abc", run_id="42")
NASTY = "a'b\"c $(id) `id` \\ \n;|&<>*?~#!% é"


def environment(**changes: str) -> dict[str, str]:
    given = {
        "host": "h1",
        "user": "deploy",
        "ssh-key": KEY,
        "known-hosts": "h1 ssh-ed25519 AAAA",
        "image": IMAGE,
        "ports": "8080:80",
        "health": "/health",
        "registry-username": "me",
        "registry-password": "t0ken",
        **changes,
    }
    return {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}


def inputs(**changes: str) -> Inputs:
    return read_inputs(environment(**changes), ACME)


def phases(**changes: str) -> dict[str, Phase]:
    return {phase.name: phase for phase in plan(inputs(**changes), ACME)}


def test_only_the_last_phase_touches_the_service() -> None:
    undo = [phase.undo for phase in phases().values()]
    assert list(phases()) == ["prepare", "check", "switch"]
    assert undo == [
        "nothing was touched",
        "the candidate is removed",
        "the previous container is started again",
    ]


def test_the_candidate_gets_no_published_port() -> None:
    made = phases(ports="80:8080\n443:8443")
    assert "publish" not in str(made["check"].parameters)
    assert made["switch"].parameters["PUBLISH"] == "--publish=80:8080/tcp --publish=443:8443/tcp"


def test_the_health_path_is_asked_where_the_port_is_published() -> None:
    switch = phases(ports="127.0.0.2:9090:80/tcp")["switch"].parameters
    assert (switch["ADDRESS"], switch["HEALTH_HOST_PORT"]) == ("127.0.0.2", "9090")
    assert phases(ports="[::]:9090:80")["switch"].parameters["ADDRESS"] == "[::1]"
    assert phases(ports="0.0.0.0:9090:80")["switch"].parameters["ADDRESS"] == "127.0.0.1"
    assert phases(ports="53:53/udp\n80:8080")["check"].parameters["HEALTH_PORT"] == "8080"


def test_the_token_of_the_job_goes_to_github_alone() -> None:
    given = {**environment(**{"registry-password": ""}), "JOB_TOKEN": "ghs_x"}
    assert read_inputs(given, ACME).password == Secret("ghs_x")
    given["INPUT_IMAGE"] = IMAGE.replace("ghcr.io", "registry.example.com")
    assert not read_inputs(given, ACME).auth


def test_a_dry_run_shows_every_parameter_and_no_secret() -> None:
    environ = {**environment(env="TOKEN\nLEVEL=info"), "TOKEN": "hunter2"}
    made = plan(read_inputs(environ, ACME), ACME)
    shown = "\n".join(phase.shown() for phase in made)
    assert "export TOKEN=***" in shown
    assert f"IMAGE={IMAGE}" in shown
    for secret in ("hunter2", "t0ken", "bm90IGEga2V5", "bWU6dDBrZW4="):
        assert secret not in shown


def test_no_secret_is_a_word_of_a_command() -> None:
    environ = {**environment(env="TOKEN"), "TOKEN": "hunter2"}
    for phase in plan(read_inputs(environ, ACME), ACME):
        assert "hunter2" not in str(phase.parameters.get("FLAGS"))


@pytest.mark.parametrize("shell", [("sh",), ("bash",), ("busybox", "sh")], ids=" ".join)
def test_any_value_arrives_in_any_shell_as_it_is(shell: tuple[str, ...], tmp_path: Path) -> None:
    phase = Phase(
        "prepare", "", "", {"NAME": NASTY}, {"PATH": Secret(NASTY), "docker": Secret("x")}
    )
    script = remote_script.text(phase, "m").reveal().removesuffix("main\n")
    script += 'printf %s "$NAME"\nset -- "$(command -v env)"\nwith_app_environment "$@" >"$OUT"\n'
    out = tmp_path / "out"
    done = subprocess.run(
        (*shell, "-s"),
        input=script,
        env={"PATH": "/usr/bin:/bin", "OUT": str(out)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == NASTY
    assert f"PATH={NASTY}\n" in out.read_text()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"host": ""}, "`host`: is required but empty"),
        ({"host": "-oProxyCommand=id"}, "not the name or address of a host"),
        ({"host": "h1\nProxyCommand id"}, "not the name or address of a host"),
        ({"user": "a b"}, "not the name of a user"),
        ({"port": "ssh"}, "not a whole number from 1 to 65535"),
        ({"known-hosts": ""}, "ssh-keyscan"),
        ({"image": "ghcr.io/acme/app:1"}, "names no digest"),
        ({"image": ""}, "nothing was pushed"),
        ({"name": "a b"}, "not the name of a container"),
        ({"name": "x"}, "not the name of a container"),
        ({"name": "shop.next"}, "not the name of a container"),
        ({"ports": "8080"}, "not a port to publish"),
        ({"ports": "80:99999"}, "not a port to publish"),
        ({"ports": "80:80\n0080:81"}, "port 80 of the host is published twice"),
        ({"ports": "80:80 --privileged"}, "not a port to publish"),
        ({"volumes": "data"}, "not a volume"),
        ({"volumes": "-v:/x"}, "not a volume"),
        ({"volumes": "s:/s"}, "not a volume"),
        ({"network": "--net"}, "not a network that the candidate can join too"),
        ({"network": "host"}, "not a network that the candidate can join too"),
        ({"restart": "sometimes"}, "not a restart policy"),
        ({"health": "health"}, "a path that begins with /"),
        ({"ports": "", "health": "/up"}, "there is none"),
        ({"health-timeout": "0"}, "from 1 to 3600"),
        ({"env": "SECONDS=1"}, "would change the shell"),
        ({"env": "DOCKER_HOST=tcp://x"}, "would change the shell or Docker's client"),
    ],
)
def test_a_wrong_input_is_named(changes: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        inputs(**changes)


def test_an_unset_port_means_the_default_of_ssh() -> None:
    assert inputs(port="").target.port == 22


def test_the_name_is_that_of_the_repository() -> None:
    assert inputs().name == "app"


def test_the_client_reads_nothing_of_the_runners_own_and_trusts_no_new_host() -> None:
    target = Target("::1", "deploy", 2222, "")
    text = configuration(target, "/tmp/x")
    assert "StrictHostKeyChecking yes" in text
    assert "GlobalKnownHostsFile /dev/null" in text
    assert "IdentityFile none" in text
    assert target.known_name == "[::1]:2222"


def facts(phase: str, *lines: str) -> Facts:
    made = Facts()
    mark = made.begin(Phase(phase, "", "", {}))
    for line in ("begin yes", *lines):
        made.take(f"{mark} {line}")
    return made


@pytest.mark.parametrize(
    ("phase", "lines", "result"),
    [
        ("prepare", ("failure disk", "end 1"), "refused"),
        ("check", ("failure unhealthy", "end 1"), "refused"),
        ("check", (), "refused"),
        ("switch", ("serving x", "end 0"), "deployed"),
        ("switch", ("failure unhealthy", "restored x", "end 1"), "rolled-back"),
        ("switch", ("failure start", "lost x", "end 1"), "failed"),
        ("switch", ("failure start", "end 1"), "refused"),
        ("switch", (), "unknown"),
        ("switch", ("serving x",), "deployed"),
    ],
)
def test_the_result_follows_from_what_the_host_told(
    phase: str, lines: tuple[str, ...], result: str
) -> None:
    assert facts(phase, *lines).result == result


def test_only_marked_lines_are_facts() -> None:
    made = Facts()
    mark = made.begin(Phase("switch", "", "", {}))
    for line in ("serving the shop since 1999", "end 0", f"{mark}serving x", f"{mark} unheard x"):
        made.take(line)
    assert (made.result, made.ended, made.get("unheard")) == ("refused", False, "")


@pytest.mark.parametrize(
    ("lines", "image"),
    [
        (("before old", "end 1"), "old"),
        (("previous old", "end 1"), ""),
        (("before old", "serving new", "end 0"), "new"),
        (("before old", "restored old", "end 1"), "old"),
        (("before old", "lost x", "end 1"), ""),
        (("before old",), ""),
    ],
)
def test_the_image_is_the_one_that_serves_as_far_as_known(
    lines: tuple[str, ...], image: str
) -> None:
    assert facts("switch", *lines).image == image


def test_a_hostile_host_cannot_fill_memory_or_the_terminal() -> None:
    made = facts("check", *(f"log {i}\x1b[2J" for i in range(5000)), "detail " + "x" * 9999)
    assert len(made.logs) < 300
    assert made.logs[-1] == "4999[2J"
    assert len(made.get("detail")) == 2000


def test_every_code_of_the_scripts_has_advice_and_no_advice_is_idle() -> None:
    text = "".join(
        remote_script.text(Phase(name, "", "", {}), "m").reveal()
        for name in ("prepare", "check", "switch")
    )
    codes = set(re.findall(r"\b(?:fail|give_up) ([a-z-]+)", text))
    assert codes | {"connection-lost", "no-shell"} == set(CAUSES)

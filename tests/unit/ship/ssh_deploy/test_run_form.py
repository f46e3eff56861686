from __future__ import annotations

import subprocess
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from ship.runner.command import Secret
from ship.runner.context import Context
from ship.runner.errors import UserError
from ship.ssh_deploy.inputs import Inputs, read_inputs
from ship.ssh_deploy.plan import plan
from ship.ssh_deploy.program import Program
from ship.ssh_deploy.run.inputs import RunForm

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ship.ssh_deploy.program import Value

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


def form(**changes: str) -> RunForm:
    made = inputs(**changes).form
    assert isinstance(made, RunForm)
    return made


def program(**changes: str) -> Program:
    return plan(inputs(**changes), ACME)


def parameters(**changes: str) -> Mapping[str, Value]:
    return program(**changes).parameters


def test_only_the_switch_touches_the_service() -> None:
    undo = {phase.name: phase.undo for phase in program().phases}
    assert list(undo) == ["look", "lock", "prepare", "check", "switch", "commit", "leave"]
    assert undo["prepare"] == "nothing was touched"
    assert undo["check"] == "the candidate is removed"
    assert undo["switch"] == "the previous container is started again"


def test_commands_before_and_after_are_phases_of_the_first_host() -> None:
    made = program(before="npx prisma migrate deploy\nnode seed.js 'a b'", after="node warm.js")
    assert [p.name for p in made.phases if p.first_host] == ["before", "after"]
    assert made.parameters["BEFORE"] == "npx prisma migrate deploy\nnode seed.js 'a b'"


def test_the_candidate_gets_no_published_port() -> None:
    given = parameters(ports="80:8080\n443:8443")
    assert "publish" not in str(given["FLAGS"])
    assert given["PUBLISH"] == "--publish=80:8080/tcp --publish=443:8443/tcp"


def test_the_health_path_is_asked_where_the_port_is_published() -> None:
    given = parameters(ports="127.0.0.2:9090:80/tcp")
    assert (given["ADDRESS"], given["HEALTH_HOST_PORT"]) == ("127.0.0.2", "9090")
    assert parameters(ports="[::]:9090:80")["ADDRESS"] == "[::1]"
    assert parameters(ports="0.0.0.0:9090:80")["ADDRESS"] == "127.0.0.1"
    assert parameters(ports="53:53/udp\n80:8080")["HEALTH_PORT"] == "8080"


def test_the_token_of_the_job_goes_to_github_alone() -> None:
    given = {**environment(**{"registry-password": ""}), "JOB_TOKEN": "ghs_x"}
    made = read_inputs(given, ACME).form
    assert isinstance(made, RunForm)
    assert made.login.password == Secret("ghs_x")
    given["INPUT_IMAGE"] = IMAGE.replace("ghcr.io", "registry.example.com")
    given["INPUT_REGISTRY_USERNAME"] = ACME.actor
    made = read_inputs(given, ACME).form
    assert isinstance(made, RunForm)
    assert not made.login.auth


@pytest.mark.parametrize(
    ("image", "password", "first"),
    [("acme", "", ""), ("other", "", "yes"), ("other", "s3cret", "")],
)
def test_for_an_image_of_another_owner_a_login_of_the_host_goes_first(
    image: str, password: str, first: str
) -> None:
    given = {**environment(**{"registry-password": password}), "JOB_TOKEN": "ghs_x"}
    given["INPUT_IMAGE"] = IMAGE.replace("acme", image)
    made = read_inputs(given, ACME).form
    assert isinstance(made, RunForm)
    assert made.login.parameters()["HOST_LOGIN_FIRST"] == first
    assert made.login.auth


def test_a_dry_run_shows_every_parameter_and_no_secret() -> None:
    environ = {**environment(env="TOKEN\nLEVEL=info"), "TOKEN": "hunter2"}
    environ["INPUT_SECRET_FILES"] = "cert=pem-of-mine"
    shown = plan(read_inputs(environ, ACME), ACME).shown()
    assert "export TOKEN=***" in shown
    assert "file cert ***" in shown
    assert f"IMAGE={IMAGE}" in shown
    for secret in ("hunter2", "t0ken", "bm90IGEga2V5", "bWU6dDBrZW4=", "pem-of-mine"):
        assert secret not in shown


def test_no_secret_is_a_word_of_a_command() -> None:
    environ = {**environment(env="TOKEN"), "TOKEN": "hunter2"}
    assert "hunter2" not in str(plan(read_inputs(environ, ACME), ACME).parameters)


def test_the_site_and_the_good_statuses_reach_the_host() -> None:
    given = parameters(**{"health-host": "shop.example.com:81", "health-status": "200-399,401"})
    assert given["HEALTH_HOST"] == "shop.example.com:81"
    assert given["HEALTH_STATUS"] == "200-399 401-401"
    assert (parameters()["HEALTH_HOST"], parameters()["HEALTH_STATUS"]) == ("", "200-299")


def test_a_variable_of_128_kib_is_refused_and_one_byte_less_is_not() -> None:
    longest = "x" * (128 * 1024 - len("A=") - 1)
    assert form(env=f"A={longest}").env["A"] == Secret(longest)
    with pytest.raises(UserError, match="input `env`: A is too long: Linux allows 128 KiB"):
        inputs(env=f"A={longest}x")


def test_limits_and_options_are_flags() -> None:
    flags = str(parameters(memory="512m", cpus="1.5", options="--init --cap-drop=ALL")["FLAGS"])
    for flag in ("--memory=512m", "--cpus=1.5", "--init", "--cap-drop=ALL"):
        assert flag in flags


def test_what_others_find_a_container_by_is_not_in_the_flags_of_all() -> None:
    options = "--init --hostname=shop --ip=10.0.0.9 --label-file=/etc/labels --mac-address=02::1"
    environ = environment(labels="traefik.enable=true", env="VIRTUAL_HOST\nA", options=options)
    given = plan(
        read_inputs({**environ, "VIRTUAL_HOST": "a.test", "A": "1"}, ACME), ACME
    ).parameters
    assert str(given["FOUND_BY"]).split() == [
        "--label=traefik.enable=true", "--env=VIRTUAL_HOST", "--hostname=shop", "--ip=10.0.0.9",
        "--label-file=/etc/labels", "--mac-address=02::1",
    ]  # fmt: skip
    flags = str(given["FLAGS"]).split()
    assert [each for each in flags if "gen-workflow" not in each] == ["--env=A", "--init"]


@pytest.mark.parametrize(
    ("given", "both"),
    [
        ({}, False),
        ({"volumes": "data:/data"}, True),
        ({"volumes": "/srv/a:/a"}, True),
        ({"volumes": "data:/data:rw"}, True),
        ({"volumes": "data:/data:z"}, True),
        ({"volumes": "data:/data:ro"}, False),
        ({"volumes": "/srv/a:/a:z,ro"}, False),
        ({"volumes": "data:/ro"}, True),
        ({"volumes": "aa:/a:ro\nbb:/b"}, True),
        ({"options": "--mount=type=bind,source=/srv/a,target=/a"}, True),
        ({"options": "--mount=src=data,dst=/data"}, True),
        ({"options": "--mount=type=volume,source=data,target=/data,readonly=false"}, True),
        ({"options": "--mount=type=volume,source=data,target=/data,readonly"}, False),
        ({"options": "--mount=type=bind,source=/srv/a,target=/a,ro=true"}, False),
        ({"options": "--mount=Type=bind,Source=/srv/a,target=/a,READONLY=1"}, False),
        ({"options": "--mount=type=volume,target=/data"}, False),
        ({"options": "--mount=type=tmpfs,target=/data"}, False),
        (
            {
                "options": "'--mount=type=volume,source=nfs,target=/n,"
                '"volume-opt=o=addr=10.0.0.1,readonly"\''
            },
            True,
        ),
        ({"options": "--tmpfs=/run"}, False),
        ({"options": "--volumes-from=store"}, True),
        ({"options": "--volumes-from=store:ro"}, False),
    ],
)
def test_two_containers_never_write_to_one_volume(given: dict[str, str], *, both: bool) -> None:
    made = program(**given)
    assert ("check" in [phase.name for phase in made.phases]) is not both
    assert ("both would write to" in made.note) is both
    assert (made.note in made.shown()) or not both
    assert "check" in [phase.name for phase in program(**given, candidate="always").phases]


def test_a_candidate_can_be_switched_off() -> None:
    made = program(candidate="never")
    names = [phase.name for phase in made.phases]
    assert names == ["look", "lock", "prepare", "switch", "commit", "leave"]
    assert "because `candidate: never` says so" in made.note
    assert program(candidate="always").note == program().note == ""


def test_a_release_to_go_back_to_needs_no_image() -> None:
    given = parameters(image="", rollback="previous")
    assert (given["IMAGE"], given["ROLLBACK"]) == ("", "previous")
    assert parameters(rollback="v1.2")["REPOSITORY"] == "ghcr.io/acme/app"
    assert parameters(image="ghcr.io/acme/app", rollback="v1.2")["REPOSITORY"] == "ghcr.io/acme/app"


def test_a_file_of_variables_is_taken_as_it_is_and_env_goes_over_it(tmp_path: Path) -> None:
    (tmp_path / "app.env").write_text("# all\nA=1 \nB='x'\n")
    environ = environment(**{"env-file": "app.env", "env": "A=2"})
    made = read_inputs(environ, ACME._replace(workspace=str(tmp_path))).form
    assert isinstance(made, RunForm)
    assert made.env == {"A": Secret("2"), "B": Secret("'x'")}


@pytest.mark.parametrize("shell", [("sh",), ("bash",), ("busybox", "sh")], ids=" ".join)
def test_any_value_arrives_in_any_shell_as_it_is(shell: tuple[str, ...], tmp_path: Path) -> None:
    made = Program(
        ("host/common", "run/run"), (), {"NASTY": NASTY},
        {"PATH": Secret(NASTY), "docker": Secret("x")},
        {"cert.pem": Secret(NASTY)},
    )  # fmt: skip
    script = made.preamble("m").reveal()
    script += 'printf %s "$NASTY"\nset -- "$(command -v env)"\nwith_app_environment "$@" >"$OUT"\n'
    script += 'secret_files "${OUT%/*}"\nfinished=yes\n'
    out = tmp_path / "out"
    done = subprocess.run(
        (*shell, "-s"),
        input=script,
        env={"PATH": "/usr/bin:/bin", "OUT": str(out)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"ship-ready m\n{NASTY}"
    assert (tmp_path / "cert.pem").read_text() == NASTY
    assert f"PATH={NASTY}\n" in out.read_text()


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"host": ""}, "`host`: is required but empty"),
        ({"host": "-oProxyCommand=id"}, "not the name or address of a host"),
        ({"user": "a b"}, "not the name of a user"),
        ({"port": "ssh"}, "not a whole number from 1 to 65535"),
        ({"known-hosts": ""}, "ssh-keyscan"),
        ({"image": "ghcr.io/acme/app:1"}, "has no digest"),
        ({"image": ""}, "nothing was pushed"),
        ({"image": IMAGE.replace("acme", "Acme")}, "has capital letters, which the name of an"),
        ({"image": "Acme/App", "rollback": "previous"}, "hint: write acme/app, as build-push does"),
        ({"image": f"{IMAGE}0"}, "has no digest of the form sha256: and 64 digits"),
        ({"image": IMAGE.replace("/app", "/")}, "is not the name of an image"),
        ({"health-host": "https://shop.example.com/"}, "is not the name of a site"),
        ({"health": "", "health-host": "a"}, "`health-host`: has no effect without `health`"),
        ({"health": "", "health-status": "200"}, "`health-status`: has no effect without `health`"),
        ({"health-status": "2xx"}, "'2xx' is not a status or a range of them"),
        ({"health-status": "399-200"}, "'399-200' is not a status or a range of them"),
        ({"name": "a b"}, "not the name of a service"),
        ({"name": "x"}, "not the name of a service"),
        ({"name": "shop.next"}, "not the name of a service"),
        ({"ports": "8080"}, "not a port to publish"),
        ({"ports": "80:99999"}, "not a port to publish"),
        ({"ports": "80:80\n0080:81"}, "port 80 of the host is published twice"),
        ({"ports": "80:80 --privileged"}, "not a port to publish"),
        ({"ports": "[:::::]:80:80"}, ":::::. is not an address"),
        ({"ports": "01.2.3.4:80:80"}, "not a port to publish"),
        (
            {"volumes": "data:/a\n/srv:/b/../a/"},
            "same path of the container as 'data:/a'",
        ),
        ({"volumes": "data:/."}, "would take the place of all files of the container"),
        ({"volumes": "data:/a:rw,zzz"}, "Docker does not take 'zzz' here"),
        ({"restart": "on-failure:99999999999999999999"}, "not a restart policy"),
        ({"volumes": "data"}, "not a volume"),
        ({"volumes": "-v:/x"}, "not a volume"),
        ({"volumes": "s:/s"}, "not a volume"),
        ({"networks": "--net"}, "not a network that a container can join"),
        ({"networks": "host"}, "not a network that a container can join"),
        ({"restart": "sometimes"}, "not a restart policy"),
        ({"health": "health"}, "a path that begins with /"),
        ({"ports": "", "health": "/up"}, "there is none"),
        ({"options": "--cap-add ALL"}, "'ALL' is not an option in its long form"),
        ({"options": "-p=80:80"}, "not an option in its long form"),
        ({"options": "--publish=80:80"}, "has an input of its own: `ports`"),
        ({"options": "--net-alias=shop"}, "has an input of its own: `name`"),
        ({"candidate": "sometimes"}, "'sometimes' is not one of auto, always, never"),
        ({"options": "--rm"}, "or make a rollback impossible"),
        (
            {"options": "--entrypoint"},
            "--entrypoint has no value\n  hint: write --entrypoint=value",
        ),
        ({"options": "--stop-timeout=5"}, "has an input of its own: `stop-timeout`"),
        ({"command": "sh -c 'x"}, "cannot be split into words"),
        ({"before": "a && b"}, "let a shell run it: sh -c '… && …'"),
        ({"after": "a | b"}, "has the shell operator |"),
        ({"command": "a; b"}, "has the shell operator ;"),
        ({"host-files": "keep"}, "is only for a compose project"),
        ({"before": "sh -c 'x"}, "`before`: cannot be split into words"),
        ({"memory": "much"}, "not a size"),
        ({"labels": "io.github.gen-workflow.service=x"}, "not the name of a label"),
        ({"secret-files": "../x=1"}, "line 1 does not have the form NAME or NAME=value"),
        ({"registry-password": ""}, "`registry-password`: is empty, but the user 'me' needs one"),
        ({"ports": "999.1.1.1:80:80"}, "not a port to publish"),
        ({"rollback": "ghcr.io/acme/app@sha256:1"}, "write `previous`, a digest"),
        ({"lock-timeout": "10m"}, "write only digits, without a unit"),
        ({"env-file": "nowhere"}, "check that actions/checkout runs before"),
        ({"dir": "/srv/shop"}, "`dir`: is only for a compose project"),
        ({"files": "nginx.conf"}, "`files`: is only for a compose project"),
        ({"images": f"web={IMAGE}"}, "`images`: is only for a compose project"),
        ({"rollback": "../x"}, "`previous`, a digest or a tag"),
        ({"max-parallel": "0"}, "a number of hosts or a percentage"),
        ({"max-parallel": "120%"}, "a number of hosts or a percentage"),
        ({"health-command": "x"}, "cannot be used together with `health`"),
        ({"script": "id"}, "`image`: cannot be used together with `script`"),
        ({"health-timeout": "0"}, "from 1 to 3600"),
        ({"replaces": "80;id"}, "'80;id' is not what a service has"),
        ({"adopt": "shop"}, "neither true nor false"),
        ({"script": "id", "image": "", "adopt": "true"}, "`adopt`: cannot be used together"),
        ({"env": "SECONDS=1"}, "would change the shell"),
        ({"env": "DOCKER_HOST=tcp://x"}, "would change the shell or Docker's client"),
    ],
)
def test_a_wrong_input_is_named(changes: dict[str, str], reported: str) -> None:
    with pytest.raises(UserError, match=reported):
        inputs(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"options": "-e TOKEN=hunter2"},
        {"options": "--env 'TOKEN=hunter2"},
        {"command": "app --token 'hunter2"},
        {"env": "KEY=first\nhunter2"},
        {"secret-files": "KEY=first\nhunter2\n+hunter2"},
    ],
)
def test_a_value_that_may_be_a_secret_is_not_shown(changes: dict[str, str]) -> None:
    with pytest.raises(UserError) as raised:
        inputs(**changes)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("name", ["known-hosts", "host-fingerprints", "host-ca", "user", "image"])
def test_a_private_key_in_any_other_input_is_named_and_not_shown(name: str) -> None:
    key = KEY.replace("bm90", "c2VjcmV0")
    with pytest.raises(UserError) as raised:
        inputs(**{name: key, "name": key})
    reported = str(raised.value)
    assert f"input `{name}`: holds a private key" in reported
    assert "input `name`: holds a private key" in reported
    assert "c2VjcmV0" not in reported


def test_the_key_of_a_service_account_may_be_a_password() -> None:
    account = '{"private_key": "-----BEGIN PRIVATE KEY-----\\nabc"}'
    made = form(**{"registry-username": "_json_key", "registry-password": account})
    assert made.login.password == Secret(account)


@pytest.mark.parametrize(
    ("ports", "good"),
    [
        ("80:80\n127.0.0.1:80:80", False),
        ("0.0.0.0:80:80\n127.0.0.1:80:80", False),
        ("[::]:80:80\n80:80", False),
        ("[::]:80:80\n[::1]:80:80", False),
        ("10.0.0.1:80:80\n10.0.0.1:80:81", False),
        ("0.0.0.0:80:80\n[::]:80:80", True),
        ("0.0.0.0:80:80\n[::1]:80:80", True),
        ("127.0.0.1:80:80\n10.0.0.1:80:80", True),
        ("[::1]:80:80\n[0:0:0:0:0:0:0:1]:80:81", False),
        ("[0::0]:80:80\n[::1]:80:80", False),
        ("80:80\n80:80/udp\n81:80", True),
    ],
)
def test_a_port_is_published_once_on_an_address(ports: str, *, good: bool) -> None:
    with nullcontext() if good else pytest.raises(UserError, match="published twice"):
        inputs(ports=ports)


def test_the_word_for_the_release_before_may_be_written_in_any_way() -> None:
    assert parameters(rollback="Previous")["ROLLBACK"] == "previous"


def test_a_login_without_a_user_name_is_that_of_the_actor() -> None:
    given = environment(**{"registry-username": ""})
    made = read_inputs(given, ACME._replace(actor="octocat")).form
    assert isinstance(made, RunForm)
    assert made.login.username == "octocat"


def test_a_label_may_have_any_name_that_docker_takes() -> None:
    name = "traefik.http.routers.web.tls.domains[0].main"
    given = parameters(labels=f"{name}=example.com")
    assert f"--label={name}=example.com" in str(given["FOUND_BY"])


def test_a_dry_run_says_where_it_would_happen() -> None:
    several = inputs(**{"host": "h1\nroot@h2:2222", "max-parallel": "1", "jump": "gate"})
    assert (
        several.common.shown()
        == "this runs on deploy@h1, root@[h2]:2222, on 1 at a time, through deploy@gate"
    )
    assert inputs().common.shown() == "this runs on deploy@h1"


def test_an_unset_port_means_the_default_of_ssh() -> None:
    assert inputs(port="").common.targets[0].port == 22


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "app"),
        ({"environment": "production"}, "app"),
        ({"environment": "staging"}, "app-staging"),
        ({"environment": "Review / Feature_1"}, "app-review-feature_1"),
        ({"environment": "production-eu"}, "app-production-eu"),
        ({"image": IMAGE.replace("/app@", "/app-api@")}, "app-api"),
        ({"image": IMAGE.replace("/app@", "/app/api@")}, "app-api"),
        ({"image": IMAGE.replace("/app@", "/api@"), "environment": "test"}, "app-api-test"),
        ({"image": IMAGE.replace("ghcr.io/acme/app@", "nginx@")}, "app-nginx"),
        ({"image": "", "rollback": "previous"}, "app"),
        ({"environment": "staging", "name": "shop"}, "shop"),
    ],
)
def test_the_default_name_tells_services_and_environments_apart(
    changes: dict[str, str], name: str
) -> None:
    assert inputs(**changes).common.name == name


@pytest.mark.parametrize(
    ("changes", "earlier"),
    [
        ({}, ""),
        ({"environment": "staging"}, "app"),
        ({"name": "app-staging", "environment": "staging"}, "app"),
        ({"name": "App"}, "app"),
        ({"name": "worker"}, ""),
    ],
)
def test_the_earlier_default_name_is_looked_at_where_the_new_one_is_used(
    changes: dict[str, str], earlier: str
) -> None:
    assert parameters(**changes)["EARLIER_NAME"] == earlier


def test_what_is_compared_with_the_service_is_sent_to_the_host() -> None:
    given = parameters(
        ports="10.0.0.1:80:8080\n127.0.0.1:80:8081\n[::1]:53:53/udp",
        replaces="8080, ghcr.io/acme/old\nproduction",
        adopt="true",
        volumes="data:/data:ro",
        env="LEVEL=info",
    )
    assert given["SERVED_PORTS"] == "80 53"
    assert given["SERVED"] == "10.0.0.1:80:8080/tcp 127.0.0.1:80:8081/tcp ::1:53:53/udp"
    assert given["REPLACES"] == "8080 ghcr.io/acme/old production"
    assert (given["ADOPT"], parameters()["ADOPT"]) == ("yes", "")
    assert "SERVED" not in parameters(), "it is for an adoption alone"
    assert (given["VOLUMES"], given["ENV_NAMES"]) == ("data:/data", "LEVEL")


@pytest.mark.parametrize(
    ("given", "size"), [("", 8), ("3", 3), ("25%", 2), ("10%", 1), ("100%", 8), ("99", 99)]
)
def test_a_group_is_a_number_or_a_part_of_the_hosts(given: str, size: int) -> None:
    hosts = " ".join(f"h{number}" for number in range(8))
    made = inputs(host=hosts, **{"max-parallel": given, "known-hosts": "* ssh-ed25519 AAAA"})
    assert made.common.group_size() == size


def test_an_attempt_of_a_run_is_an_owner_of_its_own() -> None:
    again = ACME._replace(run_attempt="2")
    owner = str(plan(inputs(), ACME).parameters["OWNER"])
    assert owner == "https://github.com/Acme/App/actions/runs/42"
    assert plan(inputs(), again).parameters["OWNER"] == f"{owner}/attempts/2"

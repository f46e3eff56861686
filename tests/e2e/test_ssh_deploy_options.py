"""What can be said of a container and of a deploy, each seen on a real host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed.deploys import SECRET, Deploy, Serving, containers, served
from bed.shop import PORT, Shop

if TYPE_CHECKING:
    from pathlib import Path

    from bed import Host

pytestmark = pytest.mark.needs("packages", "engine")
BUSYBOX = "/bin/busybox"


def inspect(host: Host, name: str = "shop") -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(host.docker("inspect", name).stdout)
    return found[0]


def test_a_container_has_all_that_was_asked_for(
    host: Host, shop: Shop, deploy: Deploy, tmp_path: Path
) -> None:
    for network in ("front", "back"):
        host.docker("network", "create", network)
    (tmp_path / "app.env").write_text("LEVEL=info # all\nGREETING=overridden\n")
    result = deploy.run(
        deploy.inputs(
            shop.push("1"),
            networks="front\nback",
            env_file="app.env",
            labels="traefik.enable=true\nteam=a b",
            memory="64m",
            cpus="0.5",
            options="--init --cap-drop=ALL\n--stop-signal=SIGTERM --hostname=shop",
            secret_files="CERT",
            restart="on-failure:3",
        ),
        env={"CERT": "-----BEGIN\nline 2 with 'quotes'\n"},
    )
    assert result.code == 0, result.log
    made = inspect(host)
    assert set(made["NetworkSettings"]["Networks"]) == {"front", "back"}
    assert "LEVEL=info # all" in made["Config"]["Env"]
    assert f"GREETING={SECRET}" in made["Config"]["Env"]
    assert made["Config"]["Labels"]["team"] == "a b"
    assert made["HostConfig"]["Memory"] == 64 * 1024 * 1024
    assert made["HostConfig"]["NanoCpus"] == 500_000_000
    assert made["HostConfig"]["Init"] is True
    assert made["HostConfig"]["CapDrop"] == ["ALL"]
    assert made["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    content = host.docker("exec", "shop", BUSYBOX, "cat", "/run/secrets/CERT").stdout
    assert content == "-----BEGIN\nline 2 with 'quotes'\n"
    assert "line 2" not in json.dumps(made), "a file is not seen in docker inspect"


@pytest.mark.test_all
def test_secret_files_of_old_releases_are_gone(host: Host, shop: Shop, deploy: Deploy) -> None:
    for version in ("1", "2", "4"):
        inputs = deploy.inputs(shop.push(version), secret_files=f"CERT=of {version}")
        assert deploy.run(inputs).code == 0
    folder = "/home/deploy/.gen-workflow/shop/secrets"
    kept = host.run("sh", "-c", f"cat {folder}/*/CERT").stdout
    assert kept in ("of 2of 4", "of 4of 2")
    assert host.run("stat", "-c", "%a", folder.rpartition("/")[0]).stdout.strip() == "700"
    assert inspect(host, "shop.previous")["Mounts"], (
        "the container for the rollback still has its files"
    )


def test_a_command_of_ones_own_runs_in_the_container(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    result = deploy(
        shop.push("1"),
        command="sh -c 'mkdir -p /www; echo \"own $0\" >/www/health; exec $1' $x "
        "'/bin/busybox httpd -f -p 8080 -h /www'",
        options=f"--entrypoint={BUSYBOX}",
    )  # fmt: skip
    assert result.code == 0, result.log
    assert served(host, "/health") == "own $x"


def test_a_migration_runs_once_in_the_new_image_before_anything_is_touched(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    result = deploy(
        shop.push("1"),
        before="sh -c 'echo \"migrated for $GREETING\" >>/state/log'",
        after="sh -c 'echo warmed >>/state/log'",
        options="--entrypoint=/bin/busybox",
        command="sh /bin/serve",
    )
    assert result.code == 0, result.log
    log = host.docker("exec", "shop", BUSYBOX, "cat", "/state/log").stdout
    assert log == f"migrated for {SECRET}\nwarmed\n"
    assert containers(host) == {"shop": "running"}


def test_a_migration_that_fails_stops_the_deploy(serving: Serving, shop: Shop) -> None:
    host, deploy = serving
    given = {"options": "--entrypoint=/bin/busybox", "command": "sh /bin/serve"}
    result = deploy(shop.push("2"), before="sh -c 'echo no table >&2; exit 4'", **given)
    assert result.code == 1
    assert "of `before` failed in the new image; the service was not touched" in result.errors[0]
    assert "no table" in result.log
    assert containers(host) == {"shop": "running"}
    assert served(host) == "1"


def test_a_health_command_decides(shop: Shop, deploy: Deploy) -> None:
    # The image has no shell at the usual place, so the command cannot run: the error says so.
    result = deploy(
        shop.push("1"), health="", health_command="test -e /www/health", health_timeout="6"
    )
    assert result.code == 1
    assert "its health command ended with exit code" in result.errors[0]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param("healthcheck", 0, marks=pytest.mark.test_all),
        ("unhealthy", 1),
    ],
)
def test_without_a_path_the_healthcheck_of_the_image_decides(
    shop: Shop, deploy: Deploy, fault: str, code: int
) -> None:
    result = deploy(shop.push("6", fault), health="", health_timeout="20")
    assert result.code == code, result.log
    if code:
        assert "its HEALTHCHECK says unhealthy; the service was not touched" in result.errors[0]


def test_commands_over_ssh_have_their_output_and_their_exit_code(deploy: Deploy) -> None:
    inputs = deploy.inputs("", script="echo one\necho two >&2\nprintf 'three\\n\\nEOF\\n'\n")
    for name in ("image", "ports", "health", "volumes", "health-timeout"):
        del inputs[name]
    result = deploy.run(inputs)
    assert result.code == 0, result.log
    assert result.outputs["stdout"] == "one\nthree\n\nEOF"
    assert result.outputs["exit-code"] == "0"
    assert "\ntwo\n" in result.log


def test_a_command_that_fails_ends_the_script(deploy: Deploy) -> None:
    text = 'test "$GREETING" = x || echo "has it"\nls /nowhere\necho not reached\n'
    inputs = deploy.inputs("", script=text)
    for name in ("image", "ports", "health", "volumes", "health-timeout"):
        del inputs[name]
    result = deploy.run(inputs)
    assert result.code == 1
    assert result.outputs["exit-code"] == "2"
    assert result.outputs["stdout"] == "has it"
    assert "the script ended with exit code 2" in result.errors[0]


def test_the_output_of_a_script_is_no_workflow_command(deploy: Deploy) -> None:
    inputs = deploy.inputs("", script="echo '::set-output name=x::y'\necho '::error::mine'\n")
    for name in ("image", "ports", "health", "volumes", "health-timeout"):
        del inputs[name]
    result = deploy.run(inputs)
    start = result.log.index("::stop-commands::")
    assert result.log.index("::error::mine") > start
    assert "::set-output" in result.outputs["stdout"]


def test_a_healthy_deploy_needs_no_published_port(host: Host, shop: Shop, deploy: Deploy) -> None:
    result = deploy(shop.push("1"), health="", ports="", health_timeout="2")
    assert result.code == 0, result.log
    assert deploy(shop.push("2"), health="", ports="", health_timeout="2").outputs["gap-ms"]
    assert served(host, port=PORT) == ""

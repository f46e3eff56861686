"""Which container a deploy may replace, under real shells, with a stand-in for Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.waiting import PATIENCE_SECONDS
from script_host import (
    ACME,
    COMMON,
    DASH_FIRST,
    IMAGE,
    PHASES,
    PROGRAM,
    WANTED,
    ScriptHost,
    listen,
    say,
)
from ship.runner.command import Secret
from ship.ssh_deploy.program import call
from ship.ssh_deploy.proxy.inputs import ProxyForm
from ship.ssh_deploy.proxy.plan import plan_proxy
from ship.ssh_deploy.run.plan import plan_run
from ship.ssh_deploy.run.ports import Port

if TYPE_CHECKING:
    from pathlib import Path

    from ship.ssh_deploy.program import Program

BY_HAND = "nginx:1.25"
ON_8081 = WANTED._replace(ports=(Port("", "8081", "80", "tcp"),))
WEB = WANTED._replace(ports=(Port("", "80", "8080", "tcp"),), health="/up")
CHANGES = ("rm", "pull", "create", "stop", "start", "rename", "update")


@pytest.fixture(params=DASH_FIRST)
def script_host(request: pytest.FixtureRequest, tmp_path: Path) -> ScriptHost:
    return ScriptHost(tmp_path, request.param)


def behind_the_proxy(*hosts: str, adopt: bool = False) -> Program:
    proxy = ProxyForm(WEB, hosts=hosts, tls=False, image=IMAGE, drain_timeout=1)
    return plan_proxy(COMMON._replace(adopt=adopt), proxy, ACME)


def adopting() -> Program:
    return plan_run(COMMON._replace(adopt=True), WANTED, ACME)


def made_by_hand(script_host: ScriptHost) -> ScriptHost:
    script_host.make("foreign", "app")
    script_host.make("image-of-app", BY_HAND)
    return script_host


def refused(script_host: ScriptHost, program: Program) -> list[str]:
    """Return the facts of a deploy that must not have changed anything."""
    before = script_host.boxes
    facts = script_host.run(*PHASES, program=program)
    assert "finished 1" in facts
    assert script_host.boxes == before
    assert not [each for each in script_host.calls if each.startswith(CHANGES)]
    return facts


@pytest.mark.parametrize("form", ["plain", "proxy"])
def test_a_container_that_no_deploy_made_is_not_replaced(
    script_host: ScriptHost, form: str
) -> None:
    made_by_hand(script_host)
    facts = refused(script_host, PROGRAM if form == "plain" else behind_the_proxy())
    assert "failure not-adopted" in facts
    assert f"detail app (image {BY_HAND})" in facts


@pytest.mark.parametrize(
    ("label", "owner"),
    [
        (
            "com.docker.compose.oneoff False\ncom.docker.compose.project shop",
            "the compose project shop",
        ),
        ("com.docker.swarm.service.name shop_web", "the Swarm service shop_web"),
        ("io.kubernetes.pod.name web-0", "the Kubernetes pod web-0"),
        ("com.dokku.app-name shop", "the Dokku app shop"),
        ("coolify.name abc", "the Coolify resource abc"),
        ("service shop-db", "the Kamal service shop-db"),
        ("PODMAN_SYSTEMD_UNIT web.service", "the systemd unit web.service"),
        ("io.github.gen-workflow.published 80:80", "the proxy of all services, on 80:80"),
    ],
)
def test_a_container_of_another_tool_is_not_replaced_whatever_is_said(
    script_host: ScriptHost, label: str, owner: str
) -> None:
    made_by_hand(script_host).make("labels", f"a.label of nobody\n{label}\nz.label\n")
    facts = refused(script_host, adopting())
    assert "failure foreign" in facts
    assert f"detail app (image {BY_HAND}, of {owner})" in facts


def test_a_container_of_an_image_that_compose_has_built_may_be_made_by_hand(
    script_host: ScriptHost,
) -> None:
    made_by_hand(script_host).make("labels", "com.docker.compose.project shop\n")
    assert script_host.run(*PHASES, program=adopting())[-1] == "ship-gone word 0"


def test_an_engine_that_gives_no_answer_makes_nothing_look_hand_made(
    script_host: ScriptHost,
) -> None:
    made_by_hand(script_host).make("labels", "coolify.name shop\n")
    script_host.make("broken", "container inspect --format {{range $name, $value := .Config")
    script_host.functions += "engine_answers() { return 1; }\n"
    assert "failure docker-down" in refused(script_host, adopting())


def test_an_adopted_container_is_kept_and_its_definition_too(script_host: ScriptHost) -> None:
    facts = made_by_hand(script_host).run(*PHASES, program=adopting())
    assert facts[-1] == "ship-gone word 0"
    assert script_host.boxes == {"app": "running", "app.previous": "stopped"}
    definition = script_host.state / "adopted-app.json"
    assert definition.stat().st_mode & 0o777 == 0o600
    assert f"definition {definition}" in facts
    assert f"adopted {BY_HAND}" in facts
    assert "container inspect app" in script_host.calls
    assert not (script_host.state / "adopted").exists()


def test_what_differs_is_told_by_name_and_without_a_value(script_host: ScriptHost) -> None:
    made_by_hand(script_host)
    script_host.make("networks", "web\nback\n\n")
    script_host.make("env", '"PATH=/bin"\n"GREETING=hello"\n"KEY=s3cret\\nA=b"\n"LEVEL=own"\n\n')
    script_host.make("env-of-image", '"PATH=/bin"\n"LEVEL=of the image"\n\n')
    script_host.make("mounts", f"\n{'a' * 64}:/cache\n/srv/my files:/data\nstate:/state\n")
    script_host.make("bindings", "\n8080:80/tcp\n127.0.0.1:9090:90/tcp\n")
    wanted = WANTED._replace(
        networks=("back", "front"),
        env={"GREETING": Secret("hi")},
        volumes=("state:/state:ro",),
        ports=(Port("127.0.0.1", "9090", "90", "tcp"), Port("", "80", "80", "tcp")),
    )
    facts = script_host.run(*PHASES, program=plan_run(COMMON._replace(adopt=True), wanted, ACME))
    assert facts[-1] == "ship-gone word 0"
    assert (
        "lost-settings the network web; the variables KEY, LEVEL; "
        "the volumes an anonymous one at /cache, /srv/my files:/data; the port 8080:80/tcp"
    ) in facts
    assert "new-settings the network front; the port 80:80/tcp" in facts
    assert not [each for each in (*facts, *script_host.calls) if "s3cret" in each]


def test_a_container_that_a_killed_deploy_adopted_needs_no_word_to_serve_again(
    script_host: ScriptHost,
) -> None:
    made_by_hand(script_host).make("box/app", "stopped")
    script_host.make("box/app.next", "running")
    script_host.state.mkdir(parents=True)
    (script_host.state / "adopted").write_text("id-of-app")
    facts = script_host.run(*PHASES)
    assert "recovered yes" in facts
    assert facts[-1] == "ship-gone word 0"


def test_a_name_that_another_container_gets_in_the_switch_stays_with_it(
    script_host: ScriptHost,
) -> None:
    (script_host.folder / "box" / "app").unlink()
    through = PHASES.index("switch") + 1
    process = script_host.start()
    say(process, call(*PHASES[:through]))
    listen(process, "end switch")
    script_host.make("box/app", "running")
    script_host.make("foreign", "app")
    say(process, call(*PHASES[through:]))
    assert "failure name-lost" in listen(process, "ship-gone")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert script_host.boxes == {"app": "running", "app.next": "running"}
    assert not [each for each in script_host.calls if each.startswith("rename app ")]


def test_the_beginning_of_an_id_is_no_name(script_host: ScriptHost) -> None:
    script_host.make("real-name", "other")
    facts = refused(script_host, PROGRAM)
    assert "detail other (image ghcr.io/acme/app:1, whose ID begins with app)" in facts


def test_a_proxy_of_others_is_asked_and_stopped_by_no_deploy(script_host: ScriptHost) -> None:
    script_host.make("box/gen-workflow-proxy", "running")
    script_host.make("proxied", "")
    assert "failure foreign" in refused(script_host, behind_the_proxy())
    assert not [each for each in script_host.calls if each.startswith(("exec", "top"))]


def test_staging_does_not_replace_production(script_host: ScriptHost) -> None:
    script_host.make("published", "80 443 ")
    facts = refused(script_host, plan_run(COMMON, ON_8081, ACME))
    assert "failure other-service" in facts
    assert "detail the port 80 443, and this deploy has 8081" in facts
    assert "old 80 443" in facts


@pytest.mark.parametrize(
    ("name", "text", "program", "detail"),
    [
        (
            "image-of-app",
            f"ghcr.io/acme/api@{IMAGE.partition('@')[2]}",
            PROGRAM,
            "the image ghcr.io/acme/api, and this deploy has ghcr.io/acme/app",
        ),
        (
            "environment",
            "production",
            plan_run(COMMON._replace(environment="staging"), WANTED, ACME),
            "the environment production, and this deploy has staging",
        ),
        (
            "route",
            "8080 --host=shop.example.com --host=*.example.com --health-check-path=/up",
            behind_the_proxy("stage.example.com"),
            "the host name shop.example.com *.example.com, and this deploy has stage.example.com",
        ),
    ],
)
def test_a_service_that_looks_like_another_is_not_replaced(
    script_host: ScriptHost, name: str, text: str, program: Program, detail: str
) -> None:
    script_host.make(name, text)
    assert f"detail {detail}" in refused(script_host, program)


@pytest.mark.parametrize(
    ("published", "replaces"),
    [("8081 9090 ", ()), ("80 ", ("80",)), ("", ()), ("80 443 ", ("443",))],
    ids=["a port in common", "a change that is meant", "no port before", "one of two"],
)
def test_the_same_service_is_replaced(
    script_host: ScriptHost, published: str, replaces: tuple[str, ...]
) -> None:
    script_host.make("published", published)
    script_host.make("image-of-app", IMAGE)
    program = plan_run(COMMON._replace(replaces=replaces, environment="staging"), ON_8081, ACME)
    assert script_host.run(*PHASES, program=program)[-1] == "ship-gone word 0"


@pytest.mark.parametrize("there", ["nginx", "docker.io/nginx:1", "docker.io/library/nginx"])
def test_one_image_of_docker_hub_has_several_names(script_host: ScriptHost, there: str) -> None:
    script_host.make("image-of-app", there)
    program = plan_run(COMMON, WANTED._replace(repository="docker.io/library/nginx"), ACME)
    assert script_host.run("lock", "prepare", "leave", program=program)[-1] == "ship-gone word 0"


@pytest.mark.parametrize(("environment", "stops"), [("", True), ("staging", False)])
def test_a_service_under_its_earlier_default_name_is_not_orphaned(
    script_host: ScriptHost, environment: str, *, stops: bool
) -> None:
    script_host.make("repository", ACME.repository)
    renamed = COMMON._replace(name="app-web", earlier_name="app", environment=environment)
    program = plan_run(renamed, WANTED, ACME)
    if stops:
        facts = refused(script_host, program)
        assert "failure earlier-name" in facts
        assert "detail app" in facts
    else:
        assert script_host.run(*PHASES, program=program)[-1] == "ship-gone word 0"
        assert script_host.boxes == {"app": "running", "app-web": "running"}

"""Which image a host goes back to, and with which login it pulls, under real shells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from script_host import ACME, COMMON, DASH_FIRST, IMAGE, PHASES, WANTED, ScriptHost
from ship.runner.command import Secret
from ship.ssh_deploy.image import Login
from ship.ssh_deploy.proxy.inputs import ProxyForm
from ship.ssh_deploy.proxy.plan import plan_proxy
from ship.ssh_deploy.run.plan import plan_run
from ship.ssh_deploy.run.ports import Port

if TYPE_CHECKING:
    from pathlib import Path

    from ship.ssh_deploy.program import Program

BY_HAND = "nginx:1.25"
MIRROR = "mirror.example.com/kamal-proxy@sha256:" + "d" * 64


@pytest.fixture(params=DASH_FIRST)
def script_host(request: pytest.FixtureRequest, tmp_path: Path) -> ScriptHost:
    return ScriptHost(tmp_path, request.param)


def back_to(rollback: str, login: Login = WANTED.login) -> Program:
    wanted = WANTED._replace(image="", repository="", rollback=rollback, login=login)
    return plan_run(COMMON, wanted, ACME)


def prepare(script_host: ScriptHost, program: Program) -> list[str]:
    return script_host.run("lock", "prepare", "leave", program=program)


def remember(script_host: ScriptHost, *releases: tuple[str, str]) -> None:
    """Write a history: what was deployed, and what served before."""
    script_host.state.mkdir(parents=True)
    ours = {"ref": "main", "result": "deployed", "gap_ms": None}
    lines = [
        {"ref": ours["ref"], "image": image, "previous": previous, **ours}
        for image, previous in releases
    ]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (script_host.state / "history.jsonl").write_text(text)


def test_what_was_taken_over_by_the_first_deploy_is_the_previous_one(
    script_host: ScriptHost,
) -> None:
    script_host.make("image-of-app", BY_HAND)
    script_host.make("foreign", "app")
    adopting = plan_run(COMMON._replace(adopt=True), WANTED, ACME)
    assert script_host.run(*PHASES, program=adopting)[-1] == "ship-gone word 0"
    script_host.make("foreign", "")
    script_host.make("image-of-app", IMAGE)
    script_host.make("image-of-app.previous", BY_HAND)
    facts = script_host.run(*PHASES, program=back_to("previous"))
    assert facts[-1] == "ship-gone word 0"
    assert script_host.pulls[-1] == "image@sha256:1", "its tag may mean another by now"


def test_what_was_taken_over_is_pulled_by_its_tag_when_it_is_no_more(
    script_host: ScriptHost,
) -> None:
    remember(script_host, (IMAGE, BY_HAND))
    script_host.make("image-of-app", IMAGE)
    prepare(script_host, back_to("previous"))
    assert script_host.pulls == [BY_HAND]


def test_the_order_of_releases_is_that_of_the_history_and_not_of_its_times(
    script_host: ScriptHost,
) -> None:
    for image, days in (("a", 0), ("b", 1), ("c", 0)):
        script_host.set_clock_ahead(days)
        wanted = WANTED._replace(image=f"{WANTED.repository}@sha256:{image}", keep=1)
        assert script_host.run(*PHASES, program=plan_run(COMMON, wanted, ACME))[-2] == "finished 0"
        script_host.make("image-of-app", wanted.image)
    removed = [each for each in script_host.calls if each.startswith("rmi")]
    assert removed[-1] == f"rmi {WANTED.repository}@sha256:b {WANTED.repository}@sha256:a"
    prepare(script_host, back_to("previous"))
    assert script_host.pulls[-1].startswith(f"{WANTED.repository}@sha256:b ")


@pytest.mark.parametrize(
    ("releases", "wanted"),
    [
        ([("a@sha256:1", ""), ("b@sha256:2", "a@sha256:1")], "a@sha256:1"),
        ([("a@sha256:1", ""), ("b@sha256:2", "a@sha256:1"), ("b@sha256:2",) * 2], "a@sha256:1"),
        ([("a@sha256:1", ""), ("b@sha256:2", BY_HAND)], BY_HAND),
    ],
    ids=["two releases", "one release twice", "replaced by hand in between"],
)
def test_the_previous_image_is_the_one_that_served_before(
    script_host: ScriptHost, releases: list[tuple[str, str]], wanted: str
) -> None:
    remember(script_host, *releases)
    script_host.make("image-of-app", "b@sha256:2")
    prepare(script_host, back_to("previous"))
    assert script_host.pulls == [wanted]


def test_without_a_release_there_is_none_to_go_back_to(script_host: ScriptHost) -> None:
    assert "failure no-release" in prepare(script_host, back_to("previous"))


@pytest.mark.parametrize(
    ("serves", "wanted"),
    [
        (BY_HAND, "nginx:v2"),
        ("host:5000/x", "host:5000/x:v2"),
        ("host:5000/o/x:1", "host:5000/o/x:v2"),
        ("host:5000/x:1@sha256:2", "host:5000/x:v2"),
        (IMAGE, "ghcr.io/acme/app:v2"),
    ],
)
def test_a_tag_to_go_back_to_takes_the_place_of_the_one_that_serves(
    script_host: ScriptHost, serves: str, wanted: str
) -> None:
    script_host.make("image-of-app", serves)
    prepare(script_host, back_to("v2", Login("none.example.com", "me", Secret("t0ken"))))
    assert script_host.pulls == [wanted]


@pytest.mark.parametrize(
    ("registry", "pulled"),
    [("", "host:5000/x:v2 host:5000"), ("ghcr.io", "host:5000/x:v2")],
)
def test_a_password_without_a_registry_is_for_that_of_the_release(
    script_host: ScriptHost, registry: str, pulled: str
) -> None:
    script_host.make("image-of-app", "host:5000/x:1")
    prepare(script_host, back_to("v2", Login(registry, "me", Secret("t0ken"))))
    assert script_host.pulls == [pulled]


@pytest.mark.parametrize(
    ("config", "host_first", "pulled"),
    [
        ('{"auths": {"ghcr.io": {}}}', "first", IMAGE),
        ('{"credHelpers": {"ghcr.io": "pass"}}', "first", IMAGE),
        ('{"auths": {"ghcr.io": {}}}', "", f"{IMAGE} ghcr.io"),
        ('{"auths": {"example.com": {}}}', "first", f"{IMAGE} ghcr.io"),
        ("", "first", f"{IMAGE} ghcr.io"),
    ],
)
def test_a_login_of_the_host_goes_first_where_that_is_wanted(
    script_host: ScriptHost, config: str, host_first: str, pulled: str
) -> None:
    folder = script_host.folder / "home" / ".docker"
    folder.mkdir()
    if config:
        (folder / "config.json").write_text(config)
    wanted = WANTED._replace(login=WANTED.login._replace(host_first=bool(host_first)))
    prepare(script_host, plan_run(COMMON, wanted, ACME))
    assert script_host.pulls == [pulled]


@pytest.mark.parametrize(
    ("image", "pulled"),
    [(MIRROR, MIRROR), ("ghcr.io/" + MIRROR, f"ghcr.io/{MIRROR} ghcr.io")],
)
def test_the_image_of_the_proxy_is_pulled_with_the_login_of_its_registry(
    script_host: ScriptHost, image: str, pulled: str
) -> None:
    ports = (Port("", "80", "8080", "tcp"),)
    wanted = WANTED._replace(ports=ports, health="/up")
    proxy = ProxyForm(wanted, hosts=(), tls=False, image=image, drain_timeout=1)
    prepare(script_host, plan_proxy(COMMON, proxy, ACME))
    assert script_host.pulls == [f"{IMAGE} ghcr.io", pulled]

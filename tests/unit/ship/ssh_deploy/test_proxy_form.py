"""`strategy: proxy` of ssh-deploy: its inputs, and what the host gets of them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from ship.runner.command import Secret
from ship.runner.context import Context
from ship.runner.errors import UserError
from ship.ssh_deploy.inputs import Inputs, read_inputs
from ship.ssh_deploy.plan import plan
from ship.ssh_deploy.proxy.inputs import ProxyForm
from ship.ssh_deploy.run.inputs import RunForm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.ssh_deploy.program import Value

IMAGE = "ghcr.io/acme/app@sha256:" + "c" * 64
# As /proc/net shows ::1.
LOOPBACK = "00000000" * 3 + "01000000"
PROXY_IMAGE = "basecamp/kamal-proxy@sha256:" + "d" * 64
KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----"
ACME = Context(repository="Acme/App", sha="0123abc", run_id="42")


def inputs(**changes: str) -> Inputs:
    given = {
        "host": "h1",
        "user": "deploy",
        "ssh-key": KEY,
        "known-hosts": "h1 ssh-ed25519 AAAA",
        "image": IMAGE,
        "ports": "80:3000",
        "health": "/up",
        "strategy": "proxy",
        "proxy-image": PROXY_IMAGE,
        "registry-password": "t0ken",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    env = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    return read_inputs(env, ACME)


def parameters(**changes: str) -> Mapping[str, Value]:
    return plan(inputs(**changes), ACME).parameters


def route(**changes: str) -> str:
    """Return what the container says of its way, a port and flags of the proxy."""
    words = shlex.split(str(parameters(**changes)["FLAGS"]))
    [label] = [word for word in words if word.startswith("--label=io.github.gen-workflow.route=")]
    return label.split("=", 2)[2]


def test_without_a_strategy_a_container_is_replaced() -> None:
    assert isinstance(inputs(strategy="", proxy_image="").form, RunForm)
    assert isinstance(inputs().form, ProxyForm)


def test_the_users_move_in_the_switch_and_the_old_one_stops_in_the_commit() -> None:
    program = plan(inputs(before="migrate", after="notify"), ACME)
    names = [phase.name for phase in program.phases]
    assert names == [
        "look", "lock", "prepare", "before", "check", "switch", "commit", "after", "leave"
    ]  # fmt: skip
    assert program.files[-2:] == ("run/run", "proxy/proxy")
    undo = {phase.name: phase.undo for phase in program.phases}
    assert undo["switch"] == "the proxy sends requests to the old container again, which still runs"
    assert undo["switch"] in program.shown()
    assert "a candidate" not in program.shown()


def test_the_proxy_is_published_and_the_container_says_its_own_port() -> None:
    given = parameters()
    assert given["PROXY_PUBLISH"] == "80:80"
    assert given["HOST_PORTS"] == "80="
    assert (given["ADDRESS"], given["HEALTH_HOST_PORT"], given["HEALTH_PORT"]) == (
        "127.0.0.1",
        "80",
        "3000",
    )
    assert route() == "3000 --health-check-path=/up --health-check-timeout=30s"


def test_the_proxy_can_be_published_on_one_address() -> None:
    given = parameters(ports="127.0.0.1:8080:3000")
    assert given["PROXY_PUBLISH"] == "127.0.0.1:8080:80"
    assert given["HOST_PORTS"] == "127.0.0.1:8080=0100007F"
    given = parameters(ports="[::1]:80:3000", proxy_hosts="a.example.com", proxy_tls="true")
    assert given["HOST_PORTS"] == f"[::1]:80={LOOPBACK} [::1]:443={LOOPBACK}"
    assert given["PROXY_PUBLISH"] == "[::1]:80:80 [::1]:443:443"


def test_hosts_are_flags_and_the_first_is_asked_for_the_health_path() -> None:
    assert route(proxy_hosts="a.example.com\nb.example.com") == (
        "3000 --host=a.example.com --host=b.example.com --health-check-path=/up "
        "--health-check-timeout=30s --health-check-host=a.example.com"
    )
    assert parameters(proxy_hosts="*.example.com")["HEALTH_HOST"] == "www.example.com"


def test_the_site_of_the_health_path_can_be_named() -> None:
    hosts = "a.example.com\n*.example.org"
    for site in ("A.example.com", "b.example.org"):
        assert route(proxy_hosts=hosts, health_host=site).endswith(f"--health-check-host={site}")
        assert parameters(proxy_hosts=hosts, health_host=site)["HEALTH_HOST"] == site
    assert route(health_host="any.example.com").endswith("--health-check-host=any.example.com")
    with pytest.raises(UserError, match=r"'b.c.example.org' is not one of `proxy-hosts`"):
        inputs(proxy_hosts=hosts, health_host="b.c.example.org")


def test_the_proxy_waits_for_an_answer_no_longer_than_the_deploy() -> None:
    assert "--health-check-timeout=7s" in route(health_timeout="7").split()


@pytest.mark.parametrize("status", ["200-399", "200,401", "404"])
def test_a_status_that_the_proxy_does_not_accept_is_refused(status: str) -> None:
    with pytest.raises(UserError, match="the proxy accepts only 2xx statuses"):
        inputs(health_status=status)


def test_fewer_statuses_than_those_of_the_proxy_are_asked_for_by_the_host() -> None:
    assert parameters(health_status="200, 204")["HEALTH_STATUS"] == "200-200 204-204"


def test_a_certificate_takes_the_port_of_https_too() -> None:
    given = parameters(proxy_hosts="a.example.com", proxy_tls="true")
    assert given["PROXY_PUBLISH"] == "80:80 443:443"
    assert given["HOST_PORTS"] == "80= 443="
    assert given["PROXY_PATH"] == "", "over HTTP it only redirects"
    assert "--tls" in route(proxy_hosts="a.example.com", proxy_tls="true").split()


def test_no_word_of_the_way_has_a_blank() -> None:
    odd = "/up?a='$(id)*\"\\"
    words = ["3000", f"--health-check-path={odd}", "--health-check-timeout=30s"]
    assert route(health=odd).split(" ") == words


def test_the_login_is_masked_and_the_dry_run_shows_none_of_it() -> None:
    want = inputs()
    assert Secret("t0ken") in want.secrets()
    shown = plan(want, ACME).shown()
    assert "t0ken" not in shown
    assert f"PROXY_IMAGE={PROXY_IMAGE}" in shown


def test_a_volume_needs_the_word_that_both_may_write_to_it() -> None:
    assert isinstance(inputs(volumes="data:/data", candidate="always").form, ProxyForm)
    assert isinstance(inputs(volumes="data:/data:ro").form, ProxyForm)


def test_a_container_that_others_find_is_checked_without_that_first() -> None:
    [check] = [each for each in plan(inputs(labels="a=b"), ACME).phases if each.name == "check"]
    assert check.why.startswith(
        "check a candidate that users and neighbours cannot find, make sure"
    )


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"script": "true"}, "`strategy`: `proxy` cannot be used together"),
        ({"strategy": "swarm"}, "`strategy`: 'swarm' is not one of plain, proxy"),
        ({"health": ""}, "`health`: is required with `strategy: proxy`"),
        ({"ports": ""}, "`ports`: lists 0 ports, and `strategy: proxy` needs"),
        ({"ports": "80:80\n81:81"}, "`ports`: lists 2 ports, and `strategy: proxy` needs"),
        ({"ports": "80:80/udp"}, "`ports`: the proxy does not support UDP"),
        (
            {"ports": "443:80", "proxy_tls": "true", "proxy_hosts": "a.example.com"},
            "`ports`: the proxy uses 443 for HTTPS itself",
        ),
        ({"proxy_tls": "true"}, "`proxy-hosts`: must have full host names"),
        (
            {"proxy_tls": "true", "proxy_hosts": "*.example.com"},
            "`proxy-hosts`: must have full host names",
        ),
        ({"proxy_hosts": "a_b.example.com"}, "'a_b.example.com' is not the name of a host"),
        ({"proxy_hosts": "http://a.example.com"}, "is not the name of a host"),
        ({"volumes": "data:/data"}, "run at the same time, and both would write to data:/data"),
        ({"options": "--volumes-from=a"}, "both would write to --volumes-from=a"),
        ({"volumes": "data:/data", "candidate": "auto"}, "`candidate: always` when two containers"),
        ({"candidate": "never"}, "`candidate`: cannot be `never`: with `strategy: proxy` the old"),
        ({"options": "--ip=10.0.0.9"}, "--ip=10.0.0.9 is for one container only"),
        ({"proxy_image": ""}, "`proxy-image`: is required but empty"),
        ({"proxy_image": "basecamp/kamal-proxy:v0.9.2"}, "has no digest"),
        ({"drain_timeout": "soon"}, "`drain-timeout`: 'soon' is not a whole number"),
        (
            {"strategy": "", "proxy_hosts": "a.example.com"},
            "`proxy-hosts`: is only for a container behind a proxy",
        ),
        ({"strategy": "plain", "proxy_tls": "true"}, "`proxy-tls`: is only for a container behind"),
        ({"strategy": "", "drain_timeout": "5"}, "`drain-timeout`: is only for a container behind"),
        ({"strategy": "", "proxy_image": PROXY_IMAGE}, "`proxy-image`: is only for a container"),
    ],
)
def test_a_wrong_input_is_named(changes: dict[str, str], reported: str) -> None:
    with pytest.raises(UserError) as raised:
        inputs(**changes)
    assert reported in str(raised.value)

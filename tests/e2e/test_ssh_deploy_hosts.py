"""ssh-deploy to several hosts: all ready first, switched in groups, back together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.deploys import Deploy, await_log, await_served, clean, containers, served
from bed.shop import PORT, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed import Bed, Host

pytestmark = pytest.mark.needs("packages", "engine")


Serving = tuple[list["Host"], Deploy]


@pytest.fixture(scope="module")
def both(bed: Bed, second_host: Host) -> Iterator[list[Host]]:
    yield [bed.host, second_host]
    clean(bed.host)


@pytest.fixture
def hosts(both: list[Host]) -> list[Host]:
    """Two hosts without any container of another test."""
    for host in both:
        clean(host)
    return both


@pytest.fixture
def deploy(hosts: list[Host], tmp_path: Path) -> Deploy:
    return Deploy(hosts, tmp_path)


@pytest.fixture
def serving(both: list[Host], shop: Shop, tmp_path: Path) -> Serving:
    """Two hosts that serve version 1 and nothing else, and deploys to them.

    A deploy that was undone leaves them so for the next test; after any other it is made again.
    """
    deploy = Deploy(both, tmp_path)
    if any(served(each) != "1" or containers(each) != {"shop": "running"} for each in both):
        for host in both:
            clean(host)
        first = deploy(shop.push("1"))
        assert first.code == 0, first.log
        assert [served(each) for each in both] == ["1"] * 2
        assert results(first.outputs["hosts"]) == ["deployed"] * 2
    return both, deploy


def results(outputs: str) -> list[str]:
    return [each["result"] for each in json.loads(outputs)]


def test_the_first_groups_serve_again_what_they_served(serving: Serving, shop: Shop) -> None:
    hosts, deploy = serving
    hosts[1].wrap_docker('case "$*" in "start shop.next") echo "cgroup error" >&2; exit 1 ;; esac')
    try:
        result = deploy(shop.push("2"), max_parallel="50%")
    finally:
        hosts[1].unwrap_docker()
    assert result.code == 1, result.log
    assert results(result.outputs["hosts"]) == ["rolled-back"] * 2, result.log
    assert f"host deploy@{hosts[1].ip}: Docker could not start the container" in result.errors[0]
    for host in hosts:
        await_served(host, "1")
        assert containers(host) == {"shop": "running"}


def test_a_host_that_cannot_be_reached_is_named_and_no_other_is_touched(
    serving: Serving, shop: Shop
) -> None:
    hosts, deploy = serving
    inputs = deploy.inputs(shop.push("2"))
    inputs["host"] += "\n127.0.0.1:9"
    inputs["known-hosts"] += hosts[0].known_hosts.replace(hosts[0].ip, "[127.0.0.1]:9")
    result = deploy.run(inputs)
    assert result.code == 1, result.log
    assert "127.0.0.1]:9" in "".join(result.errors)
    assert [served(host) for host in hosts] == ["1"] * 2


def test_no_host_is_switched_when_one_is_not_ready(serving: Serving, shop: Shop) -> None:
    hosts, deploy = serving
    hosts[1].docker("rename", "shop", "other")
    result = deploy(shop.push("2"))
    assert result.code == 2, result.log
    assert f"publish the port {PORT}: the container other already uses it" in result.errors[0]
    assert results(result.outputs["hosts"]) == ["refused"] * 2
    assert [served(host) for host in hosts] == ["1"] * 2
    assert "stopping" not in result.log
    hosts[1].docker("rename", "other", "shop")


def test_all_hosts_serve_the_new_version(serving: Serving, shop: Shop) -> None:
    hosts, deploy = serving
    # No test of any file has brought it to the hosts.
    result = deploy(shop.push("9"))
    assert result.code == 0, result.log
    assert [served(host) for host in hosts] == ["9"] * 2
    assert results(result.outputs["hosts"]) == ["deployed"] * 2
    assert result.outputs["image"] == shop.push("9")
    assert result.summary.count("| deployed |") == 2
    assert f"[{hosts[1].ip}] pulling" in result.log
    assert "stopping" in result.log, "what other tests look for, who want no switch"


@pytest.mark.test_all
def test_no_host_is_locked_before_docker_answers_on_all(
    hosts: list[Host], shop: Shop, deploy: Deploy
) -> None:
    hosts[1].stop_engine()
    try:
        result = deploy(shop.push("1"))
    finally:
        hosts[1].start_engine()
    assert result.code == 2, result.log
    assert (
        f"host deploy@{hosts[1].ip}: the Docker engine of the host does not answer"
        in result.errors[0]
    )
    assert results(result.outputs["hosts"]) == ["refused"] * 2
    assert f"[{hosts[0].ip}] look: check that Docker answers" in result.log
    assert "lock: " not in result.log
    assert "lock: " in deploy(shop.push("1")).log, "what a deploy says that locks"


@pytest.mark.test_all
def test_a_cancelled_deploy_leaves_no_host_between_versions(serving: Serving, shop: Shop) -> None:
    hosts, deploy = serving
    step = deploy.start(shop.push("3", "slow-start"), max_parallel="1")
    await_log(step, f"[{hosts[1].ip}] starting the new")
    step.cancel()
    result = step.result()
    assert result.code == 130, result.log
    for host in hosts:
        await_served(host, "1")
    assert deploy(shop.push("2")).code == 0


def test_two_deploys_to_the_same_hosts_do_not_lock_each_other_out(
    hosts: list[Host], shop: Shop, deploy: Deploy
) -> None:
    backwards = Deploy(hosts[::-1], deploy.workspace)
    steps = [
        each.start(shop.push(version), lock_timeout="90")
        for each, version in ((deploy, "1"), (backwards, "2"))
    ]
    ended = [step.result(240) for step in steps]
    assert [result.code for result in ended] == [0, 0], ended[0].log + ended[1].log
    assert [served(host) for host in hosts] in (["1"] * 2, ["2"] * 2)


@pytest.mark.test_all
def test_eight_hosts_are_switched_in_groups(
    bed: Bed, hosts: list[Host], shop: Shop, tmp_path: Path
) -> None:
    eight = [*hosts, *bed.add_hosts(8 - len(hosts))]
    deploy = Deploy(eight, tmp_path)
    for version in ("1", "2"):
        result = deploy.run(deploy.inputs(shop.push(version), max_parallel="3"))
        assert result.code == 0, result.log
        assert [served(host) for host in eight] == [version] * 8
    assert results(result.outputs["hosts"]) == ["deployed"] * 8
    assert result.summary.count("| deployed |") == 8
    for host in eight[len(hosts) :]:
        host.remove()
        bed.hosts.remove(host)


def test_a_host_behind_another_is_deployed_to(
    bed: Bed, hosts: list[Host], shop: Shop, tmp_path: Path
) -> None:
    hidden = bed.add_host(behind=hosts[0])
    deploy = Deploy(hidden, tmp_path)
    inputs = deploy.inputs(shop.push("1"), jump=hosts[0].ip)
    inputs["known-hosts"] += hosts[0].known_hosts
    result = deploy.run(inputs)
    assert result.code == 0, result.log
    assert served(hidden) == "1"
    hidden.remove()
    bed.hosts.remove(hidden)

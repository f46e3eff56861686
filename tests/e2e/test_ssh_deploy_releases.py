"""What a host remembers between deploys: the lock, the history, the releases to go back to."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING, Any

import pytest

from bed.deploys import SECRET, Deploy, Serving, await_log, await_served, clean, containers, served
from bed.load import Load
from bed.shop import PORT, Shop
from bed.step import Run
from bed.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed import Bed, Host
    from bed.step import StepResult

pytestmark = pytest.mark.needs("packages", "engine")
STATE = "/home/deploy/.gen-workflow/shop"


@pytest.fixture
def host(bed: Bed) -> Iterator[Host]:
    # Tests of other files leave images here, and the tests below look at all that there are.
    clean(bed.host)
    bed.host.docker("image", "prune", "-af")
    yield bed.host
    clean(bed.host)


def history(host: Host) -> list[dict[str, Any]]:
    text = host.run("cat", f"{STATE}/history.jsonl").stdout
    return [json.loads(line) for line in text.splitlines()]


def images(host: Host) -> set[str]:
    listed = host.docker("images", "--digests", "--format", "{{.Repository}}@{{.Digest}}").stdout
    return {line for line in listed.splitlines() if "acme/shop" in line}


@pytest.mark.test_all
def test_the_measured_gap_is_the_one_that_its_users_saw(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    deploy(shop.push("1"))
    # The median, and of half a gap: both measure on a machine that does other things as well.
    assert statistics.median(difference(host, shop, deploy, each) for each in "245") < 0.5


def difference(host: Host, shop: Shop, deploy: Deploy, version: str) -> float:
    """Deploy under load; return how far the reported gap is from what users saw, as a ratio."""
    with Load(f"http://{host.ip}:{PORT}/", clients=2) as load:
        wait_until(lambda: load.versions, "users see the version before")
        result = deploy(shop.push(version, "slow-start"))
        wait_until(lambda: version in load.versions, f"users see version {version}")
    assert result.code == 0, result.log
    reported = int(result.outputs["gap-ms"])
    assert reported > 1900, "the new version serves two seconds late"
    assert f"| at most {reported} ms |" in result.summary
    assert history(host)[-1]["gap_ms"] == reported
    return abs(reported - load.longest_gap_ms()) / reported


@pytest.mark.test_all
def test_every_deploy_is_a_line_of_the_history(host: Host, shop: Shop, deploy: Deploy) -> None:
    deploy(shop.push("1"))
    deploy.run(deploy.inputs(shop.push("3", "ends")), run=Run(actor="mona", run_id="99"))
    deploy(shop.push("3", "sick-when-real"), health_timeout="6")
    lines = history(host)
    assert [line["result"] for line in lines] == ["deployed", "refused", "rolled-back"]
    assert lines[1]["actor"] == "mona"
    assert lines[1]["run"].endswith("/acme/shop/actions/runs/99")
    assert lines[1]["previous"] == shop.push("1")
    assert SECRET not in str(lines)


@pytest.mark.test_all
def test_a_run_that_is_started_again_does_not_replace_what_a_newer_one_deployed(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    runs = {number: Run(sha=number * 40, run_number=number) for number in "12"}

    def push(number: str, **changes: str) -> StepResult:
        return deploy.run(deploy.inputs(shop.push(number), **changes), run=runs[number])

    assert push("2").code == 0
    again = push("1")
    assert (again.code, again.outputs["result"]) == (2, "refused"), again.log
    assert "a newer commit serves (222222222222 of main, since 20" in again.errors[0]
    await_served(host, "2")
    assert push("1", older_commit="deploy").code == 0
    await_served(host, "1")


def test_the_previous_release_comes_back_without_a_build(serving: Serving, shop: Shop) -> None:
    host, deploy = serving
    deploy(shop.push("2"))
    result = deploy("", rollback="previous")
    assert result.code == 0, result.log
    assert result.outputs["image"] == shop.push("1")
    assert served(host) == "1"
    forward = deploy("", rollback=shop.push("2").partition("@")[2])
    assert forward.code == 0, forward.log
    assert served(host) == "2"


@pytest.mark.test_all
def test_a_tag_is_a_release_to_go_back_to(host: Host, shop: Shop, deploy: Deploy) -> None:
    deploy(shop.push("1"))
    shop.push("2")
    result = deploy("", rollback="2")
    assert result.code == 0, result.log
    assert result.outputs["image"] == shop.push("2")
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}


@pytest.mark.parametrize(
    ("release", "reported"),
    [
        ("previous", "the host has no release previous to roll back to"),
        (f"sha256:{'0' * 64}", "the host has no release sha256:000"),
        ("nowhere", "the registry has no such image"),
    ],
)
def test_an_unknown_release_is_named(serving: Serving, release: str, reported: str) -> None:
    host, deploy = serving
    result = deploy("", rollback=release)
    assert result.code == 2, result.log
    assert reported in result.errors[0]
    assert served(host) == "1"


def test_so_many_releases_stay_as_were_asked_for_and_images_of_others_too(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    deploy(shop.push("1"), name="other", ports=f"9090:{PORT}")
    versions = [shop.push(version) for version in ("2", "4", "5")]
    for image in versions:
        assert deploy(image, keep="2").code == 0
    assert images(host) == {shop.push("1"), *versions[1:]}
    assert containers(host)["other"] == "running"


def test_of_two_deploys_at_once_one_waits_and_both_end_right(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    first = deploy.start(shop.push("2", "slow-start"))
    await_log(first, "starting the candidate")
    second = deploy.start(shop.push("1"))
    await_log(second, "waiting: shop is locked by https://github.com/acme/shop/actions/runs/4711")
    assert [first.result().code, second.result().code] == [0, 0]
    assert served(host) == "1"
    assert [line["result"] for line in history(host)] == ["deployed", "deployed"]


@pytest.mark.test_all
def test_a_deploy_that_waits_too_long_names_the_holder_of_the_lock(
    shop: Shop, deploy: Deploy
) -> None:
    first = deploy.start(shop.push("2", "slow-start"))
    await_log(first, "starting the candidate")
    inputs = deploy.inputs(shop.push("1"), lock_timeout="0")
    result = deploy.run(inputs, run=Run(run_id="99"))
    assert result.code == 1, result.log
    assert (
        "another deploy of this service is running: https://github.com/acme/shop"
        in result.errors[0]
    )
    assert first.result().code == 0


@pytest.mark.test_all
def test_a_lock_of_a_killed_run_stops_no_deploy(host: Host, shop: Shop, deploy: Deploy) -> None:
    step = deploy.start(shop.push("2", "slow-start"))
    await_log(step, "starting the candidate")
    step.process.kill()
    step.result()
    result = deploy(shop.push("1"))
    assert result.code == 0, result.log
    assert served(host) == "1"


@pytest.mark.test_all
def test_a_run_that_hangs_is_ended_when_its_lock_has_expired(
    host: Host, shop: Shop, deploy: Deploy
) -> None:
    deploy(shop.push("1"))
    step = deploy.start(shop.push("3", "sick"), health_timeout="600")
    await_log(step, "starting the candidate")
    # As after an hour in which the host did not notice that the runner is gone.
    host.run("sh", "-c", 'read -r group _ who <"$0"; echo "$group 1 $who" >"$0"', f"{STATE}/lock")
    result = deploy(shop.push("2"))
    assert result.code == 0, result.log
    assert "the lock has expired: the host stops the deploy that holds it" in result.log
    assert step.result().code == 1
    assert containers(host) == {"shop": "running", "shop.previous": "exited"}
    await_served(host, "2")

"""What a killed run has left on a runner is found, and nothing that another job may use."""

from __future__ import annotations

import pytest

from doubles import ScriptedRunner
from ship.build_push.buildx.leftovers import Leftover, find
from ship.runner.process import Finished

OURS = "buildx_buildkit_ship-0123456789ab0"
STATE = f"{OURS}_state"
NOW = "2026-11-30T14:00:00.123456789+02:00"
OLD, NEW = "2026-11-29T23:59:59.107394424Z", "2026-11-30T00:00:01Z"


def found(
    containers: str = "", volumes: str = "", inspected: str = "", created: str = ""
) -> tuple[Leftover, ...]:
    said = [containers, volumes, NOW, inspected, created]
    if not containers:
        del said[3]
    if not volumes:
        del said[-1]
    return find("/config", ScriptedRunner(*(Finished(0, each, "") for each in said)))


def test_an_old_builder_without_a_client_is_left_over_with_its_volume() -> None:
    left = found(OURS, STATE, f"/{OURS} {OLD} null", f"{STATE} {OLD}")
    assert left == (Leftover(OURS), Leftover(STATE, is_volume=True))
    assert [str(each.removal("/config")) for each in left] == [
        f"docker container rm --force {OURS}",
        f"docker volume rm {STATE}",
    ]


@pytest.mark.parametrize(
    "inspected",
    [
        f'/{OURS} {OLD} ["1b49"]',
        f"/{OURS} {NEW} null",
        f"/{OURS} yesterday null",
        "",
    ],
)
def test_a_builder_that_another_job_may_use_stays_with_its_volume(inspected: str) -> None:
    assert found(OURS, STATE, inspected, f"{STATE} {OLD}") == ()


def test_a_volume_without_its_container_is_left_over_when_it_is_old() -> None:
    assert found("", STATE, created=f"{STATE} {OLD}") == (Leftover(STATE, is_volume=True),)
    assert found("", STATE, created=f"{STATE} {NEW}") == ()


def test_builders_of_others_are_not_even_looked_at() -> None:
    others = (
        "buildx_buildkit_mine0\nbuildx_buildkit_ship-yard0\nx_buildx_buildkit_ship-0123456789ab0"
    )
    runner = ScriptedRunner(Finished(0, others, ""), Finished(0, f"{others}_state", ""))
    assert find("/config", runner) == ()
    assert len(runner.ran) == 2


def test_an_engine_that_does_not_answer_has_nothing_left_over() -> None:
    assert find("/config", ScriptedRunner(Finished(1), Finished(1))) == ()
    unknown = (Finished(0, OURS, ""), Finished(0), Finished(1))
    assert find("/config", ScriptedRunner(*unknown)) == ()

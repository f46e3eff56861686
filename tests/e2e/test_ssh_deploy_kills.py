"""Whatever dies, and whenever: the old or the new version serves, and the next deploy just works.

The points are made from the phases of the plan: every phase of every form, on one host and on
two, times every way to die. `make test` runs three points, `make test-all` and `make kill-matrix`
all of them.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bed.deploys import Deploy, clean, served
from bed.load import Load
from bed.shop import PORT, Shop
from forms import COMPOSE, FORMS, await_phase, await_settled, phases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from bed import Bed, Host
    from bed.step import RunningStep

pytestmark = pytest.mark.needs("packages", "engine")
DISK = "300m"
# Seconds from the beginning of a phase to the fault; a switch has more in it than others.
SOON, LATER, LATEST = 0.0, 0.3, 0.8
# An engine that restarts takes its containers with it, in any form. Without such a restart,
# no request through the proxy is refused.
RESTART = "the engine restarts"


class Point(NamedTuple):
    """A place in the matrix: which form on how many hosts, what happens when."""

    form: str
    hosts: int
    phase: str
    fault: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.form}-{self.hosts}-{self.phase}+{self.seconds}-{self.fault}"


def cut(_: RunningStep, hosts: list[Host]) -> None:
    for host in hosts:
        host.kill_sessions()


def kill(step: RunningStep, _: list[Host]) -> None:
    step.process.kill()


def cancel(step: RunningStep, _: list[Host]) -> None:
    step.cancel()


def restart_engine(_: RunningStep, hosts: list[Host]) -> None:
    hosts[-1].restart_engine()


def fill_disk(_: RunningStep, hosts: list[Host]) -> None:
    hosts[-1].fill_disk()


FAULTS: dict[str, Callable[[RunningStep, list[Host]], None]] = {
    "the connection is cut": cut,
    "the client is killed": kill,
    "the run is cancelled": cancel,
    "the engine restarts": restart_engine,
    "the disk is full": fill_disk,
}


def matrix() -> Iterator[Point]:
    """Yield every point."""
    for form in FORMS:
        for hosts in (1, 2):
            for phase in phases(form):
                for seconds in (SOON, LATER, LATEST) if phase == "switch" else (SOON,):
                    for fault in FAULTS:
                        yield Point(form, hosts, phase, fault, seconds)


# What no other test in `make test` does: all ways to die are in the tests of the forms as well.
IN_MAKE_TEST = {
    Point("run", 2, "switch", "the connection is cut", LATER),
    Point("run", 1, "switch", "the engine restarts", LATER),
    Point("compose", 1, "switch", "the run is cancelled", LATER),
}
POINTS = list(matrix())


def marked(point: Point) -> ParameterSet:
    """Return a point with what it needs."""
    needs = {"proxy": ["kamal-proxy"]}.get(point.form, [])
    more = [] if point in IN_MAKE_TEST else [pytest.mark.test_all]
    return pytest.param(point, marks=[pytest.mark.needs(*needs), *more])


@pytest.fixture(scope="module")
def machines(bed: Bed) -> list[Host]:
    return bed.add_hosts(max(point.hosts for point in POINTS), disk=DISK)


class Stage:
    """Hosts that serve one version or the other, from point to point."""

    def __init__(self, bed: Bed, machines: list[Host], shop: Shop, workspace: Path) -> None:
        self._bed = bed
        self._machines = machines
        self._shop = shop
        self._workspace = workspace
        self._number = 0
        self._form = ""
        (workspace / "compose.yml").write_text(COMPOSE)

    def enter(self, form: str) -> None:
        """Begin with nothing when the form is another."""
        if form != self._form:
            for host in self._machines:
                clean(host)
        self._form = form

    def deploy(self, point: Point) -> Deploy:
        return Deploy(self._machines[: point.hosts], self._workspace)

    def inputs(self, point: Point) -> dict[str, str]:
        """Return the next version, and what the form needs."""
        self._number += 1
        image = self._shop.push(str(1 + self._number % 2))
        proxy = {"proxy-image": self._bed.kamal_proxy_image()} if point.form == "proxy" else {}
        return {**self.deploy(point).inputs(image), **FORMS[point.form], **proxy}


@pytest.fixture(scope="module")
def stage(
    bed: Bed, machines: list[Host], shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    return Stage(bed, machines, shop, tmp_path_factory.mktemp("workspace"))


@pytest.mark.parametrize("point", list(map(marked, POINTS)), ids=str)
def test_a_version_serves_and_the_next_deploy_works(
    stage: Stage, machines: list[Host], point: Point
) -> None:
    hosts, deploy = machines[: point.hosts], stage.deploy(point)
    stage.enter(point.form)
    # The deploy after the point before has mostly left one that serves.
    if not {served(host) for host in hosts} <= {"1", "2"}:
        before = deploy.run(stage.inputs(point))
        assert before.code == 0, before.log
    with ExitStack() as users:
        users.callback(hosts[-1].free_disk)
        loads = [users.enter_context(load(host)) for host in hosts]
        step = deploy.begin(stage.inputs(point))
        await_phase(step, point.phase)
        time.sleep(point.seconds)
        FAULTS[point.fault](step, hosts)
        result = step.result()
        await_settled(hosts)
    for host, asked in zip(hosts, loads, strict=True):
        assert served(host) in ("1", "2"), f"{host.name}:\n{result.log}"
        assert served(host, "/health") == "ok"
        print(f"{point}: {host.name} was away for {asked.longest_gap_ms() / 1000:.2f} s")
        assert asked.versions, result.log
        if point.form == "proxy" and point.fault != RESTART:
            assert asked.failed == [], result.log
    after = deploy.run(stage.inputs(point))
    assert after.code == 0, after.log
    assert {each["result"] for each in json.loads(after.outputs["hosts"])} == {"deployed"}


def load(host: Host) -> Load:
    return Load(f"http://{host.ip}:{PORT}/", clients=1, pause=0.05, timeout=20)


def test_the_part_in_make_test_is_of_the_matrix() -> None:
    assert set(POINTS) >= IN_MAKE_TEST

"""Whoever shares the host, nothing of theirs changes, the service serves, and the summary is true.

The points are made from the neighbours (tests/neighbours.py), the forms, and for those who disturb
a deploy from the phases of its plan. `make test` runs some, `make test-all` all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from bed.belongings import belongings
from bed.deploys import clean
from bed.waiting import wait_until
from forms import FORMS, await_phase, phases
from neighbours import (
    EVERY,
    NEIGHBOURS,
    SHOP,
    Scene,
    Users,
    container_of_service,
    nothing,
    right_clock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from bed import Bed, Host
    from bed.shop import Shop
    from bed.step import RunningStep, StepResult
    from neighbours import Neighbour

pytestmark = pytest.mark.needs("packages", "engine")
# In the switch: the old version has stopped. Behind the proxy it runs until the end.
STOPPED = "stopped"
REMOVE = """\
rm -rf /srv/*
find /home/deploy -mindepth 1 -maxdepth 1 ! -name .ssh -exec rm -rf {} +
"""
# Longer than a host takes to start its containers, and the service in them.
SECONDS = 45


class Point(NamedTuple):
    """A place in the matrix: the form, the neighbour, when it comes, and what is deployed."""

    form: str
    neighbour: str
    phase: str
    version: str

    def __str__(self) -> str:
        return "-".join(each for each in self if each)


def matrix() -> Iterator[Point]:
    """Yield every point."""
    for name, neighbour in NEIGHBOURS.items():
        for form in neighbour.forms:
            for phase in moments(form, neighbour):
                for version in neighbour.versions:
                    yield Point(form, name, phase, version)


def moments(form: str, neighbour: Neighbour) -> list[str]:
    """Return when a neighbour disturbs a deploy."""
    known = phases(form, {"volumes": ""}) + ([] if form == "proxy" else [STOPPED])
    if not neighbour.disturb:
        return [""]
    return [each for each in known if neighbour.phases == EVERY or each in neighbour.phases]


# Each shows another promise; the tests of the forms show more of them.
IN_MAKE_TEST = {
    Point("run", "a proxy that reads labels", "", "sick"),
    Point("compose", "what a person made", "", "good"),
}
# Compose removes the old container before it starts the new one. A host that goes down in between
# starts neither, and the step says to run the job again, which is done here.
DOWN_UNTIL_THE_NEXT = Point("compose", "a reboot", STOPPED, "good")
POINTS = list(matrix())


def marked(point: Point) -> ParameterSet:
    """Return a point with what it needs."""
    needs = {"proxy": ["kamal-proxy"]}.get(point.form, [])
    more = [] if point in IN_MAKE_TEST else [pytest.mark.test_all]
    return pytest.param(point, marks=[pytest.mark.needs(*needs), *more])


class Seen(NamedTuple):
    """What is asked from outside: the answer to users, and the container of the service."""

    answer: str
    container: str
    image: str


def look(scene: Scene) -> Seen:
    name = container_of_service(scene.host)
    shown = "{{.Config.Image}} {{.Id}} {{.State.StartedAt}}"
    found = scene.host.docker("inspect", "--format", shown, name, check=False).stdout.strip()
    return Seen(scene.served(), found, found.partition(" ")[0])


class Stage:
    """A host that serves a version of the shop, from point to point."""

    def __init__(self, bed: Bed, host: Host, shop: Shop, workspace: Path) -> None:
        self.host = host
        self._new = (bed, host, shop, workspace)
        self._shop = shop
        # The form in which the host serves the shop, and has nothing else.
        self._form = ""

    def enter(self, form: str, neighbour: Neighbour) -> Scene:
        """Begin with a version that serves, or with nothing when the neighbour was first."""
        scene = Scene(*self._new, form)
        if neighbour.is_first or self._form != form or scene.served() not in ("1", "2"):
            self._clear()
            if not neighbour.is_first:
                scene.deploy(SHOP, self._shop.push("1"))
        self._form = ""
        return scene

    def leave(self, scene: Scene, neighbour: Neighbour) -> None:
        """Keep what serves when the point has held and has left nothing else on the host."""
        others = neighbour.set_up is not nothing or neighbour.is_first or scene.others
        self._form = "" if others else scene.form

    def _clear(self) -> None:
        right_clock(self.host)
        clean(self.host)
        self.host.run("sh", "-c", REMOVE)


@pytest.fixture(scope="module")
def stage(bed: Bed, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(bed, bed.add_host(), shop, tmp_path_factory.mktemp("neighbours"))


@pytest.mark.parametrize("point", list(map(marked, POINTS)), ids=str)
def test_no_neighbour_is_harmed_and_the_summary_is_true(stage: Stage, point: Point) -> None:
    neighbour = NEIGHBOURS[point.neighbour]
    scene = stage.enter(point.form, neighbour)
    with scene.exits:
        set_up(scene, neighbour)
        before = look(scene)
        version, image, changes = wanted(scene, point, before)
        with Users(scene.ask) as users:
            step = scene.start(scene.app, image, **{**scene.changes, **changes})
            if neighbour.disturb:
                await_moment(step, point.phase, scene, before)
                neighbour.disturb(scene)
            result = step.result()
            if point == DOWN_UNTIL_THE_NEXT:
                assert "run the job again" in result.shown
                scene.deploy(scene.app, image)
            right_clock(scene.host)
            harmed = neighbour.is_unharmed(scene)
            if not neighbour.is_first:
                await_serves(scene, result)
        after = look(scene)
    assert not harmed, "\n".join((*harmed, result.shown))
    assert_is_true(result, neighbour, version, before, after)
    assert_users_saw_no_refused_version(scene, result, neighbour, users, before)
    if point.version.startswith("sick"):
        assert result.outputs["result"] != "deployed", result.log
    elif not neighbour.may_stop:
        assert result.outputs["result"] == "deployed", result.log
    stage.leave(scene, neighbour)


def set_up(scene: Scene, neighbour: Neighbour) -> None:
    """Set a neighbour up, and note what is there since."""
    if neighbour.set_up is nothing:
        return
    ours = belongings(scene.host)
    neighbour.set_up(scene)
    there = belongings(scene.host)
    scene.theirs = {name: there[name] for name in there if there[name] != ours.get(name)}


def wanted(scene: Scene, point: Point, before: Seen) -> tuple[str, str, dict[str, str]]:
    """Return what is deployed: its version, its image, and the inputs that this takes."""
    if point.version == "previous":
        return "2", "", {"rollback": "previous"}
    if point.version != "good":
        return "3", scene.shop.push("3", point.version), {"health_timeout": "6"}
    version = "2" if before.answer == "1" or scene.image else "1"
    return version, scene.image or scene.shop.push(version), {}


def await_moment(step: RunningStep, phase: str, scene: Scene, before: Seen) -> None:
    await_phase(step, "switch" if phase == STOPPED else phase)
    if phase == STOPPED:
        wait_until(
            lambda: is_stopped(scene, before) or step.process.poll() is not None,
            "the old version has stopped",
            seen=step.log,
        )


def is_stopped(scene: Scene, before: Seen) -> bool:
    """Whether the container that served does not run any more."""
    running = scene.host.docker("ps", "-q", "--no-trunc").stdout.split()
    return before.container.split()[1] not in running


def await_serves(scene: Scene, result: StepResult) -> None:
    """Wait until the service gives one answer, and goes on to."""
    answers: list[str] = []

    def settled() -> bool:
        answers.append(scene.served())
        return len(set(answers[-10:])) == 1 and len(answers) >= 10 and bool(answers[-1])

    wait_until(
        settled, "the service serves", seconds=SECONDS,
        seen=lambda: f"{answers[-3:]}\n{result.log}\n{scene.host.docker('ps', '-a').stdout}",
    )  # fmt: skip


def assert_is_true(
    result: StepResult, neighbour: Neighbour, version: str, before: Seen, after: Seen
) -> None:
    """Compare what the step reports with what is asked from outside."""
    word, image = result.outputs["result"], result.outputs["image"]
    said = "\n".join((*result.errors, result.summary))
    seen = f"{word}\n{before}\n{after}\n{said}\n{result.shown}"
    assert word in result.summary or result.code == 3, seen
    if word == "deployed":
        assert after.answer == version, seen
        # A tool that makes the container again may have taken its name from the new one.
        assert neighbour.is_first or neighbour.touches_us or after.image == image, seen
    if word == "rolled-back" or "serves again" in said:
        assert after.answer == before.answer != "", seen
        assert image == before.image == after.image, seen
    if word == "refused" or "was not touched" in said:
        assert after.answer == before.answer, seen
        assert neighbour.touches_us or after.container == before.container, seen
    if word == "unknown":
        assert image == "", seen
        assert after.answer in (before.answer, version), seen
    if "nobody serves" in said.lower():
        assert not after.answer, seen
    if result.outputs.get("serving") == "answered" and not neighbour.is_first:
        assert after.answer, seen
    assert word != "failed", f"the service is worse than before: {seen}"


def assert_users_saw_no_refused_version(
    scene: Scene, result: StepResult, neighbour: Neighbour, users: Users, before: Seen
) -> None:
    """No candidate has users, and who has seen the new version does not see the old one again.

    Behind our proxy two healthy versions overlap for those who find both by their labels.
    """
    word = result.outputs["result"]
    if word == "refused" and not neighbour.is_first:
        assert set(users.seen) <= {before.answer}, f"{users.seen}\n{result.shown}"
    if word == "deployed" and not scene.changes:
        assert len(users.seen) == len(set(users.seen)), f"{users.seen}\n{result.shown}"


def test_the_part_in_make_test_is_of_the_matrix() -> None:
    print(f"{len(POINTS)} points: {len(NEIGHBOURS)} neighbours, {len(FORMS)} forms")
    assert set(POINTS) >= IN_MAKE_TEST

"""Whatever goes wrong at whatever request: what the step says is what is, and nothing is half done.

Each run of a scenario has one thing go wrong at one of its requests. It ends with all workloads at
the new version or all at the old one, it says so, and nothing of ours is left behind.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kube_api import Answer, Fault, KubeApi, Request, status
from kube_world import is_not_found
from ship.runner import cancel
from ship.runner.errors import ShipError
from unit.ship.kubectl_set_image.given import NEW, OLD
from unit.ship.kubectl_set_image.step_bed import Bed, web

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = {
    "cut before": Fault(cut="before"),
    "cut after": Fault(cut="before", done=True),
    "cut within": Fault(cut="within"),
    "garbage": Fault(Answer(200, "<html>"), done=True),
    "429": Fault(status(429, "slow down")),
    "401": Fault(status(401, "Unauthorized")),
    "500": Fault(status(500, "etcdserver: leader changed")),
    "504 done": Fault(status(504, "request did not complete"), done=True),
    "502 of kubectl": Fault(Answer(502, "EOF\n"), done=True),
}
OFTEN = ("cut after", "cut within", "500", "504 done")
# In the last one all that a step does comes to pass.
SECOND = NEW.replace("b" * 64, "d" * 64)
SCENARIOS = ("good", "bad", "two", "second is bad")
MORE = [pytest.param(each, marks=pytest.mark.test_all) for each in SCENARIOS[:-1]]


def prepared(scenario: str, api: KubeApi, folder: Path) -> tuple[Bed, dict[str, str]]:
    bed = Bed(api, folder)
    bed.world.pace = 5.0
    bed.has(web(), web(name="api"))
    workloads = "deploy/web"
    if scenario == "bad":
        bed.world.images[NEW] = is_not_found
    elif scenario != "good":
        workloads = f"deploy/web app={NEW}\ndeploy/api app={SECOND}"
    if scenario == "second is bad":
        bed.world.images[SECOND] = is_not_found
    return bed, {"workload": workloads, "image": NEW if scenario in ("good", "bad") else ""}


def runs(bed: Bed, given: dict[str, str]) -> ShipError | None:
    try:
        bed.run(**given)
    except ShipError as error:
        return error
    return None


def at_request(number: int, act: Callable[[Request], object]) -> Callable[[Request], object]:
    seen = [0]

    def before(request: Request) -> None:
        seen[0] += 1
        if seen[0] == number:
            act(request)

    return before


def check(bed: Bed, given: dict[str, str], error: ShipError | None, what: str) -> None:
    names = [line.split()[0].rpartition("/")[2] for line in given["workload"].split("\n")]
    are_old = {bed.image(name) == OLD for name in names}
    assert len(are_old) == 1, f"{what}: some are new and some are old"
    [is_old] = are_old
    outputs = bed.outputs
    assert outputs["changed"] == ("false" if is_old else "true"), f"{what}: {error}"
    if error is None:
        assert (outputs["status"], is_old) == ("updated", False), what
    else:
        allowed = {2: ("refused",), 130: ("cancelled",)}
        assert outputs["status"] in allowed.get(error.exit_code, ("failed", "rolled-back")), what
        assert is_old, f"{what}: {error}"
    assert not Path(bed.kubectl.folder).exists(), what
    assert bed.kubectl.proxy.ended, what


def moments(scenario: str, folder: Path) -> list[int]:
    """Return the numbers of the requests of a run, each kind of them once for each change."""
    folder.mkdir()
    with KubeApi(folder / "s") as api:
        bed, given = prepared(scenario, api, folder)
        check(bed, given, runs(bed, given), scenario)
    found: dict[object, int] = {}
    changes = 0
    for number, each in enumerate(api.asked, 1):
        changes += each.method == "PATCH"
        found.setdefault((changes, each.method, each.path, str(each.query)), number)
    return sorted(found.values())


def go_wrong(scenario: str, folder: Path, what: str, act: Callable[[KubeApi], object]) -> None:
    """Run a scenario again and again; each time something happens at another request."""
    for number in moments(scenario, folder / "0"):
        place = folder / str(number)
        place.mkdir()
        with KubeApi(place / "s") as api:
            bed, given = prepared(scenario, api, place)
            asked = [what]

            def note(request: Request, api: KubeApi = api, asked: list[str] = asked) -> None:
                asked.append(f"at {request.method} {request.path} {request.query}")
                act(api)

            api.before = at_request(number, note)
            # The first signal has turned them off.
            cancel.listen()
            check(bed, given, runs(bed, given), " ".join(asked))


@pytest.mark.parametrize("scenario", [*MORE, SCENARIOS[-1]])
@pytest.mark.parametrize(
    "name",
    [*OFTEN, *(pytest.param(n, marks=pytest.mark.test_all) for n in FAULTS if n not in OFTEN)],
)
@pytest.mark.usefixtures("listens")
def test_a_fault_at_any_request(scenario: str, name: str, tmp_path: Path) -> None:
    go_wrong(scenario, tmp_path, name, lambda api: api.fail(FAULTS[name]))


@pytest.mark.usefixtures("listens")
@pytest.mark.parametrize("scenario", [*MORE, SCENARIOS[-1]])
def test_a_cancel_at_any_request(scenario: str, tmp_path: Path) -> None:
    go_wrong(scenario, tmp_path, "cancel", lambda _: os.kill(os.getpid(), signal.SIGINT))

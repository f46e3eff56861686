"""The workflow that brings a fleet in step every night: a job for each ring, a matrix of shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.fleet.access import Access
from gen_workflow.fleet.pace import PER_HOUR
from gen_workflow.fleet.proposing import CHANGES
from gen_workflow.pins.table import CHECKOUT, OURS
from gen_workflow.plan.frame import CONTENTS, Frame
from gen_workflow.workflow.records import (
    Concurrency,
    Dispatch,
    Environment,
    Job,
    Schedule,
    Step,
    Triggers,
    Workflow,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.fleet.roster import Roster
    from gen_workflow.workflow.records import Pin

PATH = ".github/workflows/fleet.yml"
_FOLDER = ".gen-workflow"
_ENVIRONMENT = "fleet"
_AT_NIGHT = "17 3 * * *"  # not on the hour, when GitHub starts the most runs
_MINUTES = 60  # of a job, and of the token of a GitHub App
_STOP_AFTER = 50  # minutes for the pull requests, so that the end of neither cuts a run off
_ALONE = Concurrency(
    "gen-workflow fleet",
    cancel_in_progress=False,
    cancelled="two at once would change more than GitHub allows",
)


def workflow(
    file: str, fleet: Roster, shards: int, pins: Mapping[str, Pin], remade: str
) -> Workflow:
    """Return the workflow; `file` is the path of the fleet's file in the repository.

    With rings there is a job for each: it does nothing before the ring before it is through.
    `remade` is the command that prints the workflow.
    """
    frame = Frame(pins, pins[OURS])
    access = Access.of(fleet)
    before = _before(frame, access)
    given = (("GH_TOKEN", access.token), ("FLEET", file))
    names = [ring.name for ring in fleet.rings] or [""]
    # What GitHub allows in an hour, because the jobs do not know of each other's changes.
    limit = max(1, PER_HOUR // CHANGES // (shards * len(names)))
    jobs: list[Job] = []
    for earlier, ring in zip(("", *names), names, strict=False):
        step = _step(given, shards, limit, ring, earlier)
        needs = (jobs[-1].id,) if jobs else ()
        jobs.append(_job(ring, shards, needs, (*before, step)))
    return Workflow(
        name="Fleet",
        on=Triggers(schedule=(Schedule(_AT_NIGHT),), workflow_dispatch=Dispatch()),
        concurrency=_ALONE,
        jobs=tuple(jobs),
        needs=(access.needs(f"The environment {_ENVIRONMENT}"),),
        path=PATH,
        notes=access.notes,
        remade=remade,
    )


def _job(ring: str, shards: int, needs: tuple[str, ...], steps: tuple[Step, ...]) -> Job:
    name = f"Ring {ring}" if ring else "Bring the fleet in step"
    matrix = {"fail-fast": False, "matrix": {"shard": [*range(1, shards + 1)]}}
    return Job(
        id=f"ring-{ring}" if ring else "fleet",
        name=f"{name}, part ${{{{ matrix.shard }}}} of {shards}" if shards > 1 else name,
        needs=needs,
        condition="${{ !cancelled() }}" if needs else "",
        timeout_minutes=_MINUTES,
        permissions=(CONTENTS,),
        environment=Environment(_ENVIRONMENT, deployment=False),
        more=(("strategy", matrix),) if shards > 1 else (),
        steps=steps,
    )


def _before(frame: Frame, access: Access) -> tuple[Step, ...]:
    """Return the steps before the last one; the token comes last, because its hour begins then."""
    inputs = (
        ("repository", OURS),
        ("ref", frame.ours.sha),
        ("path", _FOLDER),
        ("persist-credentials", False),
    )
    ours = Step(
        f"Check out gen-workflow {frame.ours.version}", uses=frame.uses(CHECKOUT), inputs=inputs
    )
    return (frame.checkout(), ours, *access.steps(frame))


def _step(
    given: tuple[tuple[str, str], ...], shards: int, limit: int, ring: str, before: str
) -> Step:
    """Return the step that opens the pull requests; what it is told is in its environment."""
    words = [f"./{_FOLDER}/gen-workflow", "fleet", "apply", '--file "$FLEET"', f"--limit {limit}"]
    words.append(f"--stop-after {_STOP_AFTER}")
    env = [*given]
    if shards > 1:
        words.append(f'--shard "$SHARD/{shards}"')
        env.append(("SHARD", "${{ matrix.shard }}"))
    if ring:
        words.append(f"--ring {ring}")
    if before:
        words.append(f"--after {before}")
    return Step("Open the pull requests", run=" ".join(words), env=tuple(env))

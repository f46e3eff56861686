"""What lets the runner reach an environment: that of the spec, one of its own, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import RawStep

if TYPE_CHECKING:
    from gen_workflow.spec.declaration import Spec
    from gen_workflow.workflow.records import Job
    from unit.generator.conftest import Repository

SPEC = """\
image: .
connect: {steps: [the way]}
deploy: {ssh: vps, run: {}}
environments:
  staging: {on: main}
  production: {on: manual, connect: %s}
"""


def spec_of(repository: Repository, production: str) -> Spec:
    return load((SPEC % production).encode(), "gen-workflow.yml", str(repository.folder))


def jobs(spec: Spec) -> dict[str, Job]:
    return {job.id: job for each in pipeline.workflows(spec, table()) for job in each.jobs}


def ways(job: Job) -> list[object]:
    """Return the commands of the user in a job."""
    return [dict(step.content)["run"] for step in job.steps if isinstance(step, RawStep)]


@pytest.mark.parametrize("kind", ["deploy", "rollback"])
def test_one_of_an_environment_replaces_that_of_the_spec(kind: str, repository: Repository) -> None:
    found = jobs(spec_of(repository, "{steps: [its own]}"))
    assert ways(found[f"{kind}-staging"]) == ["the way"]
    assert ways(found[f"{kind}-production"]) == ["its own"]


def test_none_leaves_it_out_and_its_time_too(repository: Repository) -> None:
    found = jobs(spec_of(repository, "none"))
    production, staging = found["deploy-production"], found["deploy-staging"]
    assert ways(production) == []
    assert production.timeout_minutes == (staging.timeout_minutes or 0) - 10


def test_only_its_environment_needs_what_it_reads(repository: Repository) -> None:
    way = '{steps: {run: open, env: {KEY: "${{ secrets.GATE }}"}}}'
    workflow, *_ = pipeline.workflows(spec_of(repository, way), table())
    holders = [each.place for each in workflow.needs if "GATE" in [s.name for s in each.secrets]]
    assert holders == ["Settings > Environments > production"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("nothing", "'nothing' is neither `none` nor a mapping"),
        ("{}", "says nothing"),
        ("[a]", "should be `none` or a mapping, but is a list"),
    ],
)
def test_what_is_no_way_is_told_at_its_place(
    given: str, problem: str, repository: Repository
) -> None:
    with pytest.raises(SpecError) as caught:
        spec_of(repository, given)
    (only,) = caught.value.problems
    assert only.startswith(f"gen-workflow.yml:6:37 environments/production/connect: {problem}")

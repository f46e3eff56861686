"""Which runs deploy where: what starts a run and the conditions of its jobs say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.explain import events, starts
from gen_workflow.explain.jobs import RUNS, verdicts
from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import as_data

if TYPE_CHECKING:
    from pathlib import Path

    from gen_workflow.explain.events import Event

SHARED = "image: .\ndeploy: {ssh: vps, run: {}}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def workflow(text: str, repository: Path) -> dict[str, Any]:
    spec = load((SHARED + text).encode(), "gen-workflow.yml", str(repository))
    data: dict[str, Any] = as_data(pipeline.workflows(spec, table())[0])
    return data


def deployed(text: str, event: Event, repository: Path) -> list[str]:
    """Return the environments that a run for an event deploys to, in the order of the deploys."""
    data = workflow(text, repository)
    start = starts.start(data["on"], event)
    if not start.starts:
        return []
    found = verdicts(data["jobs"], event, start.inputs)
    jobs = [data["jobs"][one.job] for one in found if one.runs == RUNS]
    return [job["environment"] for job in jobs if "environment" in job]


def by_hand(environment: str, ref: str = "refs/heads/main") -> Event:
    return events.by_hand(ref, [("environment", environment)])


CHAIN = "environments: {a: {on: manual}, b: {after: a}, c: {after: b}, d: {on: main}}\n"


def test_a_chain_that_a_person_starts_goes_to_its_end(repository: Path) -> None:
    assert deployed(CHAIN, by_hand("a"), repository) == ["a", "b", "c"]
    assert deployed(CHAIN, by_hand("as a push"), repository) == ["d"]


def test_a_person_is_offered_only_what_begins_a_chain(repository: Path) -> None:
    asked = workflow(CHAIN, repository)["on"]["workflow_dispatch"]["inputs"]["environment"]
    assert asked["options"] == ["as a push", "a"]

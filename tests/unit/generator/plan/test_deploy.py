"""Which runs deploy where: what starts a run and the conditions of its jobs say the same."""

from __future__ import annotations

import sys
from collections import Counter
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


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("1.0", ["all"]),
        ("app/1.0", ["all"]),
        ("v1.0", ["all", "v"]),
        ("v1/beta", ["all", "v"]),
        ("app/v1", ["all", "app"]),
        ("app/v1/beta", ["all", "app"]),
    ],
)
def test_the_tags_that_start_a_run_are_those_that_deploy(
    tag: str, expected: list[str], repository: Path
) -> None:
    text = (
        "environments: "
        '{all: {on: tags}, v: {on: {tags: "v*"}}, app: {on: {tags: ["app/v*", stable]}}}\n'
    )
    assert deployed(text, events.tag(tag), repository) == expected


@pytest.mark.parametrize("name", ["all", "v"])
@pytest.mark.parametrize("tag", ["1.0", "app/1.0", "v1.0", "v1/beta"])
def test_tags_mean_the_same_beside_others_and_alone(name: str, tag: str, repository: Path) -> None:
    each = {"all": "all: {on: tags}", "v": 'v: {on: {tags: "v*"}}'}
    both = deployed(f"environments: {{{', '.join(each.values())}}}\n", events.tag(tag), repository)
    alone = deployed(f"environments: {{{each[name]}}}\n", events.tag(tag), repository)
    assert alone == [one for one in both if one == name]


def calls_for_a_chain(length: int, repository: Path) -> int:
    """Return how many functions are called to plan a chain of environments."""
    chain = "".join(f"  e{i + 1}: {{after: e{i}}}\n" for i in range(length))
    text = f"{SHARED}environments:\n  e0: {{on: main}}\n{chain}"
    spec = load(text.encode(), "gen-workflow.yml", str(repository))
    counted = Counter[str]()
    sys.setprofile(lambda _frame, event, _arg: counted.update([event]))
    try:
        pipeline.workflows(spec, table())
    finally:
        sys.setprofile(None)
    return counted["call"]


def test_the_work_for_a_chain_of_environments_grows_with_its_length(repository: Path) -> None:
    calls_for_a_chain(1, repository)  # what is kept for the next time
    assert calls_for_a_chain(80, repository) < 3 * calls_for_a_chain(40, repository)

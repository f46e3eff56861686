"""Which jobs run for an event, and which words say why the others do not."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.explain import events
from gen_workflow.explain.jobs import DEPENDS, ON_FAILURE, RUNS, SKIPPED, Verdict, verdicts
from gen_workflow.explain.starts import start

if TYPE_CHECKING:
    from collections.abc import Mapping


def verdict(condition: str, inputs: Mapping[str, Any]) -> Verdict:
    (found,) = verdicts({"job": {"if": condition}}, events.push("main"), inputs)
    return found


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("github.ref == 'refs/heads/x'", "only for the branch x; this is the branch main"),
        (
            "github.ref == 'refs/heads/x' || github.ref == 'refs/heads/y'",
            "only for the branches x and y; this is the branch main",
        ),
        (
            "github.ref == 'refs/heads/x' || github.ref == 'refs/tags/v1'",
            "only for the branch x or the tag v1; this is the branch main",
        ),
        ("github.event_name != 'push'", "not for a push"),
        ("!(github.event_name == 'push')", "not for a push"),
        ("github.ref != 'refs/heads/main'", "not for the branch main"),
        ("'release' == github.event_name", "only for a release; this is a push"),
        (
            "startsWith(github.ref, 'refs/tags/')",
            "only for tags; this is the branch main",
        ),
        (
            "startsWith(github.ref, 'refs/tags/v')",
            "only for tags that begin with v; this is the branch main",
        ),
        (
            "endsWith(github.ref_name, '/x')",
            "only when the name of the branch or tag ends with /x; it is main",
        ),
        (
            "inputs.where == 'staging'",
            "only when the input where is staging; it is production",
        ),
        ("inputs.where != 'production'", "not when the input where is production"),
        ("inputs.dry-run", "only when the input dry-run is set; it is false"),
        ("!inputs.where", "`inputs.where` is true"),
        ("failure()", "only when a job before it fails"),
        ("cancelled()", "only when the run is cancelled"),
        ("false", "`false` is not true"),
        ("1 > 2", "`1 > 2` is not true"),
        ("1 == 2", "`1 == 2` is not true"),
        ("1 != 1", "`1 != 1` is not true"),
        (
            "github.event_name == 'push' && (github.ref == 'refs/heads/x' && vars.X)",
            "only for the branch x; this is the branch main",
        ),
        ("format('{0}', '')", "`format('{0}', '')` is not true"),
        ("startsWith('a', 'b')", "`startsWith('a', 'b')` is not true"),
    ],
)
def test_the_part_of_a_condition_that_says_no_is_in_plain_words(condition: str, why: str) -> None:
    found = verdict(condition, {"where": "production", "dry-run": False})
    assert (found.runs in (SKIPPED, ON_FAILURE), found.why) == (True, why)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("vars.DEPLOY == 'yes'", "depends on the variable DEPLOY"),
        ("github.actor == 'octocat'", "depends on who started the run"),
        ("hashFiles('**/x') != ''", "depends on the content of files"),
        ("vars.A && vars.B", "depends on the variable A and the variable B"),
        ("github.event.head_commit.message", "depends on `github.event.head_commit.message`"),
        ("1 ==", "depends on a condition that cannot be read: the expression ends too early"),
    ],
)
def test_what_only_a_run_knows_is_named(condition: str, why: str) -> None:
    found = verdict(condition, {})
    assert (found.runs, found.why) == (DEPENDS, why)


def test_jobs_are_in_the_order_in_which_they_begin() -> None:
    jobs: dict[str, dict[str, Any]] = {
        "last": {"needs": ["middle", "first"]},
        "middle": {"needs": "first"},
        "first": {},
        "beside": {},
    }
    found = verdicts(jobs, events.push("main"), {})
    stages = [(one.job, one.stage, one.after) for one in found]
    assert stages == [
        ("first", 1, ()),
        ("beside", 1, ()),
        ("middle", 2, ("first",)),
        ("last", 3, ("middle", "first")),
    ]


def test_a_job_behind_a_skipped_one_says_which_one_it_needs() -> None:
    jobs = {
        "build": {"if": "github.event_name == 'release'"},
        "deploy": {"needs": "build"},
        "smoke": {"needs": "deploy"},
        "clean": {"needs": "deploy", "if": "always()"},
        "after": {"needs": "clean"},
        "result": {"needs": "build", "if": "always() && needs.build.result == 'success'"},
    }
    found = {one.job: one for one in verdicts(jobs, events.push("main"), {})}
    assert found["deploy"][1:3] == (SKIPPED, "needs build, which is skipped")
    assert found["smoke"][1:3] == (SKIPPED, "needs deploy and build, which are skipped")
    assert found["clean"].runs == RUNS
    assert found["after"][1:3] == (SKIPPED, "needs deploy and build, which are skipped")
    said = "only when the result of build is success; it is skipped"
    assert found["result"][1:3] == (SKIPPED, said)


def test_a_job_that_runs_after_a_failure_alone_is_told_apart() -> None:
    jobs = {
        "build": {},
        "notify": {"needs": "build", "if": "failure()"},
        "page": {"needs": "build", "if": "always() && needs.build.result != 'success'"},
        "never": {"needs": "build", "if": "failure() && github.ref == 'refs/heads/x'"},
    }
    found = {one.job: one for one in verdicts(jobs, events.push("main"), {})}
    assert found["notify"][1:3] == (ON_FAILURE, "only when a job before it fails")
    assert found["page"].runs == ON_FAILURE
    assert found["never"].runs == SKIPPED


def test_the_output_of_a_job_is_not_known_before_the_run() -> None:
    jobs = {
        "changes": {},
        "api": {"needs": "changes", "if": "needs.changes.outputs.api == 'true'"},
        "deploy": {"needs": "api"},
    }
    found = {one.job: one for one in verdicts(jobs, events.push("main"), {})}
    assert found["api"][1:3] == (DEPENDS, "depends on the output api of changes")
    assert found["deploy"][1:3] == (DEPENDS, "depends on the result of api")


def test_jobs_that_wait_for_each_other_come_to_an_end() -> None:
    found = verdicts({"a": {"needs": "b"}, "b": {"needs": ["a", "gone"]}}, events.push("main"), {})
    assert {one.job for one in found} == {"a", "b"}


def test_many_jobs_in_many_stages_are_no_trouble() -> None:
    stages = [[f"j{stage}-{number}" for number in range(3)] for stage in range(120)]
    jobs: dict[str, dict[str, Any]] = {name: {} for name in stages[0]}
    for before, names in itertools.pairwise(stages):
        jobs |= {name: {"needs": before} for name in names}
    found = verdicts(dict(reversed(jobs.items())), events.push("main"), {})
    assert {one.runs for one in found} == {RUNS}
    assert found[-1].stage == len(stages)


TRIGGERS: dict[str, Any] = {
    "push": {"branches": ["main", "release/*"], "tags": ["v*"]},
    "pull_request": {"branches": ["main"], "paths": ["api/**", "!api/docs/**"]},
    "release": {"types": ["released"]},
    "schedule": [{"cron": "0 4 * * 1"}, {"cron": "0 5 * * 2", "timezone": "Europe/Berlin"}],
    "workflow_dispatch": {
        "inputs": {
            "where": {"type": "choice", "options": ["staging", "production"], "required": True},
            "dry-run": {"type": "boolean", "default": False},
            "why": {"type": "string", "required": True},
        }
    },
}


@pytest.mark.parametrize(
    ("event", "starts", "why"),
    [
        (events.push("main"), True, ""),
        (events.push("release/1"), True, ""),
        (events.push("x"), False, "push starts it for the branches main and release/* only"),
        (events.tag("v1"), True, ""),
        (events.tag("1"), False, "push starts it for the tag v* only"),
        (events.pull_request("main"), None, "when it changes api/** or !api/docs/**"),
        (events.pull_request("x"), False, "pull_request starts it for the branch main only"),
        (events.pull_request("main")._replace(files=("api/x",)), True, ""),
        (
            events.pull_request("main")._replace(files=("api/docs/x", "y")),
            False,
            "it changes nothing of api/** and !api/docs/**",
        ),
        (events.pull_request("main")._replace(types=("closed",)), False,
         "only opened, synchronize and reopened of pull_request start it"),
        (events.release("v1"), True, ""),
        (events.release("v1", prerelease=True), False, "only released of release start it"),
        (events.merge_group("main"), False, "merge_group does not start it"),
        (events.schedule("main"), True, "at 0 4 * * 1 in UTC and 0 5 * * 2 in Europe/Berlin"),
        (events.by_hand("main"), False, "the input why has to be given"),
        (events.by_hand("main", [("why", "x")]), True, ""),
        (events.by_hand("main", [("where", "moon")]), False,
         "the input where is one of staging or production"),
        (events.by_hand("main", [("what", "x")]), False, "it has no input what"),
    ],
)  # fmt: skip
def test_an_event_starts_a_workflow_when_its_filters_take_it(
    event: events.Event, starts: object, why: str
) -> None:
    assert start(TRIGGERS, event)[:2] == (starts, why)


def test_a_push_filter_of_one_kind_keeps_the_other_kind_out() -> None:
    only = {"push": {"branches": ["**"]}}
    assert start(only, events.tag("v1"))[:2] == (False, "push starts it for branches only")
    only = {"push": {"tags": ["**"]}}
    assert start(only, events.push("x"))[:2] == (False, "push starts it for tags only")
    assert start({"push": None}, events.tag("v1")).starts


def test_a_workflow_that_others_call_starts_when_they_do() -> None:
    found = start({"workflow_call": None}, events.push("main"))
    why = "when a workflow that starts on this event calls it"
    assert found[:2] == (None, why)
    jobs = {"build": {"if": "inputs.push"}}
    (build,) = verdicts(jobs, events.push("main"), found.inputs)
    assert build[1:3] == (DEPENDS, "depends on the input push")


def test_inputs_have_the_values_that_github_fills_in() -> None:
    found = start(TRIGGERS, events.by_hand("main", [("why", "x"), ("dry-run", "true")]))
    assert found.inputs == {"where": "staging", "dry-run": True, "why": "x"}

"""What is read of the environment and the payload, and what is not believed."""

from __future__ import annotations

from typing import Any

import pytest

from ship.images.tags import facts_of
from ship.runner.errors import UserError
from unit.ship.images.tags.runs import (
    BASE,
    CLOCK,
    HEAD,
    PULL_REQUEST,
    RUNS,
    SHA,
    Run,
    label,
    names,
    push,
)

TIME = "use the form that `git log -1 --format=%ct` prints"
LEVELS = "the levels are manifest, index, manifest-descriptor, index-descriptor"


@pytest.mark.parametrize(
    ("name", "value", "reported"),
    [
        ("SOURCE_DATE_EPOCH", "x", f"'x' is not a time in seconds since 1970\n  hint: {TIME}"),
        ("SOURCE_DATE_EPOCH", "-1", "'-1' is not a time"),
        ("SOURCE_DATE_EPOCH", "253370764800", "'253370764800' is not a time"),
        ("SOURCE_DATE_EPOCH", "٣", "'٣' is not a time"),
        ("DOCKER_METADATA_SHORT_SHA_LENGTH", "0",
         "'0' is not a number of digits\n  hint: write a whole number, such as 7 or 12"),
        ("DOCKER_METADATA_SHORT_SHA_LENGTH", "-1", "'-1' is not a number of digits"),
        ("DOCKER_METADATA_SHORT_SHA_LENGTH", "3.9", "'3.9' is not a number of digits"),
        ("DOCKER_METADATA_SHORT_SHA_LENGTH", "all", "'all' is not a number of digits"),
        ("DOCKER_METADATA_ANNOTATIONS_LEVELS", "index,manifst",
         f"'manifst' is not a level\n  hint: {LEVELS}"),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_reported(name: str, value: str, reported: str) -> None:
    with pytest.raises(UserError) as caught:
        RUNS["run by hand"].facts({name: value})
    assert str(caught.value).startswith(f"{name}: {reported}")


def test_all_wrong_variables_are_reported_at_once() -> None:
    env = {"SOURCE_DATE_EPOCH": "x", "DOCKER_METADATA_SHORT_SHA_LENGTH": "y"}
    with pytest.raises(UserError) as caught:
        RUNS["run by hand"].facts(env)
    assert [problem.where for problem in caught.value.problems] == list(env)


@pytest.mark.parametrize(
    ("length", "digits"), [("", 7), (" 12 ", 12), ("007", 7), ("1", 1), ("40", 40), ("999", 40)]
)
def test_a_short_sha_is_as_long_as_asked(length: str, digits: int) -> None:
    facts = push("refs/heads/main").facts({"DOCKER_METADATA_SHORT_SHA_LENGTH": length})
    assert facts.sha[: facts.short_sha] == SHA[:digits]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("manifest",)),
        (",", ("manifest",)),
        (" index , manifest ", ("index", "manifest")),
        ("manifest[linux/amd64]", ("manifest[linux/amd64]",)),
    ],
)
def test_levels_are_a_list(text: str, expected: tuple[str, ...]) -> None:
    facts = push("refs/heads/main").facts({"DOCKER_METADATA_ANNOTATIONS_LEVELS": text})
    assert facts.levels == expected


@pytest.mark.parametrize("wants", ["true", "TRUE", " true "])
def test_the_head_is_taken_for_pull_requests_alone(wants: str) -> None:
    env = {"DOCKER_METADATA_PR_HEAD_SHA": wants}
    assert RUNS["pull request"].facts(env).sha == HEAD
    assert RUNS["pull request with the rights of its target"].facts(env).sha == HEAD
    assert RUNS["another workflow ended"].facts(env).sha == SHA
    assert RUNS["pull request"].facts({"DOCKER_METADATA_PR_HEAD_SHA": "false"}).sha == SHA


def test_a_pull_request_with_the_rights_of_its_target_is_never_taken_for_the_target() -> None:
    run = Run("pull_request_target", "refs/heads/main", {**PULL_REQUEST, "number": "7"})
    assert run.facts().ref == ""
    rules = "type=ref,event=branch\ntype=ref,event=pr\ntype=edge\nx,enable={{is_default_branch}}"
    assert names(rules, run) == ()


def test_the_base_of_a_version_is_the_branch_it_was_pushed_from() -> None:
    assert label("{{base_ref}}", push("refs/tags/v1", base_ref="refs/heads/rel/1")) == "rel/1"


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [
        ("2026-03-29T01:30:15+01:00", 1774744215),
        ("2026-03-29T00:30:15Z", 1774744215),
        ("2026-03-29T00:30:15.250Z", 1774744215.25),
        ("2026-03-29T00:30:15", 1774744215),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("1969-12-31T23:59:59Z", None),
        (12, None),
        (None, None),
    ],
)
def test_the_time_of_the_commit_is_in_the_payload(timestamp: object, seconds: float | None) -> None:
    commit = {"id": SHA, "timestamp": timestamp}
    for payload in (
        {"commits": [{"id": "other"}, None, commit]},
        {"head_commit": commit},
        {"merge_group": {"head_commit": commit}},
        {"workflow_run": {"head_commit": commit}},
        {"commits": [{"id": SHA}], "head_commit": commit},
    ):
        run = Run("push", "refs/heads/main", payload)
        assert run.facts({}).commit_time == seconds


def test_the_time_of_another_commit_is_not_taken() -> None:
    other = {"id": HEAD, "timestamp": "2026-03-29T01:30:15Z"}
    assert push("refs/heads/main", head_commit=other, commits=[other]).facts({}).commit_time is None


# Whatever GitHub may come to send in these places.
ODD: list[Any] = [None, 1, True, "", "x", [], ["x"], {}, {"x": 1}, [None], 1.5, "\ud800", "a\nb"]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_part_of_the_payload_with_another_shape_does_no_harm(odd: Any) -> None:
    for key in ("repository", "commits", "head_commit", "pull_request", "base_ref", "number"):
        for run in RUNS.values():
            facts_of(Run(run.event_name, run.ref, {**run.payload, key: odd}).context(), CLOCK)
    for key in ("name", "description", "html_url", "license", "default_branch"):
        repository = {**BASE["repository"], key: odd}
        facts = push("refs/heads/main", repository=repository).facts()
        assert all("\n" not in text and text.isprintable() for text in facts.repository)
        "".join(facts.repository).encode()

"""docker/metadata-action's own tests, as data, against our reading of its language.

The data is derived from other people's tests and is no part of this repository: METADATA_CASES
names the file, else it is looked for beside the checkout. What the cases cover is covered by tests
of our own in tests/unit/ship/images/tags as well.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bed.tools import Cannot
from ship.images.tags.expressions import is_raw
from ship.images.tags.facts import Facts, Repository, facts_of
from ship.images.tags.lines import Line, lines, unquoted
from ship.images.tags.metadata import Metadata, Wanted, describe
from ship.images.tags.rules import RuleError, by_priority, read_flavor, read_images, read_rule
from ship.runner.context import Context
from ship.runner.errors import Problem, UserError

BESIDE = Path(__file__).parents[3] / "shared/data/metadata_cases.json"
FILE = Path(os.environ.get("METADATA_CASES") or BESIDE)
# Upstream's rules when none are given, which are not ours.
THEIR_RULES = ("type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr")
EXPECTED_NUMBER = 197


@cache
def data() -> dict[str, Any]:
    if not FILE.is_file():
        return {"cases": []}
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def of_kind(*kinds: str) -> list[Any]:
    found = [case for case in data()["cases"] if case["kind"] in kinds]
    absent = pytest.mark.skip(reason=f"{Cannot.CASES.reason}: {FILE.name} is not there")
    return [pytest.param(case, id=case["id"]) for case in found] or [
        pytest.param({}, id="absent", marks=absent)
    ]


def facts(case: dict[str, Any]) -> Facts:
    """Return what upstream's tests hand in: clock and repository are frozen there."""
    event = data()["events"][case["event"]]
    env = {**event["env"], **case.get("env", {})}
    context = Context(
        repository=env.get("GITHUB_REPOSITORY", ""),
        sha=env.get("GITHUB_SHA", ""),
        ref=env.get("GITHUB_REF", ""),
        event_name=env.get("GITHUB_EVENT_NAME", ""),
        payload=event.get("payload") or {},
    )
    repository = data()["repo"]
    frozen = 1578616200.0
    return facts_of(context, {**env, "SOURCE_DATE_EPOCH": "1578616200"})._replace(
        repository=Repository(
            repository["name"],
            repository["description"],
            repository["html_url"],
            repository["license"]["spdx_id"],
            repository["default_branch"],
        ),
        now=frozen,
        commit_time=frozen,
        created=frozen,
        levels=tuple(case.get("annotation_levels", ("manifest",))),
    )


def described(case: dict[str, Any]) -> Metadata:
    inputs = case["inputs"]
    wanted = Wanted(
        images="\n".join(inputs.get("images", ())),
        tags="\n".join(inputs.get("tags", THEIR_RULES)),
        flavor="\n".join(inputs.get("flavor", ())),
        # A list is what has been read from an input, quotes and all.
        labels=quoted(inputs.get("labels", ())),
        annotations=quoted(inputs.get("annotations", ())),
    )
    return describe(wanted, facts(case), None)


def quoted(listed: list[str]) -> str:
    return "\n".join(
        '"' + line.replace('"', '""') + '"' if '"' in line else line for line in listed
    )


def pairs(labels: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in labels.items()]


def test_all_cases_are_there() -> None:
    if FILE.is_file():
        assert len(data()["cases"]) == EXPECTED_NUMBER
        kinds = {case["kind"] for case in data()["cases"]}
        assert kinds == {
            "is_raw_statement", "tags_labels", "json", "bake_files", "bake_file", "sep_tags",
            "tag_transform", "tag_parse", "flavor_transform", "image_transform", "get_inputs",
        }  # fmt: skip


@pytest.mark.parametrize("case", of_kind("is_raw_statement"))
def test_a_pattern_is_raw_or_not(case: dict[str, Any]) -> None:
    assert is_raw(case["input"]) is case["expected"]


@pytest.mark.parametrize("case", of_kind("tags_labels"))
def test_an_event_gives_tags_labels_and_annotations(case: dict[str, Any]) -> None:
    made, expected = described(case), case["expected"]
    assert list(made.references) == expected["tags"]
    assert made.version == (expected["version"]["main"] or "")
    assert pairs(dict(made.labels)) == expected["labels"]
    assert pairs(dict(made.annotations)) == expected.get("annotations", expected["labels"])


@pytest.mark.parametrize("case", of_kind("json"))
def test_the_output_json_has_the_same_shape(case: dict[str, Any]) -> None:
    assert described(case).as_json() == case["expected"]


@pytest.mark.parametrize("case", of_kind("bake_files", "bake_file"))
def test_a_bake_file_has_theirs_and_the_annotations_are_beside_it(case: dict[str, Any]) -> None:
    metadata = described(case)
    target = metadata.bake()["target"]
    assert isinstance(target, dict)
    (ours,) = target.values()
    made = {**ours, "annotations": list(metadata.leveled_annotations())}
    files = case["expected"].values() if case["kind"] == "bake_files" else [case["expected"]]
    for file in files:
        (theirs,) = file["target"].values()
        assert {key: made[key] for key in theirs} == theirs


@pytest.mark.parametrize("case", of_kind("sep_tags"))
def test_tags_can_be_joined(case: dict[str, Any]) -> None:
    assert case["inputs"]["sepTags"].join(described(case).references) == case["expected"]


@pytest.mark.parametrize("case", of_kind("tag_transform"))
def test_rules_are_put_in_order(case: dict[str, Any]) -> None:
    read = by_priority(read_rule(Line(1, text)) for text in case["input"])
    assert [{"type": rule.type, "attrs": rule.attributes} for rule in read] == case["expected"]


@pytest.mark.parametrize("case", of_kind("tag_parse"))
def test_a_rule_is_read(case: dict[str, Any]) -> None:
    if case["error"]:
        with pytest.raises(RuleError):
            read_rule(Line(1, case["input"]))
        return
    rule = read_rule(Line(1, case["input"]))
    assert {"type": rule.type, "attrs": rule.attributes} == case["expected"]


@pytest.mark.parametrize("case", of_kind("flavor_transform"))
def test_a_flavor_is_read(case: dict[str, Any]) -> None:
    problems: list[Problem] = []
    flavor = read_flavor("\n".join(case["input"]), problems)
    assert bool(problems) is case["error"]
    if not problems:
        assert case["expected"] == {
            "latest": flavor.latest,
            "prefix": flavor.prefix,
            "prefixLatest": flavor.prefix_on_latest,
            "suffix": flavor.suffix,
            "suffixLatest": flavor.suffix_on_latest,
        }


@pytest.mark.parametrize("case", of_kind("image_transform"))
def test_names_of_images_are_read(case: dict[str, Any]) -> None:
    problems: list[Problem] = []
    images = read_images("\n".join(case["input"]), problems)
    assert bool(problems) is case["error"]
    if not problems:
        assert [image._asdict() for image in images] == case["expected"]


@pytest.mark.parametrize("case", of_kind("get_inputs"))
def test_lines_are_read_without_comments(case: dict[str, Any]) -> None:
    raw = case["raw_inputs"]
    for name in ("images", "tags", "flavor", "labels", "annotations"):
        read = [unquoted(line.text) for line in lines(raw.get(name, ""))]
        assert read == case["expected"][name]


def test_a_rule_that_cannot_be_read_is_reported_with_its_line() -> None:
    with pytest.raises(UserError, match=r"input `tags`, line 2: 'type=foo'"):
        describe(Wanted("a/b", "type=sha\ntype=foo"), Facts(), None)

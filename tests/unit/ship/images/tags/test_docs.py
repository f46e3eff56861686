"""docs/tags.md says what the code does: its tables are read, its examples are run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from ship.images.tags.lines import Line, lines
from ship.images.tags.rules import COMMON, DEFAULTS, OWN, PRIORITIES, read_flavor, read_rule
from ship.images.tags.values import values_of
from ship.images.tags.versions import NAMES
from unit.ship.images.tags.runs import MAIN, RUNS, Run, described, push

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ship.runner.errors import Problem

TEXT = Path(__file__).parents[5].joinpath("docs/tags.md").read_text("utf-8")
CODE = re.compile(r"`([^`]+)`")


def table(head: str) -> Iterator[list[str]]:
    """Yield the cells of the table whose first line begins so."""
    found = re.search(rf"^\| {re.escape(head)}.*\n\| ---.*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert found, head
    for row in found[1].splitlines():
        yield [cell.strip() for cell in row.strip("|").split(" | ")]


def codes(cell: str) -> list[str]:
    return CODE.findall(cell)


def test_the_docs_have_the_attributes_and_priorities_of_the_types() -> None:
    reported = {codes(kind)[0]: (own, priority) for kind, _, own, priority in table("type")}
    assert {kind: priority for kind, (_, priority) in reported.items()} == PRIORITIES
    for kind, (own, _) in reported.items():
        assert [each for each in codes(own) if each in OWN[kind]] == list(OWN[kind])
        default = DEFAULTS[kind].get("pattern") or DEFAULTS[kind].get("group")
        assert default is None or f"(`{default}`)" in own


def test_the_docs_have_the_attributes_of_all_types() -> None:
    assert {name for row in table("attribute") for name in codes(row[0])} == set(COMMON)


def test_the_docs_have_every_expression() -> None:
    reported = {
        re.split(r"[ }]", each[2:])[0] for row in table("expression") for each in codes(row[0])
    }
    everywhere = values_of(MAIN.facts(), lambda _: None)
    assert reported == {*everywhere, *NAMES["semver"], *NAMES["pep440"]}


def test_the_docs_have_every_variable() -> None:
    folder = Path(values_of.__code__.co_filename).parent
    code = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    read = set(re.findall(r"\b(?:DOCKER_METADATA_\w+|SOURCE_DATE_EPOCH)\b", code))
    assert {codes(row[0])[0] for row in table("variable")} == read


def run_of(words: str) -> Run:
    if words.startswith("pull request"):
        return RUNS["pull request"]
    if words.startswith("schedule"):
        return RUNS["schedule"]
    kind, name = words.split(" ")
    return push(f"refs/{'tags' if kind == 'tag' else 'heads'}/{name.strip('`')}")


@pytest.mark.parametrize("row", list(table("rule")), ids=lambda row: " ".join(row[:2]))
def test_an_example_of_the_docs_gives_its_tags(row: list[str]) -> None:
    rule, run, tags = row
    assert list(described(codes(rule)[0], run_of(run)).tag_names) == codes(tags)


def yaml_blocks() -> Iterator[object]:
    for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL):
        yield YAML(typ="safe").load(block.replace("<sha>", "sha"))


def inputs_of(node: object, name: str) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == name and isinstance(value, str))
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from inputs_of(each, name)


def test_the_rules_in_the_examples_can_be_read() -> None:
    texts = [text for block in yaml_blocks() for text in inputs_of(block, "tags")]
    rules = [line.text for text in texts if "steps." not in text for line in lines(text)]
    assert len(rules) >= 10
    for rule in rules:
        read_rule(Line(1, rule))
    for text in (text for block in yaml_blocks() for text in inputs_of(block, "flavor")):
        problems: list[Problem] = []
        read_flavor(text, problems)
        assert not problems


def test_one_step_replaces_four() -> None:
    steps = [block for block in yaml_blocks() if isinstance(block, list)]
    assert [len(block) for block in steps] == [4, 1]
    before, after = ({key for step in block for key in step["with"]} for block in (
        [step for step in steps[0] if "with" in step], steps[1]
    ))  # fmt: skip
    assert {"images", "push", "cache-to", "password"} <= before
    action = Path(__file__).parents[5] / "actions/build-push/action.yml"
    assert after <= set(YAML(typ="safe").load(action)["inputs"])


def test_others_can_link_to_moving_over() -> None:
    assert "\n## Moving over\n" in TEXT

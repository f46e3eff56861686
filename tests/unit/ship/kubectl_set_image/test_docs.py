"""docs/kubectl-set-image.md says what the code does: its Roles and tables are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from bed.action_file import ROOT, read_action
from ship.kube.kinds import KINDS, Kind
from ship.kube.rights import Right, needed
from ship.kubectl_set_image import watch
from ship.kubectl_set_image.results import EXIT_CODES, ORDER
from ship.kubectl_set_image.work import DEFAULT_PROGRESS_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = ROOT / "actions" / "kubectl-set-image"
TEXT = (ROOT / "docs" / "kubectl-set-image.md").read_text("utf-8")
README = (FOLDER / "README.md").read_text("utf-8")
# They end before any workload has a result.
BEFORE = {"dry-run", "refused"}


def rules(title: str) -> Any:
    """Return the YAML below a comment."""
    found = re.search(rf"```yaml\n# {title}\n(.*?)```", TEXT, re.DOTALL)
    assert found, title
    return YAML(typ="safe").load(found[1])


def allowed(found: Iterable[dict[str, list[str]]]) -> Iterator[tuple[str, str, str]]:
    """Yield each verb that rules allow, with its group and its resource."""
    for rule in found:
        assert set(rule) == {"apiGroups", "resources", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                yield from ((verb, group, resource) for verb in rule["verbs"])


def wanted(rights: Iterable[Right]) -> list[tuple[str, str, str]]:
    parts = [
        (each.verb, each.group, "/".join(filter(None, (each.resource, each.subresource))))
        for each in rights
    ]
    return sorted(parts)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_role_for_a_kind_has_the_rights_that_are_needed_and_no_other(kind: Kind) -> None:
    role = rules(f"A Role for a {kind.name}")
    assert role["kind"] == "Role"
    assert sorted(allowed(role["rules"])) == wanted(needed([(kind, "web")], secrets=False))


def test_the_rule_for_secrets_has_the_rights_that_are_needed_and_no_other() -> None:
    assert sorted(allowed(rules("A rule for Secrets"))) == wanted(needed([], secrets=True))


def rows(text: str, head: str) -> dict[str, tuple[str, ...]]:
    """Return the other cells of a table by the code in its first one."""
    found = re.search(rf"^\| {re.escape(head)} .*\n\| ---.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found, head
    lines = [row.strip("| ").split(" | ") for row in found[1].splitlines()]
    cells = [[cell.strip() for cell in line] for line in lines]
    return {each[0].strip("`"): tuple(each[1:]) for each in cells}


@pytest.mark.parametrize("text", [TEXT, README], ids=["page", "readme"])
def test_every_status_is_in_the_docs_with_its_exit_code(text: str) -> None:
    found = rows(text, "`status`")
    assert set(found) == {*ORDER, *BEFORE}
    for status in ORDER:
        assert found[status][-1].partition(";")[0] == str(EXIT_CODES.get(status, 0)), status


def test_the_description_of_the_output_names_every_status() -> None:
    said = read_action(FOLDER).outputs["status"]["description"]
    assert set(re.findall(r"[a-z]+(?:-[a-z]+)?", said)) >= {*ORDER, *BEFORE}


def test_the_limits_in_the_docs_have_their_defaults() -> None:
    found = {name: cells[-1] for name, cells in rows(TEXT, "limit").items()}
    inputs = read_action(FOLDER).inputs
    assert inputs["progress-timeout"]["default"] == ""
    assert found.pop("progress-timeout").endswith(f", or {DEFAULT_PROGRESS_SECONDS}")
    assert found == {name: inputs[name]["default"] for name in found}


def test_the_numbers_in_the_text_are_those_of_the_code() -> None:
    words = " ".join(TEXT.split())
    assert f"the last {watch.LOG_LINES} lines" in words
    assert watch.STUCK_SECONDS == 5
    assert "for five seconds" in words
    assert watch.LOST_SECONDS == 120
    assert "for two minutes" in words

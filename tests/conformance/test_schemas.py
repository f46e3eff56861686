"""Every document keeps to its SchemaStore schema, as check-jsonschema carries them."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from conformance.subjects import ROOT, Subject, actions, everything, workflows

if TYPE_CHECKING:
    from pathlib import Path


@cache
def _validator(name: str) -> jsonschema.Draft7Validator:
    folder = resources.files("check_jsonschema") / "builtin_schemas"
    return jsonschema.Draft7Validator(json.loads((folder / name).read_text(encoding="utf-8")))


def problems(name: str, document: Any) -> list[str]:
    found = sorted(_validator(name).iter_errors(document), key=lambda error: error.json_path)
    return [f"{error.json_path}: {error.message}" for error in found]


def _schema(subject: Subject) -> str:
    kind = "workflows" if subject.is_workflow else "actions"
    return f"vendor/github-{kind}.json"


@pytest.mark.parametrize("subject", everything(), ids=lambda each: each.name)
def test_a_document_keeps_to_its_schema(subject: Subject) -> None:
    assert problems(_schema(subject), subject.document) == []


@pytest.mark.parametrize("subject", workflows(), ids=lambda each: each.name)
def test_every_job_has_a_time_limit(subject: Subject) -> None:
    assert problems("custom/github-workflows-require-timeout.json", subject.document) == []


def test_dependabot_has_a_right_configuration() -> None:
    document = YAML(typ="safe").load((ROOT / ".github/dependabot.yml").read_text("utf-8"))
    assert problems("vendor/dependabot.json", document) == []


@pytest.mark.parametrize(
    "path",
    sorted(ROOT.glob("tests/unit/generator/uses/dependabot/*/after.yml")),
    ids=lambda path: path.parent.name,
)
def test_dependabot_has_a_right_configuration_from_us(path: Path) -> None:
    document = YAML(typ="safe").load(path.read_text("utf-8"))
    assert problems("vendor/dependabot.json", document) == []


def test_a_wrong_key_is_reported() -> None:
    document = {"on": "push", "jobs": {"a": {"runs-ons": "ubuntu-24.04", "steps": []}}}
    assert problems("vendor/github-workflows.json", document)


def test_an_output_without_a_value_is_reported() -> None:
    document = actions()[0].document
    document["outputs"] = {"image": {"description": "Image."}}
    assert problems("vendor/github-actions.json", document)

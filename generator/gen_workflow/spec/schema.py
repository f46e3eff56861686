"""The JSON Schema of the spec, made from its declaration."""

from __future__ import annotations

import json

from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.jobs import JOB
from gen_workflow.spec.steps import DEFINITIONS
from gen_workflow.spec.test import TEST

_HEAD = {
    "$schema": "http://json-schema.org/draft-07/schema#",  # what editors know best
    "title": "gen-workflow.yml",
    "description": "What is built, and where it is deployed.",
}


def text() -> str:
    """Return the schema as JSON."""
    whole = {
        **_HEAD,
        **SPEC.schema(),
        "definitions": {**DEFINITIONS, "job": JOB, "test": TEST.schema()},
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"

"""What a run found as JSON, for programs; docs/report.schema.json is its schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import ERRORS, Problem

if TYPE_CHECKING:
    from gen_workflow.errors import GenWorkflowError

VERSION = 1  # of the schema; a key that is added does not change it


def of(error: GenWorkflowError | None, exit_code: int, output: str = "") -> str:
    """Return the end of a run as a JSON object: its exit code, each problem, and its output."""
    return text(
        {
            "version": VERSION,
            "exit_code": exit_code,
            "problems": problems(error),
            "output": output,
        }
    )


def problems(error: GenWorkflowError | None) -> list[dict[str, Any]]:
    """Return each problem of an error as data; none without an error."""
    found = error.found if error else {}
    return [_problem(one, rule) for one, rule in found.items()]


def text(document: Any, indent: int | None = None) -> str:
    """Return a document as text that no runner of GitHub takes for a command."""
    # The runner takes `##[` for a command anywhere in a line; JSON can say it in another way.
    found = json.dumps(document, ensure_ascii=False, indent=indent)
    return found.replace("##[", "#\\u0023[") + "\n"


def _problem(problem: Problem, rule: str) -> dict[str, Any]:
    said = {name: getattr(problem, name) for name in Problem.__slots__}
    return {"rule": rule, **said, "see": f"{ERRORS}#{rule}"}

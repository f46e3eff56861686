"""Errors as JSON, for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_workflow.errors import Problem, SpecError

if TYPE_CHECKING:
    from gen_workflow.errors import GenWorkflowError


def of(error: GenWorkflowError) -> str:
    """Return an error as a JSON object: its exit code, and each problem with its place."""
    problems = error.problems if isinstance(error, SpecError) else (str(error),)
    found = {"exit_code": error.exit_code, "problems": [_problem(one) for one in problems]}
    # GitHub's runner takes `##[` for a command anywhere in a line; JSON can say it in another way.
    return json.dumps(found, ensure_ascii=False).replace("##[", "#\\u0023[") + "\n"


def _problem(problem: str) -> dict[str, Any]:
    if isinstance(problem, Problem):
        return {name: getattr(problem, name) for name in problem.__slots__}
    return {"what": problem}

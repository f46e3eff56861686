"""What a run found as SARIF 2.1.0, which GitHub's code scanning takes.

The format is https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; what GitHub reads of
it is in "SARIF support for code scanning" of its documentation. There, each result needs a place.
"""

# ruff: noqa: PTH110, PTH118 - pathlib is slow to load

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gen_workflow import files
from gen_workflow.errors import ERRORS
from gen_workflow.report import as_json
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from gen_workflow.errors import GenWorkflowError, Problem

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_HOME = "https://github.com/gen-workflow/gen-workflow"


def of(error: GenWorkflowError | None, folder: str, spec: str) -> str:
    """Return the document; what is in no file that is there is shown at the top of the spec.

    Paths are those from the top of the git repository, or from `folder` when it is in none.
    """
    found = error.found if error else {}
    rules = list(dict.fromkeys(found.values()))
    driver = {
        "name": "gen-workflow",
        "version": __version__,
        "informationUri": _HOME,
        "rules": [_rule(one) for one in rules],
    }
    results = [
        _result(problem, rules.index(rule), rule, folder, spec) for problem, rule in found.items()
    ]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return as_json.text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(anchor: str) -> dict[str, Any]:
    """Return the rule of a heading of docs/errors.md."""
    address = f"{ERRORS}#{anchor}"
    return {
        "id": anchor,
        "shortDescription": {"text": anchor.replace("-", " ").capitalize()},
        "help": {"text": f"See {address}", "markdown": f"See [errors.md]({address})."},
        "helpUri": address,
    }


def _result(problem: Problem, index: int, rule: str, folder: str, spec: str) -> dict[str, Any]:
    file, line, said = problem.file, problem.line, problem.without_place
    if not (file and os.path.exists(os.path.join(folder, file))):
        file, line, said = spec, 0, f"{file}: {said}" if file else said
    region = {"startLine": line or 1}
    if line and problem.column:
        region["startColumn"] = problem.column
    place = {"artifactLocation": {"uri": _address(file, folder)}, "region": region}
    return {
        "ruleId": rule,
        "ruleIndex": index,
        "level": "error",
        "message": {"text": said},
        "locations": [{"physicalLocation": place}],
    }


def _address(file: str, folder: str) -> str:
    top = files.top(folder)
    inside = os.path.relpath(os.path.realpath(folder), top) if top else "."
    return quote(os.path.normpath(os.path.join(inside, file)).replace(os.sep, "/"))

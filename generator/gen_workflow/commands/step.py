"""The step of the action of this repository: `check`, or `commit` as a pull request.

What it finds goes into the log, to annotations, into the job summary and to the outputs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gen_workflow.commands import inputs, summary
from gen_workflow.commands.reports import held
from gen_workflow.errors import DONE, NOT_IN_STEP, OUR_BUG, UserError
from gen_workflow.report.annotations import of as annotated
from gen_workflow.report.terminal import log, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.commands.options import Options, Verb
    from gen_workflow.errors import GenWorkflowError

    Attempt = Callable[[Options], tuple[int, GenWorkflowError | None]]


def run(verbs: tuple[Verb, ...], attempt: Attempt) -> int:
    """Do what the inputs say; return the exit code.

    `attempt` runs a verb, logs its error, and returns the code and the error.
    """
    try:
        options = inputs.options_of(verbs)
    except UserError as error:
        log(error.report)
        return put(annotated(error, ".")) or error.exit_code
    code, failed, output = held(lambda: attempt(options))
    if options.verb.name == "check":
        put(output)
        inputs.tell({"in-step": {DONE: "true", NOT_IN_STEP: "false"}.get(code, "")})
    elif code == DONE:
        output = _updated(output)
    put(annotated(failed, options.folder) if failed else "")
    if code != OUR_BUG:
        inputs.summarize(summary.text(options, failed, output))
    return code


def _updated(output: str) -> str:
    """Print and tell what an update has come to; return it as a sentence."""
    found = json.loads(output)
    pull = found["pull_request"] or ""
    inputs.tell(
        {
            "in-step": "false" if found["files"] else "true",
            "pull-request": pull,
            "changed": "true" if found["changed"] else "false",
        }
    )
    said = f"pull request: {pull}\n" if pull else "the base is in step, nothing to do\n"
    put(said)
    return said + "".join(f"- `{path}`\n" for path in found["files"])

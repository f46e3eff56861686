"""The forms in which `--format` prints what is wrong: one document on the standard output."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from gen_workflow.errors import OUR_BUG, Heading, UserError
from gen_workflow.report import as_json, sarif
from gen_workflow.report.annotations import of as commands
from gen_workflow.report.terminal import log, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.commands.options import Options
    from gen_workflow.errors import GenWorkflowError

_FORMATS = ("text", "json", "sarif", "github")


def report(options: Options, attempt: Callable[[], tuple[int, GenWorkflowError | None]]) -> int:
    """Attempt a run, and print what it found in the form that the options name.

    The standard output has the document alone. What a run prints otherwise is a part of the JSON,
    and with the other forms it goes to the standard error. A bug of ours has no document.
    """
    if refusal := _refusal(options):
        log(refusal.report)
        return refusal.exit_code
    form = "json" if options.json else options.report
    if form == "text":
        return attempt()[0]
    code, error, output = held(attempt)
    if code == OUR_BUG:
        return code
    if form == "json":
        return put(as_json.of(error, code, output)) or code
    if output:
        log(output.rstrip("\n"))
    if form == "sarif":
        return put(sarif.of(error, options.folder, options.spec)) or code
    return put(commands(error, options.folder) if error else "") or code


def _refusal(options: Options) -> UserError | None:
    """Return why the options cannot be fulfilled; None when they can."""
    where, hint = "--format", ""
    if options.json and options.report not in ("", "json"):
        what, hint = f"--json is beside {options.report!r}", "say one of them"
    elif options.report not in ("", *_FORMATS):
        what, hint = f"{options.report!r} is no format", f"say one of {', '.join(_FORMATS)}"
    elif getattr(options, "stdout", False) and options.report != "text":
        where, what = "--stdout", "prints the workflows, so no document can be printed as well"
        hint = "leave out --format and --json"
    else:
        return None
    return UserError(what, where=where, hint=hint, anchor=Heading.OPTION)


def held(
    attempt: Callable[[], tuple[int, GenWorkflowError | None]],
) -> tuple[int, GenWorkflowError | None, str]:
    """Attempt a run; return what it returns, and what it would have printed."""
    there = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(there, "utf-8", write_through=True)) as stdout:
        code, error = attempt()
        stdout.flush()
        return code, error, there.getvalue().decode("utf-8", "replace")

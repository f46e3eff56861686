"""The act `fleet workflow`: prints the workflow that brings a fleet in step every night."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, UserError
from gen_workflow.fleet import nightly
from gen_workflow.pins.table import table
from gen_workflow.render import template
from gen_workflow.report.terminal import log, put

if TYPE_CHECKING:
    from gen_workflow.commands.options import Options
    from gen_workflow.fleet.roster import Roster


def act(options: Options, fleet: Roster, shards: int) -> int:
    """Print the workflow for the file of a fleet, which is in the repository of the workflow."""
    file = options.file
    if file.startswith(("/", "..")):
        hint = "run it in the repository that holds the file, and name the file from there"
        raise UserError(f"{file!r} is outside", where="--file", hint=hint, anchor=Heading.OPTION)
    words = ["gen-workflow", "fleet", "workflow"]
    words += ["--file", file] if file != "fleet.yml" else []
    words += ["--shards", f"{shards}"] if shards > 1 else []
    remade = f"{shlex.join(words)} > {nightly.PATH}"
    made = nightly.workflow(file, fleet, shards, table(), remade)
    for note in made.notes:
        log(note)
    return put(template.render(made, source=file, templates=options.templates))

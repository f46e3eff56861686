"""The act `fleet spec`: prints the spec that a repository gets from the file of a fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.fleet import choice, specs
from gen_workflow.fleet.choice import Choice
from gen_workflow.report.terminal import put
from gen_workflow.spec.hints import listed

if TYPE_CHECKING:
    from gen_workflow.fleet.roster import Roster


def act(file: str, fleet: Roster, named: tuple[str, ...]) -> int:
    """Print the spec of one repository that the file `file` names, and do not ask GitHub."""
    found = choice.chosen(fleet, Choice(named), file) if named else ()
    if len(found) != 1:
        what = f"{listed(named)} is not one repository" if named else "names no repository"
        hint = "name one, as in `gen-workflow fleet spec orders`"
        raise UserError(what, where="fleet spec", hint=hint, anchor=Heading.OPTION)
    (member,) = found
    if member.spec is None:
        what = f"{member.slug} keeps a spec of its own"
        hint = f"read the gen-workflow.yml in {member.slug}"
        raise UserError(what, where=shown(file), hint=hint, anchor=Heading.OPTION)
    return put(specs.text(member.spec, file).decode())

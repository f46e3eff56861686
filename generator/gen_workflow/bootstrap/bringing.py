"""Brings one repository to what is wanted: looks, plans, applies, and starts the first run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gen_workflow.bootstrap import facts, files, planning, settings
from gen_workflow.bootstrap.applying import Applying
from gen_workflow.bootstrap.files import Change
from gen_workflow.bootstrap.steps import Part
from gen_workflow.errors import GenWorkflowError, Heading, UserError
from gen_workflow.github.refusal import Moved, Refusal
from gen_workflow.github.update import Unfinished, Update
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_workflow.bootstrap.api import Api
    from gen_workflow.bootstrap.facts import Found
    from gen_workflow.bootstrap.planning import Plan
    from gen_workflow.bootstrap.wanted import Wanted
    from gen_workflow.github.client import Repository
    from gen_workflow.github.update import Names

_TRIES = 30  # seconds in which GitHub makes the first commit of a repository from a template
_NOT_READY = "GitHub has not yet made its first commit; run the command again in a minute"


class Look(NamedTuple):
    """What GitHub holds, what is to be done, and what is said of it; `steps` are in words."""

    found: Found
    plan: Plan
    change: Change
    steps: tuple[str, ...]
    already: tuple[str, ...]
    left: tuple[str, ...]


class Applied(NamedTuple):
    """What was done, and what is left for a person.

    Of that, `values` are those that are missing, and `lacking` is all without which no run can
    succeed. `pull` is the pull request with the files.
    """

    done: tuple[str, ...]
    left: tuple[str, ...]
    values: tuple[str, ...]
    lacking: tuple[str, ...]
    branch: str
    pull: str = ""


class Bootstrap:
    """One run for one repository; `client` is that of its files, and `log` is told each step."""

    def __init__(
        self,
        api: Api,
        client: Callable[[str], Repository],
        wanted: Wanted,
        names: Names,
        log: Callable[[str], None],
    ) -> None:
        self._api = api
        self._client = client
        self._wanted = wanted
        self._names = names
        self._log = log

    def look(self) -> Look:
        """Return what is to be done.

        Raises UserError for what cannot be, so before anything is written.
        """
        found = facts.read(self._api, self._wanted)
        plan = planning.plan(self._api.slug, self._wanted, found)
        if refusal := Refusal.of_scopes(self._api.scopes, self._wanted.files.files):
            raise self._api.connection.refused(refusal, "write")
        if plan.refused:
            what = "\n  ".join(["nothing was written, because this cannot be:", *plan.refused])
            raise UserError(what, where=self._api.slug, anchor=Heading.NOT_POSSIBLE)
        change, of_bot = self._change(found)
        does, of_files = change.plan(exists=found.repository.exists)
        says = [one.says for one in (*plan.creates, *plan.settings)]
        says += [does] if does else []
        says += [one.says for one in plan.rules]
        left = (*plan.left, *of_bot.left, *of_files.left)
        already = (*plan.already, *of_files.already)
        return Look(found, plan, change, tuple(says), already, left)

    def _change(self, found: Found) -> tuple[Change, Part]:
        about = found.repository
        wanted, part = self._wanted.files, Part()
        if settings.DEPENDABOT not in self._wanted.settings.leave:
            wanted, part = files.with_bot(wanted, found.held)
        update = Update(self._client(self._api.slug), wanted, self._names, _quiet)
        snapshot = update.read() if about.exists and about.commits else None
        waits = not about.exists and self._wanted.has_history
        direct = about.fresh and not waits and not found.rules.refuse_commits
        return Change(update, snapshot, direct=direct), part

    def apply(self, look: Look) -> Applied:
        """Do what is to be done."""
        applying = Applying(self._api, self._log)
        try:
            return self._through(look, applying)
        except GenWorkflowError as error:
            if not applying.done:
                raise
            raise Unfinished(error, applying.done) from None

    def _through(self, look: Look, applying: Applying, done: int = -1) -> Applied:
        """Do what is to be done; what was made meanwhile is looked at, as long as that helps."""
        try:
            return self._apply(look, applying)
        except Moved:
            if len(applying.done) == done:
                raise
            self._log("it has changed meanwhile, and is looked at again")
            return self._through(self.look(), applying, len(applying.done))

    def _apply(self, look: Look, applying: Applying) -> Applied:
        if not look.found.repository.exists:
            applying.take(look.plan.creates)
            look = self._look_at_new()
        applying.take(look.plan.settings)
        does, part = look.change.plan(exists=True)
        pull = look.change.apply() if does else ""
        if does:
            applying.note(does)
        applying.take(look.plan.rules)
        merge = (f"merge the pull request {pull}",) if pull else ()
        left = tuple(dict.fromkeys((*look.left, *applying.left, *merge)))
        lacking = tuple(dict.fromkeys((*look.plan.lacking, *part.left, *merge)))
        branch = look.found.repository.default_branch
        return Applied(tuple(applying.done), left, look.plan.lacking, lacking, branch, pull)

    def _look_at_new(self) -> Look:
        """Look at a repository that was just created; one from a template is filled a bit later."""
        for _ in range(_TRIES):
            look = self.look()
            if look.found.repository.commits or not self._wanted.settings.template:
                return look
            time.sleep(1)
        raise GenWorkflowError(_NOT_READY, where=self._api.slug, anchor=Heading.NOT_NOW)


def _quiet(_: str) -> None:
    """Log nothing: what an update would tell is in the plan."""

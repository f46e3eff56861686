"""Opens the pull requests of a fleet, one repository after the other, at the pace of GitHub."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen_workflow.errors import Drift, GenWorkflowError, Heading
from gen_workflow.fleet import proposing
from gen_workflow.fleet.inventory import AT_ONCE
from gen_workflow.fleet.proposing import Proposal
from gen_workflow.fleet.standing import TO_WRITE, Stands, snapshot
from gen_workflow.github import tokens
from gen_workflow.github.handling import PLAIN, REOPEN, Handling
from gen_workflow.github.proposal import body
from gen_workflow.github.refusal import Moved, Refusal
from gen_workflow.github.update import Update
from gen_workflow.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gen_workflow.fleet.inventory import Held
    from gen_workflow.fleet.journal import Journal
    from gen_workflow.fleet.pace import Pace
    from gen_workflow.fleet.roster import Member
    from gen_workflow.fleet.standing import Content, Standing
    from gen_workflow.fleet.survey import Surveyed
    from gen_workflow.github.client import Repository
    from gen_workflow.github.connection import Connection
    from gen_workflow.github.proposal import Wanted
    from gen_workflow.github.update import Names

# What is wrong then is between us and GitHub, and not in one repository.
_STOPS = (
    Heading.NOT_NOW, Heading.NO_TOKEN, Heading.NOT_REACHED, Heading.FOREIGN, Heading.PROXY,
    Heading.CERTIFICATE,
)  # fmt: skip


class Task(NamedTuple):
    """A repository that needs a pull request, and the files that differ in it.

    `name` is its name in the fleet, which may be an older one.
    """

    name: str
    held: Held
    content: Content
    files: tuple[str, ...]


class Applied(NamedTuple):
    """What was done with a repository: its pull request, or why there is none.

    With neither of them, somebody has brought it in step meanwhile.
    """

    slug: str
    pull: str = ""
    error: str = ""


@dataclass(frozen=True)
class Apply:
    """One run that opens pull requests; `log` is told each step.

    It begins with no repository after `end`, a time of the monotonic clock, and no request waits
    longer than that. `look` looks at repositories again, a hundred at once, when it is not known
    what they hold. `one_by_one` makes the client of one repository, for those that already have our
    branch. With `again`, a pull request is opened also where somebody closed the last one.
    """

    connection: Connection
    look: Callable[[Sequence[Member]], list[Surveyed]]
    one_by_one: Callable[[str], Repository]
    names: Names
    pace: Pace
    journal: Journal
    log: Callable[[str], None]
    again: bool = False
    handling: Handling = PLAIN
    end: float = math.inf

    def run(self, wanted: Sequence[Surveyed]) -> Iterator[Applied]:
        """Yield what was done with each repository.

        One that fails does not stop the others, unless no other can succeed now. Raises UserError
        when the token lists too few scopes, or when the journal cannot be written, and Drift when
        the time is over.
        """
        for one in self._known(wanted):
            task = self._task(one)
            if task is None:
                yield _meanwhile(one.standing)
                continue
            if task.held.login == tokens.RUN_LOGIN:
                raise tokens.of_a_run(task.held.slug)
            if refusal := Refusal.of_scopes(task.held.scopes, task.files):
                self.connection.slug = task.held.slug
                raise self.connection.refused(refusal, "write")
            slug = task.held.slug
            self._wait(task.name)
            try:
                pull = self._bring(task)
            except GenWorkflowError as error:
                self.journal.write(task.name, "failed", error=f"{error}")
                yield Applied(slug, error=f"{error}")
                if _ends_all(error):
                    self.log("stopped here, because the others would fail as well; run it again")
                    return
            else:
                self.journal.write(task.name, "proposed", pull=pull)
                yield Applied(slug, pull)

    def _known(self, wanted: Sequence[Surveyed]) -> Iterator[Surveyed]:
        """Yield the repositories with what they hold and should hold."""
        for begin in range(0, len(wanted), AT_ONCE):
            some = wanted[begin : begin + AT_ONCE]
            known = all(one.content for one in some)
            yield from some if known else self.look([one.member for one in some])

    def _task(self, one: Surveyed) -> Task | None:
        """Return what is to be written in a repository; None when nothing is."""
        again = self.again or self.handling.closed == REOPEN
        if not _is_to_write(one, again=again) or not one.held or not one.content:
            return None
        return Task(one.member.slug, one.held, one.content, one.standing.files)

    def _wait(self, name: str) -> None:
        """Wait until GitHub allows the changes, and note them before they are made.

        A run that is killed then has counted too many, and never too few.
        """
        changes = proposing.CHANGES + self.handling.changes
        seconds = self.pace.wait(time.time(), changes)
        if time.monotonic() + seconds > self.end:
            raise _over()
        if seconds:
            self.log(f"waiting {seconds:.0f} s, because no more changes are allowed until then")
            time.sleep(seconds)
        left = max(0.0, self.end - time.monotonic())
        self.connection.patience = min(self.connection.patience, left)
        self.pace.note(time.time(), changes)
        self.journal.write(name, "begins", changes=changes)

    def _bring(self, task: Task) -> str:
        """Return the address of the pull request that brings a repository in step.

        One request makes it, without what needs its number, and without a file that may be
        executed: GraphQL knows no such commit.
        """
        if not task.held.branch and not any(map(task.held.listing.is_executable, task.files)):
            try:
                made = proposing.propose(self.connection, task.held, self._proposal(task))
                return self._update(task) if self.handling.changes else made.pull
            except Moved:
                self.log(f"{task.held.slug} has changed meanwhile; it is read again")
            except GenWorkflowError as error:
                if not _ends_all(error):
                    self._withdraw(task)
                raise
        return self._update(task)

    def _withdraw(self, task: Task) -> None:
        """Delete the branch that a refused request has made; the next run would take it as well."""
        with suppress(GenWorkflowError):
            proposing.withdraw(self.connection, task.held, self.names.branch)

    def _proposal(self, task: Task) -> Proposal:
        files = {path: task.content.files.get(path) for path in task.files}
        text = body(_wanted(task), snapshot(task.content, task.held))
        names, draft = self.names, self.handling.draft
        return Proposal(names.branch, names.message, names.title, text, files, draft)

    def _update(self, task: Task) -> str:
        repository = self.one_by_one(task.held.slug)
        try:
            wanted, handling = _wanted(task), self.handling
            update = Update(
                repository, wanted, self.names, self.log, again=self.again, handling=handling
            )
            return update.apply(update.read()).pull_request or ""
        finally:
            repository.close()


def _wanted(task: Task) -> Wanted:
    return replace(task.content.wanted, runs=task.content.runs())


def _over() -> Drift:
    what = "stopped, because the time is over"
    hint = "run it again: it does what is still to do"
    return Drift(what, where="--stop-after", hint=hint, anchor=Heading.TIME_IS_OVER)


def _ends_all(error: GenWorkflowError) -> bool:
    return bool({*error.anchors} & {*_STOPS})


def to_write(found: Sequence[Surveyed], *, again: bool) -> list[Surveyed]:
    """Return the repositories that need a pull request, with `again` also after one was closed."""
    return [one for one in found if _is_to_write(one, again=again)]


def _is_to_write(one: Surveyed, *, again: bool) -> bool:
    return one.standing.stands in ((*TO_WRITE, Stands.DECLINED) if again else TO_WRITE)


def _meanwhile(standing: Standing) -> Applied:
    """Return what became of a repository since it was first looked at."""
    if standing.stands in (Stands.IN_STEP, Stands.PROPOSED):
        return Applied(standing.slug, standing.pull)
    said = f"is now {standing.stands}"
    return Applied(standing.slug, error=f"{said}: {standing.said}" if standing.said else said)
